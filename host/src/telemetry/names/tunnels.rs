//! Upgrades, and the tunnels that they become.

use super::Family;

/// Upgrades asked for, by `outcome`.
pub static UPGRADES: Family = Family::counter("tidegate_upgrades", "Protocol upgrades asked for, by outcome");
/// Tunnels opened.
pub static TUNNELS: Family = Family::counter("tidegate_tunnels", "Tunnels opened");
/// Tunnels open now.
pub static TUNNELS_OPEN: Family = Family::gauge("tidegate_tunnels_open", "Tunnels open now");
/// Bytes through tunnels, by `direction`.
pub static TUNNEL_BYTES: Family = Family::counter("tidegate_tunnel_bytes", "Bytes relayed by tunnels, by direction");
/// Pings of the gateway's own, by the `side` that they went to.
pub static TUNNEL_PINGS: Family =
    Family::counter("tidegate_tunnel_pings", "Pings that the gateway sent through quiet websockets, by side");
/// Tunnels that ended because a ping was not answered, by the `side` that did not.
pub static TUNNELS_SILENT: Family =
    Family::counter("tidegate_tunnels_silent", "Tunnels that ended for want of an answer to a ping, by side");
