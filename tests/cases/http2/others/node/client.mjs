// A client on node's http2, against a gateway before an endpoint that echoes.
//
//   node client.mjs URL CA|- SCENE
//
// Says what happened as `ok WHAT`; ends with 1 and says why when something is not as it should be.

import { readFileSync } from "node:fs";
import http2 from "node:http2";
import { Reader, frame } from "./websocket.mjs";

const [url, ca, scene] = process.argv.slice(2);
const session = http2.connect(url, ca === "-" ? {} : { ca: readFileSync(ca), servername: "localhost" });
session.on("error", (error) => fail(`session: ${error}`));
const goaways = [];
session.on("goaway", (code, last) => goaways.push({ code, last }));

function fail(why) {
  console.log(`failed: ${why}`);
  process.exit(1);
}

function expect(what, is, detail) {
  if (!is) fail(`${what}: ${JSON.stringify(detail)}`);
  console.log(`ok ${what}`);
}

// A request to the end of its response.
function send(path, { method = "GET", body, trailers, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const all = { ":path": path, ":method": method, ":authority": "gateway.test", ...headers };
    const stream = session.request(all, { waitForTrailers: Boolean(trailers) });
    const came = { interim: [], trailers: {}, body: "" };
    stream.setEncoding("utf8");
    stream.on("headers", (interim) => came.interim.push(interim));
    stream.on("response", (head) => (came.head = head));
    stream.on("trailers", (fields) => (came.trailers = fields));
    stream.on("data", (text) => (came.body += text));
    stream.on("error", () => {});
    const broken = () => Object.assign(new Error("a stream was reset"), { came, code: stream.rstCode });
    stream.on("close", () => (stream.rstCode === 0 ? resolve(came) : reject(broken())));
    if (trailers) stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(body);
  });
}

// Opens a tunnel; its `next` gives opcode and payload of one frame after the other, or null at its end.
function open(path, headers = {}) {
  const all = { ":method": "CONNECT", ":protocol": "websocket", ":scheme": new URL(url).protocol.slice(0, -1) };
  const fields = { "sec-websocket-version": "13", origin: "http://gateway.test", ...headers };
  // `close` would send END_STREAM before RST_STREAM; an abort is RST_STREAM (CANCEL) alone.
  const abort = new AbortController();
  const options = { endStream: false, signal: abort.signal };
  const stream = session.request({ ...all, ":path": path, ":authority": "gateway.test", ...fields }, options);
  const frames = [];
  const waiting = [];
  const push = (item) => (waiting.length ? waiting.shift()(item) : frames.push(item));
  const reader = new Reader((opcode, payload) => push({ opcode, payload }));
  stream.on("data", (bytes) => reader.push(bytes));
  stream.on("end", () => push(null));
  stream.on("error", () => {});
  const tunnel = {
    stream,
    next: () => (frames.length ? Promise.resolve(frames.shift()) : new Promise((resolve) => waiting.push(resolve))),
    send: (opcode, payload) => stream.write(frame(opcode, Buffer.from(payload), true)),
    closed: new Promise((resolve) => stream.on("close", () => resolve(stream.rstCode))),
    reset: () => abort.abort(),
  };
  return new Promise((resolve) => stream.on("response", (head) => resolve(Object.assign(tunnel, { head }))));
}

async function echo(tunnel, text, opcode = 1) {
  tunnel.send(opcode, text);
  const back = await tunnel.next();
  if (!back || back.opcode !== opcode || !back.payload.equals(Buffer.from(text))) fail(`echo of ${text.length}: ${back}`);
}

const announced = new Promise((resolve) => session.on("remoteSettings", (settings) => resolve(settings)));
// An endpoint of the harness greets.
const greeted = async (tunnel) => {
  const hello = await tunnel.next();
  if (!hello?.payload.toString().startsWith("hello")) fail(`greeting: ${hello}`);
  return tunnel;
};

