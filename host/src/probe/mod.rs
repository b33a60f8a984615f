//! Asking endpoints whether they can take work, before clients have to find out.
//!
//! ```text
//! Prober.start(cluster) ──▶ one task per endpoint, spread over the workers: wait ▶ check ▶ Live
//!        └─ Probes: dropped, they end; so they do when the gateway drains
//! Prober.ask(cluster) ────▶ the same for signals with a path of their own: what comes of it decides nothing about health
//! check ──▶ upstream's dial ──▶ tcp | tls | http, websocket: over HTTP/1.1 or HTTP/2 | grpc: over HTTP/2
//! ```
//!
//! A probe is no lease: nothing here touches what an endpoint is counted to hold.

mod check;
mod grpc;
mod http;
mod http2;
mod report;
mod result;
mod run;
mod schedule;
mod websocket;

pub use report::OnReports;
pub use run::{OnResponse, Prober, Probes};
