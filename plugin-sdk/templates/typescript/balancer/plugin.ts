// Chooses the endpoint with the fewest connections for its weight; among equals they take turns.
import "./console";
import type { Balancer } from "tidegate:plugin/balancer@0.1.0";
import { log } from "tidegate:plugin/log@0.1.0";
import type { ConfigError } from "tidegate:plugin/types@0.1.0";

let weights: number[] = []; // of every endpoint, by its id
let last = -1; // id of the latest choice

export const balancer: Balancer = {
  configure(config, endpoints) {
    if (config !== "null" && config !== "{}") {
      // A list of faults is thrown: where in the configuration, and what is wrong.
      const fault: ConfigError = { path: "", message: `expected no configuration, found ${config}` };
      throw [fault];
    }
    weights = endpoints.map((endpoint) => endpoint.weight);
    log("info", `balances ${endpoints.length} endpoints`);
  },

  // eligible: ids, ascending; busy: connections of each. Returns an id of eligible, not an index, or null.
  pick(eligible, busy, affinity) {
    const start = Math.max(0, eligible.findIndex((id) => id > last));
    let best = start;
    for (let step = 1; step < eligible.length; step++) {
      const at = (start + step) % eligible.length;
      // (busy + 1) / weight, compared without a division
      if ((busy[at] + 1) * weights[eligible[best]] < (busy[best] + 1) * weights[eligible[at]]) best = at;
    }
    last = eligible[best];
    return last;
  },
};
