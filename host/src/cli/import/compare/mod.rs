//! The running Apache beside what was imported from its configuration: both are asked the same.
//!
//! ```text
//! routes ──▶ questions ──▶ Apache   ──▶ ┐
//!                    └───▶ ours, on loopback ──▶ differences
//! ```

mod answer;
mod questions;

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::time::{Duration, Instant};

use answer::{Answered, ask};
use questions::{Question, questions};

use crate::cli::load::explanation;
use crate::config::{self, Config, ListenerConfig};
use crate::gateway::{self, BuildOptions, Gateway};

/// How long both are asked in all.
const LONGEST: Duration = Duration::from_secs(120);
/// How long the end waits for connections.
const PATIENCE: Duration = Duration::from_millis(250);

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// How often both were asked.
    pub(super) asked: usize,
    /// One sentence for each difference.
    pub(super) differences: Vec<String>,
}

/// A running Apache, as it was named.
#[derive(Clone, Debug)]
pub(super) struct RunningApache {
    address: SocketAddr,
    /// What is sent as Host where no name is known.
    authority: String,
}

impl RunningApache {
    /// `http://HOST:PORT`
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let expected = "expected http://HOST:PORT of the running Apache";
        let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/')).ok_or(expected)?;
        let with_port = if authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            authority.to_owned()
        } else {
            format!("{authority}:80")
        };
        let addresses = with_port.to_socket_addrs().map_err(|error| format!("{expected}: {error}"))?;
        let address = addresses.into_iter().next().ok_or(expected)?;
        Ok(Self { address, authority: authority.to_owned() })
    }
}

/// Serves `text` on a loopback address and asks it what `apache` is asked.
///
/// # Errors
/// Why it cannot be served or Apache cannot be asked, in words.
pub(super) fn compare(text: &str, apache: &RunningApache) -> Result<Comparison, String> {
    let source = Path::new("imported.toml");
    let config = config::parse_without_files(text, source).map_err(|faults| faults.to_string())?;
    let questions = questions(&config, &apache.authority);
    let (config, listener) = on_loopback(config, apache.address.port())?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let options = BuildOptions { compiler: gateway::own_compiler(), ..BuildOptions::default() };
    let gateway = {
        let _within = runtime.enter();
        let gateway = Gateway::build_with(config, options).map_err(|error| explanation(source, &error))?;
        gateway.start();
        gateway
    };
    let ours = gateway.addresses().get(listener).copied();
    let compared = ours.ok_or_else(|| "it listens nowhere".to_owned()).and_then(|ours| both(&questions, apache, ours));
    runtime.block_on(gateway.end(PATIENCE, |_cut| ()));
    compared
}

/// `config` with every listener on a free port of the loopback address, nothing else of it reachable or written, and which of
/// them stands for Apache's `port`.
fn on_loopback(mut config: Config, port: u16) -> Result<(Config, usize), String> {
    let is_plain = |listener: &ListenerConfig| listener.tls.is_none();
    let same = config.listeners.iter().position(|listener| is_plain(listener) && listener.address.port() == port);
    let chosen = same.or_else(|| config.listeners.iter().position(is_plain));
    let chosen = chosen.ok_or("none of what was imported listens without TLS, and only http is compared")?;
    for listener in &mut config.listeners {
        listener.address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    }
    config.gateway.workers = 1;
    config.admin = None;
    config.heartbeat = None;
    config.log.access = config::AccessLogConfig::Off;
    Ok((config, chosen))
}

fn both(questions: &[Question], apache: &RunningApache, ours: SocketAddr) -> Result<Comparison, String> {
    let mut comparison = Comparison::default();
    let started = Instant::now();
    for question in questions {
        if started.elapsed() > LONGEST {
            break;
        }
        let theirs = ask(apache.address, question);
        if let (0, Err(error)) = (comparison.asked, &theirs) {
            return Err(format!("{} does not answer: {error}", apache.address));
        }
        comparison.asked = comparison.asked.saturating_add(1);
        match (theirs, ask(ours, question)) {
            (Ok(theirs), Ok(own)) => {
                let mut differences = theirs.differences(&own);
                if theirs.body != own.body
                    && differences.is_empty()
                    && is_settled(question, apache.address, ours, &theirs, &own)
                {
                    differences.push("the body is another, so the server may be another".to_owned());
                }
                comparison.differences.extend(differences.into_iter().map(|what| format!("{question}: {what}")));
            }
            (Err(error), Ok(_)) => comparison.differences.push(format!("{question}: Apache does not answer: {error}")),
            (Ok(_), Err(error)) => {
                comparison.differences.push(format!("{question}: the import does not answer: {error}"))
            }
            (Err(_), Err(_)) => {}
        }
    }
    Ok(comparison)
}

/// Whether both sides give the same body again: then it tells who gave it.
fn is_settled(question: &Question, apache: SocketAddr, ours: SocketAddr, theirs: &Answered, own: &Answered) -> bool {
    let again = |to, before: &Answered| ask(to, question).is_ok_and(|again| again.body == before.body);
    again(apache, theirs) && again(ours, own)
}

#[cfg(test)]
mod tests;
