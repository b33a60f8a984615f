// The canonical ABI: what the gateway calls, in terms of balancer.ts. Nothing in here has to be read.
import * as balancer from "./balancer";
import { Endpoint, Ids, NONE, errors } from "./tidegate";

const HEADER: usize = 16;
const ENDPOINT: usize = 36;
const CONFIG_ERROR: usize = 16;

// Arguments of one call, each behind a header with the one before. Freed when the call returns.
let taken: usize = 0;

/** The gateway asks for 0 bytes, too, and never frees. Alignments are at most 8, and blocks are aligned to 16. */
export function cabi_realloc(old: usize, oldSize: usize, alignment: usize, size: usize): usize {
  if (size == 0) return alignment;
  const block = heap.alloc(HEADER + size);
  store<usize>(block, taken);
  taken = block;
  if (old != 0) memory.copy(block + HEADER, old, min(oldSize, size));
  return block + HEADER;
}

function free(): void {
  while (taken != 0) {
    const before = load<usize>(taken);
    heap.free(taken);
    taken = before;
  }
}

const result: usize = memory.data(16);

/** A string or list: address and length. */
function text(at: usize): string {
  return String.UTF8.decodeUnsafe(load<usize>(at), load<usize>(at, 4));
}

function endpoint(at: usize): Endpoint {
  const labels = new Map<string, string>();
  let label = load<usize>(at, 28);
  for (let left = load<u32>(at, 32); left > 0; left--, label += 16) labels.set(text(label), text(label + 8));
  const route = load<u8>(at, 16) == 1 ? text(at + 20) : null;
  return new Endpoint(text(at), load<u32>(at, 8), load<u32>(at, 12), route, labels);
}

export function configure(config: usize, length: usize, endpoints: usize, count: i32): usize {
  const given = new Array<Endpoint>();
  for (let id = 0; id < count; id++) given.push(endpoint(endpoints + <usize>id * ENDPOINT));
  balancer.configure(String.UTF8.decodeUnsafe(config, length), given);
  free();
  store<u8>(result, errors.length > 0 ? 1 : 0);
  // Never freed: an instance that refuses its configuration is not called again.
  const list = heap.alloc(<usize>errors.length * CONFIG_ERROR);
  for (let i = 0; i < errors.length; i++) {
    write(errors[i].path, list + <usize>i * CONFIG_ERROR);
    write(errors[i].message, list + <usize>i * CONFIG_ERROR + 8);
  }
  store<usize>(result, list, 4);
  store<i32>(result, errors.length, 8);
  return result;
}

function write(from: string, to: usize): void {
  const size = <usize>String.UTF8.byteLength(from);
  const at = heap.alloc(size);
  String.UTF8.encodeUnsafe(changetype<usize>(from), from.length, at, false, String.UTF8.ErrorMode.REPLACE);
  store<usize>(to, at);
  store<usize>(to, size, 4);
}

const eligible = new Ids();
const busy = new Ids();

export function pick(
  ids: usize,
  count: i32,
  counts: usize,
  countOfCounts: i32,
  hasAffinity: i32,
  affinity: i32,
): usize {
  eligible.at = ids;
  eligible.length = count;
  busy.at = counts;
  busy.length = countOfCounts;
  const id = balancer.pick(eligible, busy, hasAffinity ? affinity : NONE);
  free();
  store<u8>(result, id == NONE ? 0 : 1);
  store<i32>(result, id, 4);
  return result;
}
