//! What is counted and logged of one connection.

use std::sync::Arc;

use h2::Reason;

use super::super::GivenUp;
use crate::http::WireFault;
use crate::telemetry::{Counter, Gauge, GaugeGuard, Metrics, limited};

/// What is counted and logged of one connection to an endpoint.
#[derive(Debug)]
pub(super) struct ConnectionAccount {
    url: Arc<str>,
    metrics: Arc<Metrics>,
    /// GOAWAY frames of the endpoint that are counted.
    goaways: u64,
    _open: Option<GaugeGuard>,
}

impl ConnectionAccount {
    /// One for a connection to the endpoint at `url` that is being opened.
    pub(super) fn new(url: &Arc<str>, metrics: &Arc<Metrics>) -> Self {
        Self { url: Arc::clone(url), metrics: Arc::clone(metrics), goaways: 0, _open: None }
    }

    /// It speaks HTTP/2.
    pub(super) fn opened(&mut self) {
        self.metrics.increment(Counter::UpstreamHttp2Connected);
        self._open = Some(self.metrics.hold(Gauge::UpstreamHttp2ConnectionsOpen));
    }

    /// So many GOAWAY frames have come by now.
    pub(super) fn goaways(&mut self, came: u64) {
        let more = came.saturating_sub(std::mem::replace(&mut self.goaways, came));
        if more > 0 {
            self.metrics.add(Counter::UpstreamGoaway, more);
        }
    }

    /// It is given up.
    pub(super) fn given_up(&self, why: GivenUp) {
        let (counter, kind) = match why {
            GivenUp::Wire(WireFault::Flood(_)) => (Counter::UpstreamFlood, "flood"),
            GivenUp::Wire(WireFault::Wrong(_)) | GivenUp::Library => (Counter::UpstreamMalformed, "malformed"),
            GivenUp::Unfinished => (Counter::UpstreamUnfinished, "unfinished"),
            GivenUp::Unresponsive => (Counter::UpstreamUnresponsive, "unresponsive"),
        };
        self.metrics.increment(counter);
        let endpoint = &*self.url;
        limited!(warn, of: (endpoint, kind), endpoint, fault = kind, %why, "connection to an endpoint given up");
    }

    /// The library has closed it with this code, for what the endpoint did.
    pub(super) fn closed(&self, code: Reason) {
        match code {
            Reason::NO_ERROR | Reason::CANCEL => {}
            _ => self.given_up(GivenUp::Library),
        }
    }
}

/// What a connection that is given up is closed with.
pub(super) fn code_of(why: GivenUp) -> Reason {
    match why {
        GivenUp::Wire(fault) => fault.reason(),
        GivenUp::Library => Reason::PROTOCOL_ERROR,
        GivenUp::Unfinished | GivenUp::Unresponsive => Reason::NO_ERROR,
    }
}
