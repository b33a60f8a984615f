// Routes by host as the configuration says, else by the first segment of the path: /chat/room goes to the cluster chat.
//
// Configuration: { "hosts": { "chat.example.com": "chat" } }. Without one it is the list of [[route]]: ignored here.
import "./console";
import { log } from "tidegate:plugin/log@0.1.0";
import type { Router } from "tidegate:plugin/router@0.1.0";
import type { ConfigError } from "tidegate:plugin/types@0.1.0";

let names = new Map<unknown, number>(); // index of a cluster by its name
let hosts = new Map<string, number>(); // index of a cluster by host

const isTable = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

export const router: Router = {
  configure(config, clusters) {
    const settings: unknown = JSON.parse(config) ?? {};
    // A list of faults is thrown: where in the configuration, and what is wrong.
    if (!isTable(settings)) throw [{ path: "", message: "expected a table" }];
    const { hosts: wanted = {}, routes, ...unknown } = settings;
    const faults: ConfigError[] = Object.keys(unknown).map((key) => ({
      path: `/${key}`,
      message: "expected hosts and nothing else",
    }));
    if (!isTable(wanted)) faults.push({ path: "/hosts", message: "expected a table of hosts" });
    names = new Map(clusters.map((name, index) => [name, index]));
    hosts = new Map();
    for (const [host, cluster] of Object.entries(isTable(wanted) ? wanted : {})) {
      const index = names.get(cluster);
      if (index !== undefined) hosts.set(host.toLowerCase(), index);
      else faults.push({ path: `/hosts/${host}`, message: `expected one of ${clusters.join(", ")}, found ${cluster}` });
    }
    if (faults.length > 0) throw faults;
    log("info", `routes to ${clusters.length} clusters`);
  },

  route(request) {
    const cluster = hosts.get(request.host) ?? names.get(request.path.split("/")[1]);
    if (cluster === undefined) return { tag: "unmatched" };
    return { tag: "forward", val: { cluster, path: null, route: null } };
  },
};
