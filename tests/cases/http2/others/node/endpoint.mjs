// An endpoint on node's http2: requests, trailers, interim responses, GOAWAY, resets, and websockets by extended CONNECT.
//
//   node endpoint.mjs            plain, by prior knowledge
//   node endpoint.mjs CERT KEY   TLS, by ALPN
//
// Says `listening PORT`, and then a line of what happens to each stream.

import { readFileSync } from "node:fs";
import http2 from "node:http2";
import { Reader, frame } from "./websocket.mjs";

const [cert, key] = process.argv.slice(2);
const settings = { enableConnectProtocol: true };
const server = cert
  ? http2.createSecureServer({ settings, cert: readFileSync(cert), key: readFileSync(key) })
  : http2.createServer({ settings });


let sessions = 0;
server.on("session", (session) => {
  sessions += 1;
  session.number = sessions;
  session.on("error", () => {});
});

server.on("stream", (stream, headers) => {
  const path = headers[":path"];
  stream.on("error", () => {});
  stream.on("close", () => console.log(`closed ${path} ${stream.rstCode}`));
  if (headers[":method"] === "CONNECT") return websocket(stream, headers);
  let trailers = {};
  stream.on("trailers", (came) => (trailers = { ...came }));
  switch (path) {
    case "/trailers":
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-checksum": "abc" }));
      return stream.end("body");
    case "/early":
      stream.additionalHeaders({ ":status": 103, link: "</style.css>; rel=preload" });
      stream.respond({ ":status": 200 });
      return stream.end("late");
    case "/break":
      stream.respond({ ":status": 200 });
      stream.write("half");
      return setImmediate(() => stream.destroy(new Error("on purpose")));
    case "/leave":
      stream.respond({ ":status": 200 });
      stream.end(`session ${stream.session.number}`);
      return stream.session.close();
    case "/never":
      return console.log("waits /never");
  }
  const body = [];
  stream.on("data", (bytes) => body.push(bytes));
  stream.on("end", () => {
    const seen = { method: headers[":method"], path, headers, trailers, session: stream.session.number };
    seen.headers = { ...headers };
    seen.body = Buffer.concat(body).toString();
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.end(headers[":method"] === "HEAD" ? undefined : JSON.stringify(seen));
  });
});

function websocket(stream, headers) {
  if (headers[":protocol"] !== "websocket" || headers[":path"] === "/no") {
    stream.respond({ ":status": 403 });
    return stream.end("no");
  }
  const protocol = headers["sec-websocket-protocol"]?.split(",")[0];
  const extensions = headers["sec-websocket-extensions"];
  stream.respond({
    ":status": 200,
    ...(protocol && { "sec-websocket-protocol": protocol }),
    "x-extensions": extensions ?? "",
    "x-key": headers["sec-websocket-key"] ?? "",
  });
  console.log(`open ${headers[":path"]}`);
  const reader = new Reader((opcode, payload) => {
    if (opcode === 8) console.log(`close ${payload.length > 1 ? payload.readUInt16BE(0) : "-"}`);
    stream.write(frame(opcode === 9 ? 10 : opcode, payload, false));
    if (opcode === 8) stream.end();
  });
  stream.on("data", (bytes) => reader.push(bytes));
  stream.on("end", () => {
    console.log(`end ${headers[":path"]}`);
    stream.end();
  });
}

server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
