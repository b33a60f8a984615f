// The contract in wit/ as TypeScript sees it; its comments are there. Integers stay below 2^31.
// What a plugin imports and exports must stand in wit/this-plugin.wit as well.

declare module "tidegate:plugin/types@0.1.0" {
  export type Scheme = "http" | "https";
  export type Field = [name: string, value: string];
  export interface Endpoint {
    name: string;
    /** Hundredths: 100 = 1.0. */
    weight: number;
    group: number;
    route: string | null;
    labels: [key: string, value: string][];
  }
  export interface RequestLine {
    method: string;
    scheme: Scheme;
    host: string;
    path: string;
    query: string | null;
    upgrade: string | null;
  }
  /** `configure` throws a list of these. */
  export interface ConfigError {
    /** JSON pointer into the configuration, like "/zones/3"; empty for the whole. */
    path: string;
    message: string;
  }
}

declare module "tidegate:plugin/balancer@0.1.0" {
  import type { Endpoint } from "tidegate:plugin/types@0.1.0";
  export interface Balancer {
    configure(config: string, endpoints: Endpoint[]): void;
    /** Returns an id of `eligible`, not an index, or null: the client gets 503. */
    pick(eligible: number[], busy: number[], affinity: number | null): number | null;
  }
}

declare module "tidegate:plugin/chooser@0.1.0" {
  import type { Endpoint } from "tidegate:plugin/types@0.1.0";
  export type Choice =
    /** `units`: 1 to 1,000, what the choice adds to the endpoint's `busy`. */
    | { tag: "take"; val: { endpoint: number; units: number } }
    /** `status`: 429 or 503; `after`: Retry-After, in seconds. */
    | { tag: "refuse"; val: { status: number; after: number | null } };
  export interface Chooser {
    configure(config: string, endpoints: Endpoint[]): void;
    choose(eligible: number[], busy: number[], affinity: number | null): Choice;
  }
}

declare module "tidegate:plugin/feedback@0.1.0" {
  export interface Outcome {
    ending: "complete" | "unreachable" | "broken" | "abandoned";
    status: number | null;
    /** Microseconds. */
    duration: number;
    firstByte: number | null;
    /** Bytes. */
    sent: number;
    received: number;
  }
  export interface Feedback {
    opened(endpoint: number): void;
    closed(endpoint: number, outcome: Outcome): void;
  }
}

declare module "tidegate:plugin/handover@0.1.0" {
  export interface Handover {
    save(): Uint8Array;
    /** Throws a string to start fresh. */
    restore(state: Uint8Array): void;
  }
}

declare module "tidegate:plugin/preview@0.1.0" {
  export interface Preview {
    /** `bytes`: 1 to 262,144, how much of a body is awaited; `block`: 16 to `bytes`, or 0 for no hashes. */
    wants(): { bytes: number; block: number };
  }
}

declare module "tidegate:plugin/router@0.1.0" {
  import type { Field, RequestLine } from "tidegate:plugin/types@0.1.0";
  export interface Target {
    /** Index into the clusters that `configure` was given. */
    cluster: number;
    path: string | null;
    route: number | null;
  }
  export interface Response {
    status: number;
    headers: Field[];
    body: Uint8Array;
  }
  export type Decision =
    | { tag: "forward"; val: Target }
    | { tag: "respond"; val: Response }
    | { tag: "unmatched" }
    | { tag: "next" };
  export interface Router {
    configure(config: string, clusters: string[]): void;
    route(request: RequestLine): Decision;
  }
}

declare module "tidegate:plugin/repetition@0.1.0" {
  export interface Repetition {
    repeats(): boolean;
  }
}

declare module "tidegate:plugin/rewriter@0.1.0" {
  import type { Field, Scheme } from "tidegate:plugin/types@0.1.0";
  export interface Context {
    scheme: Scheme;
    host: string;
    path: string;
    route: number | null;
    endpoint: string;
  }
  export type Edit =
    | { tag: "replace"; val: [index: number, value: string] }
    | { tag: "remove"; val: number }
    | { tag: "add"; val: Field };
  export interface Rewriter {
    /** Returns the names of the headers to see, in lower case. */
    configure(config: string): string[];
    rewrite(context: Context, status: number, headers: Field[]): Edit[];
  }
}

declare module "tidegate:plugin/describe@0.1.0" {
  export interface About {
    name: string;
    version: string;
    summary: string;
    /** JSON schema of the configuration. */
    schema: string | null;
  }
  export interface Describe {
    description(): About;
  }
}

declare module "tidegate:plugin/log@0.1.0" {
  export type Level = "debug" | "info" | "warn" | "error";
  export function log(level: Level, message: string): void;
}

declare module "tidegate:plugin/edits@0.1.0" {
  export type Side = "request" | "response";
  /** Takes effect if the call ends well, as the others. Only during `route`. */
  export function set(side: Side, name: string, value: string): void;
  export function append(side: Side, name: string, value: string): void;
  export function remove(side: Side, name: string): void;
}

declare module "tidegate:plugin/notes@0.1.0" {
  /** For the access line and for later plugins of the request: at most 8 of 256 bytes. */
  export function note(key: string, value: string): void;
  export function noted(key: string): string | null;
}

declare module "tidegate:plugin/request@0.1.0" {
  import type { RequestLine } from "tidegate:plugin/types@0.1.0";
  export function header(name: string): string | null;
  export function values(name: string): string[];
  export function client(): string | null;
  export function sni(): string | null;
  export function line(): RequestLine | null;
  /** Name of the listener. */
  export function listener(): string | null;
  /** Of the client, checked: subject as "CN=alice,O=Example", SHA-256 in hex. */
  export function certificate(): { subject: string; fingerprint: string } | null;
}

declare module "tidegate:plugin/columns@0.1.0" {
  export type Metric = "picks" | "sent" | "received" | "failures" | "latency" | "latest";
  export function column(of: Metric): number[];
  export function signal(name: string): number[];
}

declare module "tidegate:plugin/counters@0.1.0" {
  export function add(key: string, delta: number): number | null;
}

declare module "tidegate:plugin/limit@0.1.0" {
  /** 0: a token was taken; else the milliseconds until there is one. */
  export function take(key: string, rate: number, burst: number): number;
}

declare module "tidegate:plugin/clock@0.1.0" {
  /** Microseconds since some moment, the same for all instances. */
  export function now(): number;
  /** Seconds since 1970. */
  export function wall(): number;
}

declare module "tidegate:plugin/chance@0.1.0" {
  /** At least 0, below 1. */
  export function chance(): number;
}

declare module "tidegate:plugin/metrics@0.1.0" {
  export function count(name: string, label: string, by: number): void;
  export function level(name: string, label: string, is: number): void;
  export function observe(name: string, label: string, value: number): void;
}

declare module "tidegate:plugin/table@0.1.0" {
  export function get(key: string): string | null;
}

/** The beginning of the body: for those that export `preview`, during `route`, `pick` and `choose`. */
declare module "tidegate:plugin/body@0.1.0" {
  export function field(name: string): string | null;
  export function blocks(): number[];
  export function first(): Uint8Array;
}

/** What console.ts makes. */
interface Console {
  debug(...values: unknown[]): void;
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
}
declare var console: Console;
