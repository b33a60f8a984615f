//! `timeouts = { … }` of the gateway, a cluster or a route.

use std::time::Duration;

use super::super::model::{TimeoutsConfig, UpgradeConfig};
use super::super::schema::{TimeOrOff, TimeoutsTable};
use super::super::units::show_duration;
use super::{Resolver, defaults};
use crate::net::UpgradeProtocol;

/// The timeouts that everything starts from.
pub(super) const TIMEOUTS: TimeoutsConfig = TimeoutsConfig {
    connect: defaults::CONNECT_TIMEOUT,
    response: defaults::RESPONSE_TIMEOUT,
    tunnel_idle: defaults::TUNNEL_IDLE,
    tunnel_ping: None,
};

impl Resolver<'_, '_> {
    /// Timeouts, `start` where nothing is written.
    pub(super) fn timeouts(&mut self, written: &TimeoutsTable, start: &TimeoutsConfig) -> TimeoutsConfig {
        let timeouts = TimeoutsConfig {
            connect: self.time("connect", written.connect.as_ref(), start.connect),
            response: self.time("response", written.response.as_ref(), start.response),
            tunnel_idle: self.time("tunnel_idle", written.tunnel_idle.as_ref(), start.tunnel_idle),
            tunnel_ping: written.tunnel_ping.as_ref().map_or(start.tunnel_ping, |ping| self.tunnel_ping(ping)),
        };
        let ping_at = written.tunnel_ping.as_ref().map(TimeOrOff::span);
        let at = ping_at.or_else(|| written.tunnel_idle.as_ref().map(|idle| idle.span()));
        if let (Some(ping), Some(at)) = (timeouts.tunnel_ping, at)
            && ping >= timeouts.tunnel_idle
        {
            let (ping, idle) = (show_duration(ping), show_duration(timeouts.tunnel_idle));
            let message =
                format!("`tunnel_ping`, {ping}, is not shorter than `tunnel_idle`, {idle}: no ping would go out");
            let hint = "write a shorter `tunnel_ping`, a longer `tunnel_idle`, or `tunnel_ping = \"off\"`";
            self.report.fault_hint(at, message, hint);
        }
        timeouts
    }

    fn tunnel_ping(&mut self, written: &TimeOrOff) -> Option<Duration> {
        let every = written.get_ref().0?;
        if every < defaults::LEAST_TUNNEL_PING {
            let (is, least) = (show_duration(every), show_duration(defaults::LEAST_TUNNEL_PING));
            let message = format!("`tunnel_ping` is {is}, expected at least {least}, or \"off\"");
            self.report.fault(written.span(), message);
        }
        Some(every)
    }

    /// Warns of pings on a route through which no websocket goes.
    pub(super) fn check_tunnel_ping(&mut self, written: &TimeoutsTable, upgrade: &UpgradeConfig) {
        let allows = match upgrade {
            UpgradeConfig::Any => true,
            UpgradeConfig::Only(protocols) => protocols.contains(&UpgradeProtocol::Websocket),
        };
        if let Some(ping) = written.tunnel_ping.as_ref().filter(|ping| ping.get_ref().0.is_some())
            && !allows
        {
            let message = "`tunnel_ping` comes to nothing: `upgrade` of this route has no `websocket`, and nothing \
                           else is pinged";
            self.report.warn(ping.span(), message.to_owned());
        }
    }
}
