// Routes by host as the configuration says, else by the first segment of the path: /chat/room goes to the cluster chat.
//
// Configuration: { "hosts": { "chat.example.com": "chat" } }. Without one it is the list of [[route]]: ignored here.
import "./console.js";
import { log } from "tidegate:plugin/log@0.1.0";

let names = new Map(); // index of a cluster by its name
let hosts = new Map(); // index of a cluster by host

const isTable = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

export const router = {
  configure(config, clusters) {
    const settings = JSON.parse(config) ?? {};
    // A list of faults is thrown: where in the configuration, and what is wrong.
    if (!isTable(settings)) throw [{ path: "", message: "expected a table" }];
    const { hosts: wanted = {}, routes, ...unknown } = settings;
    const faults = Object.keys(unknown).map((key) => ({ path: `/${key}`, message: "expected hosts and nothing else" }));
    if (!isTable(wanted)) faults.push({ path: "/hosts", message: "expected a table of hosts" });
    names = new Map(clusters.map((name, index) => [name, index]));
    hosts = new Map();
    for (const [host, cluster] of Object.entries(isTable(wanted) ? wanted : {})) {
      if (names.has(cluster)) hosts.set(host.toLowerCase(), names.get(cluster));
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
