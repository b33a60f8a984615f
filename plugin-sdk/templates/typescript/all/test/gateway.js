// The gateway in tests: imports from "tidegate:plugin/…" find this file. Set what a test needs, read what came.
import { register } from "node:module";

export const lines = []; // of the log: [level, message]
export const request = { headers: {}, client: null, sni: null, line: null, listener: null, certificate: null }; // headers by
// lower-case name: a list of values
export const edits = []; // ["set", side, name, value], as they came
export const notes = {};
export const waits = {}; // of take: milliseconds by key, 0 where there is none
export const measured = {}; // by "NAME LABEL": of count the sum, of level and observe the latest
export const columns = {}; // by metric or signal: a number for each eligible endpoint
export const table = {};
export const time = { now: 0, wall: 0 }; // microseconds; seconds since 1970
export const luck = { next: 0 }; // of chance

const counters = new Map();

// log
export const log = (level, message) => void lines.push([level, message]);
// request
export const header = (name) => request.headers[name.toLowerCase()]?.[0] ?? null;
export const values = (name) => request.headers[name.toLowerCase()] ?? [];
export const client = () => request.client;
export const sni = () => request.sni;
export const line = () => request.line;
export const listener = () => request.listener;
export const certificate = () => request.certificate;
// edits
export const set = (side, name, value) => void edits.push(["set", side, name, value]);
export const append = (side, name, value) => void edits.push(["append", side, name, value]);
export const remove = (side, name) => void edits.push(["remove", side, name]);
// notes
export const note = (key, value) => void (notes[key] = value);
export const noted = (key) => notes[key] ?? null;
// columns
export const column = (metric) => columns[metric] ?? [];
export const signal = (name) => columns[name] ?? [];
// counters
export const add = (key, delta) => {
  counters.set(key, (counters.get(key) ?? 0) + delta);
  return counters.get(key);
};
// limit
export const take = (key, rate, burst) => waits[key] ?? 0;
// clock
export const now = () => time.now;
export const wall = () => time.wall;
// chance
export const chance = () => luck.next;
// metrics
export const count = (name, label, by) => void (measured[`${name} ${label}`] = (measured[`${name} ${label}`] ?? 0) + by);
export const level = (name, label, is) => void (measured[`${name} ${label}`] = is);
export const observe = level;
// table
export const get = (key) => table[key] ?? null;

const here = JSON.stringify(import.meta.url);
const resolver = `export const resolve = (name, context, next) =>
  name.startsWith("tidegate:plugin/") ? { url: ${here}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(resolver)}`);
