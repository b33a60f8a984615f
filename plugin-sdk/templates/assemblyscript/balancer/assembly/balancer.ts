// The endpoint that holds the least for its weight gets the next connection. Equals take turns.
import { Endpoint, Ids, Level, log, refuse } from "./tidegate";

const weights: u32[] = [];
let last: i32 = -1;

/** Called once, before anything else. `config` is the operator's, as JSON text: "null" if there is none. */
export function configure(config: string, endpoints: Endpoint[]): void {
  if (config != "null" && config != "{}") {
    refuse("", "this plugin takes no configuration: leave it out");
    return;
  }
  for (let id = 0; id < endpoints.length; id++) weights.push(endpoints[id].weight);
  log(Level.Info, `the least busy of ${endpoints.length} endpoints, for its weight`);
}

/**
 * Chooses one of `eligible` (ids, ascending, never empty); NONE sends the client away with 503. `busy[i]` is what
 * `eligible[i]` holds now. `affinity` is a 31-bit hash of what the cluster keeps together, or NONE.
 */
export function pick(eligible: Ids, busy: Ids, affinity: i32): i32 {
  // Begin behind the endpoint that was chosen last, and go round: the first of equals wins.
  const count = eligible.length;
  let first = 0;
  while (first < count && eligible[first] <= last) first++;

  let best = first % count;
  for (let step = 1; step < count; step++) {
    const i = (first + step) % count;
    // (busy + 1) / weight, compared without dividing. Both are below 2^31, so the products fit.
    const here = (<u64>busy[i] + 1) * weights[eligible[best]];
    const there = (<u64>busy[best] + 1) * weights[eligible[i]];
    if (here < there) best = i;
  }
  last = eligible[best];
  return last;
}
