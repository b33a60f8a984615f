//! `[gateway]`, `[admin]` and `[log]`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;

use super::super::model::{
    AccessLogConfig, AdminConfig, ErrorPagesConfig, ForwardedConfig, GatewayConfig, ListenerConfig, LogConfig,
    LogFormat,
};
use super::super::schema::{AdminSection, GatewaySection, LogSection, Text, Time};
use super::super::units::show_duration;
use super::timeouts::TIMEOUTS;
use super::{Resolver, defaults};
use crate::diagnose::closest;
use crate::net::Underscores;

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

impl Resolver<'_, '_> {
    pub(super) fn gateway(&mut self, written: &GatewaySection) -> GatewayConfig {
        let cache = match &written.cache {
            None => defaults::cache(),
            Some(word) if word.get_ref() == "off" => None,
            Some(path) => Some(self.base.join(path.get_ref())),
        };
        let forwarded = &written.forwarded;
        let drain = self.time("drain", written.drain.as_ref(), defaults::DRAIN);
        GatewayConfig {
            workers: self.whole("workers", written.workers.as_ref(), (1, 1024), defaults::workers()),
            drain,
            drain_spread: self.drain_spread(written.drain_spread.as_ref(), drain),
            cache,
            error_pages: self.error_pages(written.error_pages.as_ref(), &ErrorPagesConfig::default()),
            resolver: self.resolver(&written.resolver),
            timeouts: self.timeouts(&written.timeouts, &TIMEOUTS),
            forwarded: ForwardedConfig {
                x_forwarded: forwarded.x_forwarded.unwrap_or(defaults::FORWARDED),
                forwarded: forwarded.forwarded.unwrap_or(defaults::FORWARDED),
                trusted: forwarded.trusted.iter().filter_map(|net| self.network("trusted", net)).collect(),
                underscores: self.choice(
                    "underscores",
                    forwarded.underscores.as_ref(),
                    &[("drop", Underscores::Drop), ("pass", Underscores::Pass)],
                    defaults::UNDERSCORES,
                ),
            },
        }
    }

    /// Over how much of `drain` websockets are closed. What is left of it has to do for the last closing handshake.
    fn drain_spread(&mut self, written: Option<&Time>, drain: Duration) -> Option<Duration> {
        let written = written?;
        let spread = written.get_ref().0;
        let most = drain.saturating_sub(defaults::CLOSING);
        if spread > most {
            let (closing, most) = (show_duration(defaults::CLOSING), show_duration(most));
            let message = format!(
                "`drain_spread` is {}, which leaves less than {closing} of `drain`, {}, for the last websocket to close",
                show_duration(spread),
                show_duration(drain)
            );
            self.report.fault_hint(written.span(), message, format!("write \"{most}\" or less, or a longer `drain`"));
        }
        Some(spread)
    }

    /// An address, or a network in `address/bits` form.
    pub(super) fn network(&mut self, key: &str, written: &Text) -> Option<IpNet> {
        let text = written.get_ref();
        let read = text.parse::<IpAddr>().map(IpNet::from).ok().or_else(|| text.parse().ok());
        if read.is_none() {
            let message = format!("bad network \"{text}\" in `{key}`, expected an address or `address/bits`");
            self.report.fault_hint(written.span(), message, network_remedy(text));
        }
        if let Some(net) = read.filter(|net| net.addr() != net.network()) {
            // Whoever writes an address with the length of its network may mean either.
            let message = format!(
                "network \"{text}\" in `{key}` is all of {}: write that, or \"{}\" for the one address",
                net.trunc(),
                net.addr()
            );
            self.report.warn(written.span(), message);
        }
        read
    }

    /// `ip:port`
    pub(super) fn address(&mut self, written: &Text) -> Option<SocketAddr> {
        let text = written.get_ref();
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let message = format!("bad address \"{text}\", expected `ip:port`");
        let port = text.rsplit(':').next().filter(|port| port.parse::<u16>().is_ok());
        let hint = match (text.rsplit_once(':'), port) {
            (Some(("" | "*", port)), _) => format!("write \"0.0.0.0:{port}\", or \"[::]:{port}\" for IPv6 too"),
            (Some((ip, port)), Some(_)) if ip.parse::<std::net::Ipv6Addr>().is_ok() => {
                format!("write \"[{ip}]:{port}\"")
            }
            (Some((_, port)), Some(_)) => {
                format!("names are not looked up; write an address, for example \"127.0.0.1:{port}\"")
            }
            (None, Some(port)) => format!("write \"0.0.0.0:{port}\""),
            _ => "for example \"0.0.0.0:8080\" or \"[::1]:8080\"".to_owned(),
        };
        self.report.fault_hint(written.span(), message, hint);
        None
    }

