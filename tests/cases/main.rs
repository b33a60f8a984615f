//! End to end: real clients, a real gateway, real endpoints.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "whatever goes wrong in here is a failed test"
)]

mod admin;
mod apache;
mod bad_input;
mod balance;
mod binary;
mod chains;
mod chains_by_body;
mod checked;
mod effects;
mod ending;
mod examples;
mod faults;
mod forward;
mod health;
mod hostile;
mod http2;
mod imports;
mod logins;
mod lookup;
mod membership;
mod misdirected;
mod observed;
mod plugin_dev;
mod process;
mod protocols;
mod recipes;
mod reload;
mod reports;
mod retry;
mod routes;
mod running;
mod samples;
mod sdk;
mod secrets;
mod sticky;
mod storm;
mod swap;
mod upgrade;
mod workbench;
mod workers;
