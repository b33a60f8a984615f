//! Lines of the log that a plugin writes: through `log`, and on its standard output and standard error.
//!
//! ```text
//! log ─────────────▶ ╮
//! stdout (debug) ──▶ ├─ below the level? ─▶ allowance of the plugin's name ─▶ one line, under that name
//! stderr (warn) ───▶ ╯
//! ```

use std::time::Instant;

use tracing::{Level, enabled, event};

use super::host_state::HostState;
use super::output::StandardStream;
use super::shared::LogAdmission;
use super::text::printable;
use crate::telemetry::filter::OWN_LEVEL;

/// Where the lines come from, as filters of the log name it; from the contract with operators.
const TARGET: &str = "tidegate::plugin::capabilities";

/// A line with the plugin's name and role. One that has a level of its own in the filter has passed it already, and says
/// so by the name of the event.
macro_rules! line {
    ($state:ident, $level:expr, $($what:tt)+) => {{
        let (plugin, role) = (&*$state.shared.name, $state.role.as_str());
        match $state.shared.level {
            Some(_) => event!(name: OWN_LEVEL, target: TARGET, $level, plugin, role, $($what)+),
            None => event!(target: TARGET, $level, plugin, role, $($what)+),
        }
    }};
}

impl HostState {
    /// What the plugin says through `log`.
    pub(super) fn say(&mut self, level: Level, message: &str) {
        if level == Level::ERROR {
            self.output.note_error(message);
        }
        self.line(level, message);
    }

    /// What the plugin writes to one of its streams: each line that is whole becomes one of the log.
    pub(super) fn write(&mut self, stream: StandardStream, bytes: &[u8]) {
        // Taken out, because a line needs the rest of the state.
        let mut output = std::mem::take(&mut self.output);
        output.write(stream, bytes, |line| self.line(stream.level(), line));
        self.output = output;
    }

    /// Logs the lines that were begun and not ended; a call is over.
    #[cold]
    pub(super) fn end_lines(&mut self) {
        let mut output = std::mem::take(&mut self.output);
        for stream in StandardStream::EACH {
            output.end_line(stream, |line| self.line(stream.level(), line));
        }
        self.output = output;
    }

    pub(super) fn line(&self, level: Level, message: &str) {
        // A line below the log level must not use up the allowance of those that are written.
        if self.shared.is_scratch || !self.is_seen(level) {
            return;
        }
        let LogAdmission::Kept { dropped } = self.shared.admit_line(Instant::now()) else { return };
        if dropped > 0 {
            let rest = "plugin logs more than 64 lines a second; the rest is dropped";
            line!(self, Level::WARN, dropped, "{rest}");
        }
        let message = self.shared.masks.mask(message);
        let message = printable(&message);
        match level {
            Level::ERROR => line!(self, Level::ERROR, "{message}"),
            Level::WARN => line!(self, Level::WARN, "{message}"),
            Level::INFO => line!(self, Level::INFO, "{message}"),
            _ => line!(self, Level::DEBUG, "{message}"),
        }
    }

    fn is_seen(&self, level: Level) -> bool {
        if let Some(own) = self.shared.level {
            return own >= level;
        }
        match level {
            Level::ERROR => enabled!(target: TARGET, Level::ERROR),
            Level::WARN => enabled!(target: TARGET, Level::WARN),
            Level::INFO => enabled!(target: TARGET, Level::INFO),
            _ => enabled!(target: TARGET, Level::DEBUG),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{Layer, Registry, fmt};

    use super::super::limits::MemoryMeter;
    use super::super::role::RoleName;
    use super::super::shared::PluginShared;
    use super::*;
    use crate::clock::Clock;
    use crate::telemetry::captured::CapturedLog;

    fn state(shared: &Arc<PluginShared>) -> HostState {
        HostState::new(Arc::clone(shared), RoleName::new("balancer"), MemoryMeter::new(0, 0))
    }

    #[test]
    fn lines_below_the_log_level_do_not_use_up_the_allowance() {
        let shared = Arc::new(PluginShared::new("guest".into(), Clock::System));
        let mut state = state(&shared);
        let subscriber = tracing_subscriber::fmt().with_max_level(Level::INFO).with_writer(std::io::sink).finish();

        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..100 {
                state.say(Level::DEBUG, "again");
                state.write(StandardStream::Output, b"again\n");
            }
        });

        assert_eq!(shared.admit_line(Instant::now()), LogAdmission::Kept { dropped: 0 });
    }

    /// What is logged at `most`.
    fn logged(most: LevelFilter, say: impl FnOnce(&mut HostState), own: Option<LevelFilter>) -> Vec<String> {
        let mut shared = PluginShared::new("guest".into(), Clock::System);
        shared.level = own;
        let written = CapturedLog::default();
        let lines = fmt::layer().with_ansi(false).without_time().with_writer(written.clone()).with_filter(most);
        tracing::subscriber::with_default(Registry::default().with(lines), || say(&mut state(&Arc::new(shared))));
        written.text().lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_written_is_logged_line_by_line_under_the_plugins_name() {
        let lines = logged(
            LevelFilter::DEBUG,
            |state| {
                state.write(StandardStream::Output, b"one\ntwo");
                state.write(StandardStream::Error, b"three\n");
                state.end_lines();
            },
            None,
        );

        let seen: Vec<_> = lines.iter().map(|line| line.trim()).collect();
        assert_eq!(
            seen,
            [
                "DEBUG tidegate::plugin::capabilities: one plugin=\"guest\" role=\"balancer\"",
                "WARN tidegate::plugin::capabilities: three plugin=\"guest\" role=\"balancer\"",
                "DEBUG tidegate::plugin::capabilities: two plugin=\"guest\" role=\"balancer\"",
            ]
        );
    }
}
