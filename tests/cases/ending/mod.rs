//! How tunnels end, and who hears of it.

mod breaks;
mod drain;
mod handed_on;
mod idle;
mod pings;
mod stages;