const scenes = {
  async requests() {
    const got = await send("/a?b=c");
    expect("get", got.head[":status"] === 200 && JSON.parse(got.body).target === "/a?b=c", got);
    const posted = await send("/", { method: "POST", body: "x".repeat(300_000) });
    expect("post", JSON.parse(posted.body).body.length === 300_000, posted.head);
    const head = await send("/", { method: "HEAD" });
    expect("head", head.head[":status"] === 200 && head.body === "", head);
    const many = await Promise.all(Array.from({ length: 300 }, (_, number) => send(`/${number}`)));
    expect("many", many.every((each, number) => JSON.parse(each.body).target === `/${number}`), many.length);
  },

  async features() {
    const trailers = await send("/trailers", { headers: { te: "trailers" } });
    expect("trailers of the response", trailers.trailers["x-checksum"] === "abc" && trailers.body === "body", trailers);
    const sent = await send("/", { method: "POST", body: "b", trailers: { "x-sent": "yes" } });
    expect("trailers of the request", JSON.parse(sent.body).trailers["x-sent"] === "yes", sent);
    const early = await send("/early");
    expect("103", early.interim.some((head) => head[":status"] === 103 && head.link) && early.body === "late", early);
    const broken = await send("/break").catch((error) => error);
    expect("a response that breaks off is reset", broken instanceof Error && broken.code === 2, broken);
    const first = await send("/leave");
    const second = await send("/leave");
    expect("goaway of the endpoint", first.body !== second.body, [first.body, second.body]);
    const plain = await send("/");
    expect("afterwards", plain.head[":status"] === 200, plain);
  },

  async websockets() {
    const settings = await announced;
    expect("announced", settings.enableConnectProtocol === true, settings);
    const tunnel = await greeted(await open("/", { "sec-websocket-protocol": "chat, other" }));
    const { head } = tunnel;
    expect("opened", head[":status"] === 200 && head["sec-websocket-protocol"] === "chat", head);
    expect("in the words of HTTP/2", !("upgrade" in head || "connection" in head || "sec-websocket-accept" in head), head);
    await echo(tunnel, "text");
    await echo(tunnel, "b".repeat(60_000), 2);
    const others = await Promise.all(Array.from({ length: 40 }, () => open("/").then(greeted)));
    await Promise.all(others.map((other, number) => echo(other, `number ${number}`)));
    expect("many", true);
    await send("/beside");
    tunnel.send(8, Buffer.from([0x0f, 0xa0, 98, 121, 101]));
    const close = await tunnel.next();
    expect("close", close?.opcode === 8 && close.payload.readUInt16BE(0) === 4000, close);
    tunnel.stream.end();
    expect("closed without an error", (await tunnel.closed) === 0, tunnel.stream.rstCode);
    others[0].reset();
    await others[0].closed;
    await echo(others[1], "beside one that was reset");
    for (const other of others.slice(1)) other.reset();
    await Promise.all(others.map((other) => other.closed));
    expect("reset", true);
  },

  // Both sides are HTTP/2: the endpoint is endpoint.mjs.
  async passed() {
    await announced;
    const tunnel = await open("/tunnel", { "sec-websocket-protocol": "chat", "sec-websocket-extensions": "permessage-deflate" });
    const { head } = tunnel;
    expect("opened", head[":status"] === 200 && head["sec-websocket-protocol"] === "chat", head);
    expect("extensions untouched", head["x-extensions"] === "permessage-deflate", head);
    await echo(tunnel, "text");
    tunnel.stream.end();
    expect("half close comes back", (await tunnel.next()) === null);
    expect("closed without an error", (await tunnel.closed) === 0, tunnel.stream.rstCode);
    const refused = await open("/no");
    expect("a refusal stays one", refused.head[":status"] === 403, refused.head);
    const reset = await open("/reset");
    await echo(reset, "x");
    reset.reset();
    await reset.closed;
    expect("reset", true);
  },

  async drain() {
    const tunnel = await greeted(await open("/"));
    console.log("open");
    const close = await tunnel.next();
    expect("1001", close?.opcode === 8 && close.payload.readUInt16BE(0) === 1001, close);
    tunnel.send(8, close.payload);
    tunnel.stream.end();
    expect("the tunnel ends well", (await tunnel.closed) === 0, tunnel.stream.rstCode);
    await new Promise((resolve) => session.on("close", resolve));
    expect("goaway without an error", goaways.length > 0 && goaways.every(({ code }) => code === 0), goaways);
  },
};

session.on("connect", async () => {
  await scenes[scene]().catch((error) => fail(`${scene}: ${error.stack} ${JSON.stringify(error.came)}`));
  console.log("done");
  session.close();
});
