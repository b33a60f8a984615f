//! What a plugin may ask of the gateway: `log`, `request`, `columns`, `counters`, `limit`, `clock`, `chance`, `metrics`,
//! `table`, and `edits` and `notes` ([`super::effects`]); and `system` for the adapter.

use std::sync::atomic::Ordering;

use tracing::Level;
use wasmtime::component::{HasSelf, Linker};

use super::bindings::{
    body, chance, clock, columns, counters, edits, limit, log, metrics, notes, request, system, table, types,
};
use super::buckets::Refill;
use super::call_error::{Exit, RefusedArgument};
use super::host_state::HostState;
use super::output::StandardStream;
use super::own_metrics::Measurement;
use crate::policy::{ArrivalFacts, BodySight, BodyStart, CertificateText};

/// Defines every interface of the contract. Those by which a plugin learns or does more than its arguments and its
/// result say go through [`HostState::asked`]; `log` does not.
pub(super) fn link(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    log::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    request::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    columns::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    counters::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    limit::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    clock::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    chance::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    metrics::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    table::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    body::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    edits::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    notes::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    system::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)
}

impl types::Host for HostState {}

impl log::Host for HostState {
    fn log(&mut self, level: log::Level, message: String) {
        let level = match level {
            log::Level::Debug => Level::DEBUG,
            log::Level::Info => Level::INFO,
            log::Level::Warn => Level::WARN,
            log::Level::Error => Level::ERROR,
        };
        self.say(level, &message);
    }
}

impl request::Host for HostState {
    fn header(&mut self, name: String) -> Option<String> {
        let value = self.request.as_ref()?.headers.get(name)?;
        std::str::from_utf8(value.as_bytes()).ok().map(str::to_owned)
    }

    fn values(&mut self, name: String) -> Vec<String> {
        let Some(request) = &self.request else { return Vec::new() };
        let values = request.headers.get_all(name).into_iter();
        values.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok().map(str::to_owned)).collect()
    }

    fn client(&mut self) -> Option<String> {
        self.request.as_ref()?.client.map(|client| client.to_string())
    }

    fn sni(&mut self) -> Option<String> {
        self.request.as_ref()?.sni.as_deref().map(str::to_owned)
    }

    fn line(&mut self) -> Option<types::RequestLine> {
        self.request.as_ref()?.line.clone()
    }

    fn listener(&mut self) -> Option<String> {
        self.connection()?.listener.clone()
    }

    fn certificate(&mut self) -> Option<request::Shown> {
        let CertificateText { subject, fingerprint } = self.connection()?.certificate.as_ref()?.shown().clone();
        Some(request::Shown { subject, fingerprint })
    }
}

impl HostState {
    fn connection(&self) -> Option<&ArrivalFacts> {
        self.request.as_ref()?.connection.as_deref()
    }
}

impl columns::Host for HostState {
    fn column(&mut self, of: columns::Metric) -> Vec<f64> {
        match &self.numbers {
            Some(numbers) if !self.eligible.is_empty() => numbers.column(of.into(), &self.eligible),
            _ => self.no_column("column"),
        }
    }

    fn signal(&mut self, name: String) -> Vec<f64> {
        match &self.numbers {
            Some(numbers) if !self.eligible.is_empty() => numbers.signal(&name, &self.eligible),
            _ => self.no_column("signal"),
        }
    }
}

impl HostState {
    /// The empty list, which the log explains once: an author who expects a value for each endpoint reads what is not
    /// there.
    fn no_column(&self, function: &str) -> Vec<f64> {
        if !self.shared.is_scratch && !self.shared.warned_of_columns.swap(true, Ordering::Relaxed) {
            let message = format!(
                "expected `{function}` to be called within `pick` or `choose`, where there are eligible endpoints; found it \
                 called elsewhere, where it returns an empty list"
            );
            self.line(Level::WARN, &message);
        }
        Vec::new()
    }
}

impl counters::Host for HostState {
    fn add(&mut self, key: String, delta: f64) -> Option<f64> {
        self.shared.add(key, delta)
    }
}

impl limit::Host for HostState {
    fn take(&mut self, key: String, rate: f64, burst: f64) -> wasmtime::Result<u32> {
        Ok(self.shared.take(&key, Refill::new(rate, burst)?))
    }
}

impl clock::Host for HostState {
    #[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
    fn now(&mut self) -> f64 {
        self.shared.clock.elapsed().as_micros() as f64
    }

    fn wall(&mut self) -> f64 {
        self.shared.clock.wall().as_secs_f64()
    }
}

impl chance::Host for HostState {
    fn chance(&mut self) -> f64 {
        self.shared.clock.chance()
    }
}

impl metrics::Host for HostState {
    fn count(&mut self, name: String, label: String, by: f64) -> wasmtime::Result<()> {
        self.measure(Measurement::count(&name, by)?, &label);
        Ok(())
    }

    fn level(&mut self, name: String, label: String, is: f64) -> wasmtime::Result<()> {
        self.measure(Measurement::level(&name, is)?, &label);
        Ok(())
    }

    fn observe(&mut self, name: String, label: String, value: f64) -> wasmtime::Result<()> {
        self.measure(Measurement::observe(&name, value)?, &label);
        Ok(())
    }
}

