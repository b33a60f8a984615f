// Connects to https://localhost:PORT with the transports that are named, says something, and prints what came back:
// `polling,websocket` begins with the first and goes on with the second. Exits with an error if anything takes too long.
import { io } from "socket.io-client";

const [port, transports] = process.argv.slice(2);
// What browsers do by themselves: cookies are kept, and Origin is the page's.
const socket = io(`https://localhost:${port}`, {
  transports: transports.split(","),
  withCredentials: true,
  extraHeaders: { Origin: `https://localhost:${port}` },
  reconnection: false,
});
const fail = (why) => {
  console.error(`${transports}:`, why);
  process.exit(1);
};
setTimeout(() => fail("nothing came in time"), 20_000).unref();
socket.on("connect_error", fail);
socket.on("disconnect", fail);

const welcome = await new Promise((done) => socket.on("welcome", done));
if (transports === "polling,websocket" && socket.io.engine.transport.name !== "websocket") {
  await new Promise((done) => socket.io.engine.on("upgrade", done));
}
const answers = [];
for (const word of ["one", "two", "three"]) {
  answers.push(await socket.timeout(10_000).emitWithAck("say", word));
}
console.log(JSON.stringify({ transport: socket.io.engine.transport.name, welcome, answers }));
process.exit(0);
