//! Which protocols can stand on either side of the gateway, and what passes between them.
//!
//! ```text
//! table      who can be where, and what is played between them: the one list
//! world      a gateway with an endpoint of every kind behind it and a client of every kind before it
//! requests, upgrades, ends, changes      what is played
//! ```

mod changes;
mod ends;
mod exchange;
mod harness;
mod page;
mod requests;
mod table;
mod tunnel;
mod upgrades;
mod world;
