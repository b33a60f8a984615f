// QuickJS has no console: this one writes to the gateway's log. In tests Node's own stays.
import { log, type Level } from "tidegate:plugin/log@0.1.0";

const show = (value: unknown): string => {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value}\n${value.stack}`;
  return JSON.stringify(value) ?? String(value);
};
const at =
  (level: Level) =>
  (...values: unknown[]) =>
    log(level, values.map(show).join(" "));

globalThis.console ??= {
  debug: at("debug"),
  log: at("debug"),
  info: at("info"),
  warn: at("warn"),
  error: at("error"),
};
