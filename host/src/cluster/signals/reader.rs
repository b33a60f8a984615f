//! Signals in a response of their own, read piece by piece: of a text of some MiB one line is held.

use memchr::memchr;

use super::answer::{self, SampleSearch};
use super::{ReportSource, Reports, Signals};
use crate::config::{Series, SignalSource};

/// Longest line of metrics that is looked at, in bytes. A series with a dozen labels has some hundred.
const LONGEST_LINE: usize = 64 << 10;

/// Reads the response to one request of a cluster's signals.
#[derive(Debug)]
pub struct AnswerReader<'s> {
    samples: Vec<WantedSample<'s>>,
    pointers: Vec<(usize, &'s str)>,
    /// The body so far, if it is read as JSON.
    document: Vec<u8>,
    line: Vec<u8>,
    /// The line is too long to be looked at; so is what comes of it.
    skips: bool,
}

#[derive(Debug)]
struct WantedSample<'s> {
    signal: usize,
    series: &'s Series,
    search: SampleSearch,
}

impl<'s> AnswerReader<'s> {
    /// For the signals that the request at this place asks for.
    pub(super) fn new(signals: &'s Signals, request: usize) -> Self {
        let (mut samples, mut pointers) = (Vec::new(), Vec::new());
        for (signal, entry) in signals.all.iter().enumerate().filter(|(_, entry)| entry.request == Some(request)) {
            match &entry.source {
                SignalSource::Json(pointer) => pointers.push((signal, pointer.as_str())),
                SignalSource::Metric(series) => {
                    samples.push(WantedSample { signal, series, search: SampleSearch::default() });
                }
                SignalSource::Orca(_) | SignalSource::Heartbeat(_) | SignalSource::Push => {}
            }
        }
        Self { samples, pointers, document: Vec::new(), line: Vec::new(), skips: false }
    }

    /// Takes the next piece of the body.
    pub fn take(&mut self, piece: &[u8]) {
        if !self.pointers.is_empty() {
            self.document.extend_from_slice(piece);
        }
        if self.samples.is_empty() {
            return;
        }
        let mut rest = piece;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.line.is_empty() && !self.skips {
                self.look(line);
            } else {
                self.hold(line);
                let whole = std::mem::take(&mut self.line);
                if !std::mem::take(&mut self.skips) {
                    self.look(&whole);
                }
                self.line = whole;
                self.line.clear();
            }
        }
        self.hold(rest);
    }

    /// What was found, now that the body is complete. A last line without an end is not looked at.
    #[must_use]
    pub fn finish(self) -> Reports {
        let mut reports = Reports::default();
        for WantedSample { signal, search, .. } in &self.samples {
            reports.add(*signal, ReportSource::Metric, search.value());
        }
        if !self.pointers.is_empty() {
            let document = answer::document(&self.document);
            for (signal, pointer) in self.pointers {
                reports.add(signal, ReportSource::Json, answer::number(&document, pointer));
            }
        }
        reports
    }

    /// That nothing could be read.
    #[must_use]
    pub fn fail(self) -> Reports {
        let samples = self.samples.iter().map(|_| ReportSource::Metric);
        let ignored = samples.chain(self.pointers.iter().map(|_| ReportSource::Json)).collect();
        Reports { ignored, ..Reports::default() }
    }

    fn look(&mut self, line: &[u8]) {
        for wanted in &mut self.samples {
            wanted.search.look(line, wanted.series);
        }
    }

    fn hold(&mut self, piece: &[u8]) {
        if self.line.len().saturating_add(piece.len()) > LONGEST_LINE {
            self.skips = true;
            self.line.clear();
        } else if !self.skips {
            self.line.extend_from_slice(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::super::Registry;
    use super::*;
    use crate::config::{SignalConfig, SignalRequest};

    fn signals(sources: &[SignalSource]) -> Signals {
        let request =
            |path: &str| SignalRequest { path: path.to_owned(), interval: Duration::from_secs(1), limit: 1 << 20 };
        let signal = |source: &SignalSource| SignalConfig {
            name: format!("{source:?}"),
            source: source.clone(),
            request: Some(request("/metrics")),
        };
        let all: Vec<_> = sources.iter().map(signal).collect();
        Signals::new(&Registry::default(), &all, Duration::from_secs(10))
    }

    fn metric(series: &str) -> SignalSource {
        SignalSource::Metric(series.parse().unwrap())
    }

    #[test]
    fn pieces_of_every_length_are_read_as_the_whole() {
        let signals = signals(&[metric("waiting"), metric("usage{model=\"a\"}"), metric("twice"), metric("none")]);
        let body = format!(
            "# HELP waiting of requests\n{}\nwaiting 7\nusage{{model=\"a\"}} 0.5 1700000000\r\ntwice 1\ntwice 2\n\
             waiting_total 9\n{} 3\nlast 1",
            "x".repeat(3 * LONGEST_LINE),
            "waiting".repeat(LONGEST_LINE / 4),
        );
        assert_eq!(signals.requests().len(), 1, "one request for all");

        for length in [1, 7, 4096, body.len()] {
            let mut reader = signals.reader(0);
            body.as_bytes().chunks(length).for_each(|piece| reader.take(piece));

            let reports = reader.finish();

            let taken = [(0, ReportSource::Metric, 7.0), (1, ReportSource::Metric, 0.5)].to_vec();
            assert_eq!(reports, Reports { taken, ignored: vec![ReportSource::Metric; 2] }, "{length}");
        }
    }

    #[test]
    fn a_document_is_read_when_it_is_whole() {
        let signals = signals(&[SignalSource::Json("/load/cpu".to_owned())]);
        let [mut reader, mut cut] = [(); 2].map(|()| signals.reader(0));
        for piece in [&b"{\"load\":{\"c"[..], b"pu\":0.25}}"] {
            reader.take(piece);
        }
        cut.take(b"{\"load\":{\"cpu\":0.25}");

        assert_eq!(reader.finish().taken, [(0, ReportSource::Json, 0.25)]);
        assert_eq!(cut.finish().ignored, [ReportSource::Json]);
    }
}
