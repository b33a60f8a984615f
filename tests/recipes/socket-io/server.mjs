// A socket.io server that echoes. It says its address on its first line, and its name to whoever connects.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http);
io.on("connection", (socket) => {
  socket.emit("welcome", process.argv[2]);
  socket.on("say", (text, answer) => answer(`${process.argv[2]} heard ${text}`));
});
http.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${http.address().port}`));
