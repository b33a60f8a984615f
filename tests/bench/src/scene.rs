//! The scenes: what clients do, and what is asked of Tidegate in each.

use std::str::FromStr;
use std::time::Duration;

use crate::figures::Column;
use crate::load::dialer::Version;

/// What the path of a request begins with that is to reach the endpoint over HTTP/2.
pub(crate) const BOTH: &str = "/both/";

/// One thing that clients do with a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) load: Load,
    pub(crate) version: Version,
    pub(crate) tls: bool,
    /// Whether proxies speak HTTP/2 with the endpoint too.
    pub(crate) both: bool,
    pub(crate) target: Target,
    /// Whether it is measured when no scenes are named.
    pub(crate) usual: bool,
}

/// What clients do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// Tunnels; each sends `ahead` messages of `size` bytes, waits until all are back, and does it again.
    Echo { tunnels: usize, size: usize, ahead: usize },
    /// Connect, upgrade, one echo, close; over and over.
    Connect { clients: usize },
    /// Requests, one after the other; on connections that stay open or on one each. GETs, or POSTs with `body` bytes
    /// there and back.
    Http { clients: usize, keep: bool, body: usize },
    /// Tunnels that echo once and are then held.
    Idle { tunnels: usize },
    /// Connections of HTTP/2 that are held after one request each; then one tunnel on each of them, where that can be.
    Sessions { connections: usize },
    /// Many tunnels for ten seconds, then an echo on one of them.
    Quiet { tunnels: usize },
}

/// What is asked of Tidegate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// At most so many times the better of nginx and HAProxy.
    AtMost(Column, f64),
    /// At most this, whatever others do.
    Limit(Column, f64),
    /// At most so many times the bare forwarder.
    Bare(Column, f64),
    /// At least what HAProxy does.
    Ahead(Column),
}

impl Load {
    /// Whether memory is read, which takes a fresh process.
    pub(crate) fn wants_fresh(self) -> bool {
        matches!(self, Self::Idle { .. } | Self::Sessions { .. } | Self::Quiet { .. })
    }
}

impl Scene {
    /// What is asked for. Where proxies have a way to endpoints over HTTP/2, it begins with [`BOTH`].
    pub(crate) fn path(&self) -> String {
        let to = if self.both { BOTH } else { "/" };
        format!("{to}ws")
    }
}

impl Target {
    pub(crate) fn column(self) -> Column {
        match self {
            Self::AtMost(column, _) | Self::Bare(column, _) | Self::Limit(column, _) | Self::Ahead(column) => column,
        }
    }
}

const fn cpu(most: f64) -> Target {
    Target::AtMost(Column::Cpu, most)
}

const fn scene(name: &'static str, load: Load, tls: bool, target: Target) -> Scene {
    Scene { name, load, version: Version::Http1, tls, both: false, target, usual: true }
}

/// With clients that speak HTTP/2.
const fn http2(name: &'static str, load: Load, tls: bool) -> Scene {
    Scene { version: Version::Http2, ..scene(name, load, tls, Target::Bare(Column::Cpu, 1.15)) }
}

const fn echo(tunnels: usize, size: usize) -> Load {
    Load::Echo { tunnels, size, ahead: 1 }
}

const fn http(clients: usize, keep: bool) -> Load {
    Load::Http { clients, keep, body: 0 }
}

/// POSTs of 16 KiB, with responses as long.
const POST: Load = Load::Http { clients: 16, keep: true, body: 16 << 10 };

/// Messages that a tunnel of `stream-1` has under way: enough to keep every process busy.
const AHEAD: usize = 8;

/// All of them.
pub(crate) const ALL: &[Scene] = &[
    scene("echo-64", echo(64, 64), false, cpu(1.05)),
    scene("echo-16k", echo(16, 16 << 10), false, cpu(0.50)),
    scene("echo-64-tls", echo(64, 64), true, cpu(0.95)),
    scene("echo-16k-tls", echo(16, 16 << 10), true, cpu(0.80)),
    scene("connect", Load::Connect { clients: 16 }, false, cpu(1.10)),
    scene("connect-tls", Load::Connect { clients: 16 }, true, cpu(0.80)),
    scene("idle", Load::Idle { tunnels: 2000 }, false, Target::Limit(Column::TunnelBytes, 4000.0)),
    scene("idle-tls", Load::Idle { tunnels: 2000 }, true, Target::Limit(Column::TunnelBytes, 16_000.0)),
    scene("http", http(32, true), false, cpu(1.10)),
    scene("http-close", http(16, false), false, cpu(1.10)),
    scene("http-tls", http(32, true), true, cpu(1.10)),
    http2("h2", http(64, true), false),
    http2("h2-tls", http(64, true), true),
    Scene { both: true, ..http2("h2-h2", http(64, true), false) },
    http2("wsh2-64", echo(64, 64), false),
    http2("wsh2-16k", echo(16, 16 << 10), false),
    Scene {
        target: Target::AtMost(Column::TunnelBytes, 1.0),
        ..http2("idle-h2", Load::Sessions { connections: 2000 }, false)
    },
    Scene { usual: false, ..scene("post-16k", POST, false, cpu(1.10)) },
    Scene { usual: false, ..scene("post-16k-tls", POST, true, cpu(1.10)) },
    Scene {
        usual: false,
        ..scene(
            "stream-1",
            Load::Echo { tunnels: 1, size: 16 << 10, ahead: AHEAD },
            false,
            Target::Ahead(Column::Megabytes),
        )
    },
    Scene { usual: false, ..scene("stream-64", echo(64, 16 << 10), false, Target::Ahead(Column::Megabytes)) },
    Scene {
        usual: false,
        ..scene("idle-9000", Load::Quiet { tunnels: 9000 }, false, Target::Limit(Column::IdleCpu, 1.0))
    },
];

/// How long to play, in seconds: more than nothing.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if seconds > 0.0 { Ok(seconds) } else { Err("nothing happens in no time".to_owned()) }
}

impl FromStr for Scene {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        ALL.iter().find(|scene| scene.name == name).copied().ok_or_else(|| {
            let known: Vec<_> = ALL.iter().map(|scene| scene.name).collect();
            format!("no scene of this name; there are: {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_lasts_longer_than_nothing() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "NaN", "inf", "1e300", "soon"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
