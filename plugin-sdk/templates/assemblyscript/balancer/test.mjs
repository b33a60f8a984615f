// The built plugin under Node.js, called as the gateway calls it. The tests at the end are those of the sample: write
// your own with the logic.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const module = new WebAssembly.Module(readFileSync(new URL("plugin-name.wasm", import.meta.url)));

/** A configured instance, and the messages with which it refused its configuration. */
function begin(config, weights = [100, 100, 200, 100, 100, 100]) {
  const lines = [];
  const view = () => new DataView(memory.buffer);
  const read = (at, length) => new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
  const log = (level, at, length) => lines.push(`${["debug", "info", "warn", "error"][level]}: ${read(at, length)}`);
  const { memory, cabi_realloc, configure, pick, _initialize } = new WebAssembly.Instance(module, {
    tidegate: { log },
  }).exports;
  _initialize();

  const text = (string) => {
    const bytes = new TextEncoder().encode(string);
    const at = cabi_realloc(0, 0, 1, bytes.length);
    new Uint8Array(memory.buffer).set(bytes, at);
    return [at, bytes.length];
  };
  const numbers = (list) => {
    const at = cabi_realloc(0, 0, 4, list.length * 4);
    list.forEach((number, i) => view().setUint32(at + i * 4, number, true));
    return [at, list.length];
  };
  const names = weights.map((_, id) => text(`ws://10.0.0.${id}:80`));
  const endpoints = cabi_realloc(0, 0, 4, weights.length * 36);
  weights.forEach((weight, id) => {
    const fields = [...names[id], weight, 0, 0, 0, 0, 0, 0];
    fields.forEach((field, i) => view().setUint32(endpoints + id * 36 + i * 4, field, true));
  });
  const configured = configure(...text(config), endpoints, weights.length);

  const errors = [];
  if (view().getUint8(configured)) {
    const [list, count] = [view().getUint32(configured + 4, true), view().getUint32(configured + 8, true)];
    for (let at = list; at < list + count * 16; at += 16) {
      errors.push(read(view().getUint32(at + 8, true), view().getUint32(at + 12, true)));
    }
  }
  return {
    lines,
    errors,
    memory,
    pick(eligible, busy) {
      const result = pick(...numbers(eligible), ...numbers(busy), 0, 0);
      return view().getUint8(result) ? view().getUint32(result + 4, true) : null;
    },
  };
}

test("the least busy for its weight wins, by its id", () => {
  const balancer = begin("null");
  assert.deepEqual(balancer.lines, ["info: the least busy of 6 endpoints, for its weight"]);
  assert.equal(balancer.pick([3, 5], [4, 1]), 5);
  assert.equal(balancer.pick([0, 2], [1, 2]), 2);
  assert.equal(balancer.pick([0, 2], [0, 2]), 0);
});

test("equals take turns, also if the last one is gone", () => {
  const balancer = begin("{}");
  assert.deepEqual([1, 2, 3].map(() => balancer.pick([3, 5], [0, 0])), [3, 5, 3]);
  assert.equal(balancer.pick([1, 4], [0, 0]), 4);
});

test("a configuration that it does not have is refused", () => {
  assert.deepEqual(begin('{"limit":3}').errors, ["this plugin takes no configuration: leave it out"]);
});

test("memory does not grow", () => {
  const balancer = begin("null");
  const pages = balancer.memory.buffer.byteLength;
  for (let i = 0; i < 100000; i++) balancer.pick([1, 2, 4], [i % 7, i % 5, i % 3]);
  assert.equal(balancer.memory.buffer.byteLength, pages);
});
