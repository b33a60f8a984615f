// The tests are those of the sample: write your own with the logic.
import assert from "node:assert/strict";
import { test } from "node:test";
import { router } from "../plugin.js";

const CLUSTERS = ["web", "chat"];

const request = (host, path) => ({ method: "GET", scheme: "http", host, path, query: null, upgrade: null });
const forward = (cluster) => ({ tag: "forward", val: { cluster, path: null, route: null } });

test("the first segment of the path names the cluster", () => {
  router.configure("null", CLUSTERS);

  assert.deepEqual(router.route(request("example.com", "/chat/room")), forward(1));
  assert.deepEqual(router.route(request("example.com", "/web")), forward(0));
});

test("a configured host comes before the path", () => {
  router.configure('{"hosts":{"Chat.example.com":"chat"}}', CLUSTERS);

  assert.deepEqual(router.route(request("chat.example.com", "/web")), forward(1));
});

test("anything else is unmatched", () => {
  router.configure('{"routes":[]}', CLUSTERS);

  for (const path of ["/", "/chats", "/toString"]) {
    assert.deepEqual(router.route(request("example.com", path)), { tag: "unmatched" });
  }
});

test("a fault of the configuration says where it is", () => {
  assert.throws(
    () => router.configure('{"hosts":{"a.example":"cha"},"host":1}', CLUSTERS),
    (faults) => faults.map((fault) => fault.path).join(" ") === "/host /hosts/a.example",
  );
  for (const config of ['"x"', "3", "[]"]) {
    assert.throws(() => router.configure(config, CLUSTERS), (faults) => faults.length === 1 && faults[0].path === "");
  }
});
