//! How tunnels end, and who hears of it.

mod breaks;
mod drain;
mod idle;
mod stages;