    pub(super) fn admin(
        &mut self,
        written: Option<&AdminSection>,
        listeners: &[ListenerConfig],
    ) -> Option<AdminConfig> {
        let written = written?;
        let token_file = written.token_file.as_ref().map(|file| self.file("`token_file`", file));
        let address = self.address(&written.address)?;
        if !address.ip().is_loopback() && token_file.is_none() {
            let message =
                format!("`address` in [admin] is {address}, expected a loopback address, as no `token_file` is set");
            let hint = format!("set `token_file`, or listen on \"127.0.0.1:{}\"", address.port());
            self.report.fault_hint(written.address.span(), message, hint);
        }
        if address.port() != 0 && listeners.iter().any(|listener| listener.address == address) {
            let message = format!("`address` in [admin] is {address}, which a [[listen]] has already");
            self.report.fault(written.address.span(), message);
        }
        let hint = "for example \"changes.json\", beside this file";
        let persist = written.persist.as_ref().and_then(|path| self.written_file("`persist`", path, hint));
        Some(AdminConfig { address, token_file, persist })
    }

    pub(super) fn log(&mut self, written: &LogSection) -> LogConfig {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        if let Some(level) = &written.level {
            self.level(level);
        }
        LogConfig {
            level: written.level.as_ref().map_or(defaults::LOG_LEVEL, |level| level.get_ref()).to_owned(),
            format: self.choice("format", written.format.as_ref(), &formats, LogFormat::Text),
            access: match &written.access {
                None => AccessLogConfig::Stdout,
                Some(word) if word.get_ref() == "stdout" => AccessLogConfig::Stdout,
                Some(word) if word.get_ref() == "off" => AccessLogConfig::Off,
                Some(path) => {
                    let hint = "for example \"access.log\", beside this file, or \"stdout\"";
                    self.written_file("`access`", path, hint).map_or(AccessLogConfig::Off, AccessLogConfig::File)
                }
            },
        }
    }

    fn level(&mut self, written: &Text) {
        let text = written.get_ref();
        let is_word = !text.contains(['=', ',', '[', ':']);
        let known = LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text));
        if (is_word && !known) || EnvFilter::try_new(text).is_err() {
            let message = format!(
                "bad `level` \"{text}\", expected `error`, `warn`, `info`, `debug`, `trace`, `off` or a filter"
            );
            match closest(text, LEVELS) {
                Some(meant) => self.report.fault_meant(written.span(), message, Some(meant)),
                None => self.report.fault_hint(written.span(), message, "for example \"info,tidegate::proxy=debug\""),
            }
        }
    }
}

/// What to write in place of what is no network: words and forms of Apache, nginx and others.
fn network_remedy(text: &str) -> String {
    if ["all", "any", "*"].contains(&text) {
        return "all that there are: \"0.0.0.0/0\" and \"::/0\"".to_owned();
    }
    if ["local", "localhost"].contains(&text) {
        return "write \"127.0.0.0/8\" and \"::1\"".to_owned();
    }
    let within = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if let Some(address) = within.filter(|text| text.parse::<IpAddr>().is_ok()) {
        return format!("write \"{address}\"");
    }
    // `10.1` and `10.1.` are networks for Apache.
    let parts: Vec<_> = text.trim_end_matches('.').split('.').collect();
    if parts.len() < 4 && parts.iter().all(|part| part.parse::<u8>().is_ok()) {
        let missing = 4_usize.saturating_sub(parts.len());
        let bits = parts.len().saturating_mul(8);
        return format!("write \"{}{}/{bits}\"", parts.join("."), ".0".repeat(missing));
    }
    let masked = text.split_once('/').and_then(|(net, mask)| Some((net.parse().ok()?, mask.parse().ok()?)));
    if let Some(net) = masked.and_then(|(net, mask)| IpNet::with_netmask(net, mask).ok()) {
        return format!("write \"{}\"", net.trunc());
    }
    "for example \"10.0.0.0/8\"".to_owned()
}