impl HostState {
    /// What is not kept, the log says once.
    fn measure(&self, measurement: Measurement<'_>, label: &str) {
        let Err(why) = self.shared.measure(measurement, label) else { return };
        if !self.shared.warned_of_metrics.swap(true, Ordering::Relaxed) {
            let message = format!(
                "{why}, named `{name}`: it is dropped, and counted in tidegate_plugin_metrics_dropped_total; \
                 take labels of which there are few",
                name = measurement.name()
            );
            self.line(Level::WARN, &message);
        }
    }
}

impl table::Host for HostState {
    fn get(&mut self, key: String) -> Option<String> {
        self.table.as_ref()?.get(&key)
    }
}

impl body::Host for HostState {
    fn field(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let shown = self.body("field")?;
        Ok(shown.and_then(|(body, sight)| body.field(sight, &name)))
    }

    fn blocks(&mut self) -> wasmtime::Result<Vec<u32>> {
        Ok(self.body("blocks")?.map(|(body, sight)| body.blocks(sight)).unwrap_or_default())
    }

    fn first(&mut self) -> wasmtime::Result<Vec<u8>> {
        Ok(self.body("first")?.map(|(body, sight)| body.first(sight).to_vec()).unwrap_or_default())
    }
}

impl HostState {
    /// What there is of the body, and how much of it may be shown.
    fn body(&self, function: &str) -> wasmtime::Result<Option<(&BodyStart, BodySight)>> {
        if !self.exports_preview {
            let expected = format_args!("`{function}` in a plugin that exports `preview`, by which bodies are awaited");
            return Err(
                RefusedArgument::new(expected, "none, so that there is never a body to look at: export it").into()
            );
        }
        Ok(self.request.as_ref().and_then(|request| request.body.as_ref()).map(|(body, sight)| (&**body, *sight)))
    }
}

impl system::Host for HostState {
    fn clock(&mut self, id: u32) -> u64 {
        if id == 0 {
            u64::try_from(self.shared.clock.wall().as_nanos()).unwrap_or(u64::MAX)
        } else {
            self.monotonic_nanos()
        }
    }

    fn random(&mut self) -> u64 {
        self.shared.clock.random()
    }

    fn write(&mut self, to: u32, bytes: Vec<u8>) {
        let stream = if to == 1 { StandardStream::Output } else { StandardStream::Error };
        HostState::write(self, stream, &bytes);
    }

    fn exit(&mut self, code: u32) -> wasmtime::Result<()> {
        Err(Exit(code).into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::host_state::LentRequest;
    use super::super::limits::MemoryMeter;
    use super::super::role::RoleName;
    use super::super::shared::PluginShared;
    use super::*;
    use crate::clock::{Clock, Simulation};

    #[test]
    fn a_repeated_header_is_given_whole_and_only_while_its_request_is_decided() {
        let mut state = HostState::new(
            Arc::new(PluginShared::new("guest".into(), Clock::System)),
            RoleName::new("router"),
            MemoryMeter::new(0, 0),
        );
        assert!(request::Host::values(&mut state, "cookie".to_owned()).is_empty(), "no request");
        let mut headers = ::http::HeaderMap::new();
        for value in [&b"a=1"[..], b"\xff", b"b=2"] {
            headers.append("cookie", ::http::HeaderValue::from_bytes(value).unwrap());
        }

        state.request = Some(LentRequest { headers: Arc::new(headers), ..LentRequest::default() });

        assert_eq!(request::Host::values(&mut state, "Cookie".to_owned()), ["a=1", "b=2"]);
        assert!(request::Host::values(&mut state, "x y".to_owned()).is_empty(), "no name");
    }

    #[test]
    fn columns_outside_of_a_choice_are_empty_and_explained_once() {
        let shared = Arc::new(PluginShared::new("guest".into(), Clock::System));
        let state = |shared| HostState::new(shared, RoleName::new("balancer"), MemoryMeter::new(0, 0));
        let warned = || shared.warned_of_columns.load(Ordering::Relaxed);
        let mut silent = state(Arc::new(shared.scratch()));

        assert!(columns::Host::column(&mut silent, columns::Metric::Latency).is_empty());
        assert!(!warned(), "a throw-away instance says nothing");
        assert!(columns::Host::signal(&mut state(Arc::clone(&shared)), "load".to_owned()).is_empty());
        assert!(warned());
    }

    #[test]
    fn in_a_simulation_time_and_chance_are_those_of_its_seed() {
        let run = |seed| {
            let simulation = Simulation::new(seed, std::time::Duration::from_secs(60));
            let shared = PluginShared::new("guest".into(), Clock::Simulated(Arc::clone(&simulation)));
            let mut state = HostState::new(Arc::new(shared), RoleName::new("balancer"), MemoryMeter::new(0, 0));
            simulation.advance(std::time::Duration::from_millis(5));
            let times = (clock::Host::now(&mut state), [0, 1].map(|id| system::Host::clock(&mut state, id)));
            let chance = chance::Host::chance(&mut state);
            (times, [(); 3].map(|()| system::Host::random(&mut state)), clock::Host::wall(&mut state), chance)
        };

        assert_eq!(run(7).0, (5_000.0, [60_005_000_000, 5_000_000]));
        assert_eq!(run(7).2, 60.005);
        assert_eq!(run(7), run(7));
        assert_ne!(run(7).1, run(8).1);
    }
}
