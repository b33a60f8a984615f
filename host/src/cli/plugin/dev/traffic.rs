//! A few requests and websockets of one's own, so that each version of a plugin has something to decide.

use std::net::SocketAddr;

use super::super::super::demo::{DemoTunnel, Visitor};
use super::super::super::terminal::say;

/// Websockets that stay open as long as the gateway runs: no swap may close them, and they make endpoints busy.
const HELD: usize = 3;

/// Websockets of each round, opened one after the other and closed together.
const OPENED: usize = 4;

/// Requests of each round. The last is redirected by the endpoint, with a cookie: what rewriters look at.
const TARGETS: [&str; 3] = ["/", "/a/b?c=d", "/moved"];

pub(super) struct Traffic {
    visitor: Visitor,
    held: Vec<DemoTunnel>,
}

impl Traffic {
    pub(super) fn to(address: SocketAddr) -> Self {
        Self { visitor: Visitor::plain(address), held: Vec::new() }
    }

    /// Looks after what is open, and sends a round of requests.
    pub(super) async fn send(&mut self) {
        self.look_after_held().await;
        let opened = self.open(OPENED).await;
        let mut statuses = Vec::new();
        for target in TARGETS {
            statuses.push(match self.visitor.get(target).await {
                Ok(status) => format!("{target} {status}"),
                Err(error) => format!("{target} {error:#}"),
            });
        }
        say(format_args!("sent     {} of {OPENED} websockets opened, GET {}", opened.len(), statuses.join(", ")));
        for tunnel in opened {
            tunnel.close().await;
        }
    }

    async fn look_after_held(&mut self) {
        let before = self.held.len();
        let mut open = Vec::new();
        for mut tunnel in self.held.drain(..) {
            if tunnel.echoes("still there?").await {
                open.push(tunnel);
            }
        }
        self.held = open;
        if before > 0 {
            say(format_args!("{} of {before} websockets that were opened before are still open", self.held.len()));
        }
        let more = self.open(HELD.saturating_sub(self.held.len())).await;
        self.held.extend(more);
    }

    /// As many as `count`; a plugin may refuse them.
    async fn open(&self, count: usize) -> Vec<DemoTunnel> {
        let mut opened = Vec::new();
        for _ in 0..count {
            opened.extend(self.visitor.open().await.ok());
        }
        opened
    }
}
