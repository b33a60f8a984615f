//! Tidegate: a gateway for websockets and HTTP whose routing, balancing and reverse mapping are WebAssembly plugins
//! that can be swapped while tunnels stay open.
//!
//! ```text
//! client ─▶ listener ─▶ tls ─▶ http ─▶ route ─▶ balance ─▶ upstream ─▶ endpoint
//! client ◀─────────── rewrite ◀─────── forward ◀──────────────────────────┤
//! client ◀═════════════ tunnel: bytes both ways after an upgrade ═════════╛
//! ```
//!
//! Runtime flow runs left to right; imports run top-down, and meet in [`gateway`].

pub mod admin;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod control;
pub mod diagnose;
pub mod discovery;
pub mod files;
pub mod gateway;
pub mod heartbeat;
pub mod http;
pub mod import;
pub mod lifecycle;
pub mod listener;
pub mod net;
pub mod plugin;
pub mod policy;
pub mod probe;
pub mod proxy;
pub mod telemetry;
pub mod text;
pub mod tls;
pub mod tunnel;
pub mod upstream;
pub mod watch;
pub mod workbench;
