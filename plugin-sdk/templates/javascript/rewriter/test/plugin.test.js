// The tests are those of the sample: write your own with the logic.
import assert from "node:assert/strict";
import { test } from "node:test";
import { rewriter } from "../plugin.js";

const context = (scheme) => ({ scheme, host: "example.com", path: "/", route: null, endpoint: "http://192.0.2.1" });
const mark = { tag: "add", val: ["x-rewritten-by", "plugin-name"] };

test("asks for the headers that it rewrites", () => {
  assert.deepEqual(rewriter.configure('{"routes":[]}'), ["server", "location"]);
  assert.deepEqual(rewriter.configure('{"remove":["X-Powered-By"]}'), ["x-powered-by", "location"]);
});

test("takes Server out", () => {
  assert.deepEqual(rewriter.rewrite(context("http"), 200, [["server", "x/1.0"]]), [{ tag: "remove", val: 0 }, mark]);
});

test("leads the own host to https, where the client uses it", () => {
  const headers = [["location", "http://example.com/a?b=1"]];

  assert.deepEqual(rewriter.rewrite(context("https"), 302, headers), [
    { tag: "replace", val: [0, "https://example.com/a?b=1"] },
    mark,
  ]);
  assert.deepEqual(rewriter.rewrite(context("http"), 302, headers), []);
});

test("leaves other hosts alone", () => {
  assert.deepEqual(rewriter.rewrite(context("https"), 302, [["location", "http://example.com.test/"]]), []);
});

test("a fault of the configuration says where it is", () => {
  assert.throws(
    () => rewriter.configure('{"remove":"server","zone":"a"}'),
    (faults) => faults.map((fault) => fault.path).join(" ") === "/zone /remove",
  );
  for (const config of ['"x"', "3", "[]"]) {
    assert.throws(() => rewriter.configure(config), (faults) => faults.length === 1 && faults[0].path === "");
  }
});

test("stays within 256 edits", () => {
  const headers = Array.from({ length: 256 }, () => ["server", "x"]);

  assert.equal(rewriter.rewrite(context("http"), 200, headers).length, 256);
});
