//! The same through a real Apache httpd 2.4 and through ours: who gets which tunnel and request, and what becomes of a
//! Location.
//!
//! ```text
//! Scene ──▶ configurations of both ──▶ play on Apache, play on ours ──▶ the same endpoints, or the test fails
//! ```
//!
//! Needs `apache2` with its modules (Debian's package); says so and does nothing where they are missing.

mod access;
mod compared;
mod differences;
pub(crate) mod httpd;
mod idioms;
mod locations;
mod manager;
mod mixes;
mod play;
mod reading;
mod scene;
mod sides;
mod targets;
mod tunnels;
mod written;
