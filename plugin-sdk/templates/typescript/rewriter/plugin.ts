// Takes Server out of responses; a redirection to http of the client's own host leads to https if the client uses it.
//
// Configuration: { "remove": ["server", "x-powered-by"] }. Without one it is the list of [[route]], which is ignored.
import "./console";
import { log } from "tidegate:plugin/log@0.1.0";
import type { Edit, Rewriter } from "tidegate:plugin/rewriter@0.1.0";
import type { ConfigError } from "tidegate:plugin/types@0.1.0";

const isTable = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);
const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === "string");

export const rewriter: Rewriter = {
  configure(config) {
    const settings: unknown = JSON.parse(config) ?? {};
    // A list of faults is thrown: where in the configuration, and what is wrong.
    if (!isTable(settings)) throw [{ path: "", message: "expected a table" }];
    const { remove = ["server"], routes, ...unknown } = settings;
    const faults: ConfigError[] = Object.keys(unknown).map((key) => ({
      path: `/${key}`,
      message: "expected remove and nothing else",
    }));
    if (!isNames(remove)) faults.push({ path: "/remove", message: "expected a list of names of headers" });
    if (faults.length > 0 || !isNames(remove)) throw faults;
    const names = new Set(remove.map((name) => name.toLowerCase()));
    log("info", `removes ${[...names].join(", ")}`);
    return [...names.add("location")]; // the headers to see
  },

  // headers: [name, value] of each that was asked for, names in lower case; edits name them by their index in it.
  rewrite(context, status, headers) {
    const edits: Edit[] = [];
    const insecure = `http://${context.host}/`;
    headers.forEach(([name, value], index) => {
      if (name !== "location") {
        edits.push({ tag: "remove", val: index });
      } else if (context.scheme === "https" && value.startsWith(insecure)) {
        edits.push({ tag: "replace", val: [index, `https://${context.host}/${value.slice(insecure.length)}`] });
      }
    });
    // 256 edits are the most that the gateway takes.
    if (edits.length > 0 && edits.length < 256) edits.push({ tag: "add", val: ["x-rewritten-by", "plugin-name"] });
    return edits;
  },
};
