// The contract tidegate:plugin@0.1.0 (wit/balancer.wit) as AssemblyScript sees it. exports.ts makes exports of what
// balancer.ts has.

/** No endpoint; no affinity. */
export const NONE: i32 = -1;

export enum Level { Debug, Info, Warn, Error }

/** A member of the cluster. Its id is its index in the array that `configure` is given. */
export class Endpoint {
  constructor(
    /** "ws://10.0.0.7:8080" */
    public name: string,
    /** In hundredths: 100 is 1.0; 1 to 10,000. */
    public weight: u32,
    /** Lower groups are used first; the gateway sees to that. */
    public group: u32,
    /** Sticky route, or null. */
    public route: string | null,
    public labels: Map<string, string>,
  ) {}
}

/** Numbers that the gateway handed over, below 2^31. They are gone when `pick` returns. */
@final
export class Ids {
  at: usize = 0;
  length: i32 = 0;

  @operator("[]")
  get(i: i32): i32 {
    if (<u32>i >= <u32>this.length) throw new RangeError("index out of range");
    return load<i32>(this.at + (<usize>i << 2));
  }
}

// @ts-ignore: decorator
@external("tidegate", "log")
declare function tidegateLog(level: Level, at: usize, length: i32): void;

/** A line in the gateway's log. */
export function log(level: Level, line: string): void {
  // Half of a surrogate pair, which a cut string may have, is no UTF-8: it becomes U+FFFD.
  const text = String.UTF8.encode(line, false, String.UTF8.ErrorMode.REPLACE);
  tidegateLog(level, changetype<usize>(text), text.byteLength);
}

export class ConfigError {
  constructor(public path: string, public message: string) {}
}

export const errors: ConfigError[] = [];

/** Says that the configuration is wrong. `path` points into it (RFC 6901: "/limits/0"), "" is the whole of it. */
export function refuse(path: string, message: string): void {
  errors.push(new ConfigError(path, message));
}

/** What a failure ends in: a line in the gateway's log, which then makes a fresh instance. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  log(Level.Error, `${file ? file : "?"}:${line}:${column}: ${message ? message : "aborted"}`);
  unreachable();
}
