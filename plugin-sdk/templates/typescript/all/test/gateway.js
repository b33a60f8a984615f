// The gateway in tests: imports from "tidegate:plugin/…" find this file. Set what a test needs, read what came.
import { register } from "node:module";

export const lines = []; // of the log: [level, message]
export const request = { headers: {}, client: null, sni: null }; // headers by lower-case name: a list of values
export const columns = {}; // by metric or signal: a number for each eligible endpoint
export const table = {};
export const time = { now: 0 }; // microseconds

const counters = new Map();

// log
export const log = (level, message) => void lines.push([level, message]);
// request
export const header = (name) => request.headers[name.toLowerCase()]?.[0] ?? null;
export const values = (name) => request.headers[name.toLowerCase()] ?? [];
export const client = () => request.client;
export const sni = () => request.sni;
// columns
export const column = (metric) => columns[metric] ?? [];
export const signal = (name) => columns[name] ?? [];
// counters
export const add = (key, delta) => {
  counters.set(key, (counters.get(key) ?? 0) + delta);
  return counters.get(key);
};
// clock
export const now = () => time.now;
// table
export const get = (key) => table[key] ?? null;

const here = JSON.stringify(import.meta.url);
const resolver = `export const resolve = (name, context, next) =>
  name.startsWith("tidegate:plugin/") ? { url: ${here}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(resolver)}`);
