// The tests are those of the sample: write your own with the logic.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { balancer } from "../plugin.js";
import { lines } from "./gateway.js";

const endpoint = (weight) => ({ name: "ws://192.0.2.1", weight, group: 0, route: null, labels: [] });

beforeEach(() => balancer.configure("null", [100, 100, 100, 300].map(endpoint)));

test("the least busy endpoint wins", () => {
  assert.equal(balancer.pick([0, 1, 2], [4, 1, 2], null), 1);
});

test("an endpoint of three times the weight takes three times as many", () => {
  assert.equal(balancer.pick([0, 3], [1, 4], null), 3);
  assert.equal(balancer.pick([0, 3], [1, 6], null), 0);
});

test("equals take turns, and the choice is an id", () => {
  balancer.pick([0, 1], [9, 0], null); // chooses 1

  assert.deepEqual([1, 2, 3].map(() => balancer.pick([0, 2], [0, 0], null)), [2, 0, 2]);
});

test("a configuration is refused", () => {
  assert.throws(
    () => balancer.configure('{"zone":"a"}', []),
    (faults) => faults.length === 1 && faults[0].path === "" && faults[0].message.includes("zone"),
  );
});

test("configure writes a line to the log", () => {
  assert.deepEqual(lines.at(-1), ["info", "balances 4 endpoints"]);
});
