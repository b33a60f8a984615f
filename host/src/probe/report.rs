//! Asking endpoints for their signals alone, beside whatever probes they have.

use std::sync::Arc;
use std::time::Duration;

use ::http::{Method, header};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::http::{Appetite, BodySink};
use super::result::CheckFailure;
use super::{check, schedule};
use crate::cluster::{AnswerReader, Live, Reports, Signals};
use crate::config::{HttpCheck, SignalRequest};
use crate::upstream::Upstream;

/// Longest time for one request; never longer than its interval.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Receives what an endpoint has reported in a response that was asked for, or that it could not be read.
pub type OnReports = Arc<dyn Fn(&Live, &Reports) + Send + Sync>;

/// One request to one endpoint, again and again.
pub(super) struct ReportTask {
    pub(super) live: Arc<Live>,
    pub(super) upstream: Arc<Upstream>,
    pub(super) signals: Arc<Signals>,
    /// Place of the request among those of the signals.
    pub(super) request: usize,
    pub(super) on_reports: OnReports,
    pub(super) concurrency: Arc<Semaphore>,
    pub(super) place: usize,
}

impl ReportTask {
    /// Asks until it is dropped.
    pub(super) async fn watch(self) {
        let Some(wanted) = self.signals.requests().get(self.request) else { return };
        let check = HttpCheck {
            method: Method::GET,
            path: wanted.path.clone(),
            host: None,
            statuses: vec![200..=299],
            body: None,
        };
        let mut next = Instant::now() + schedule::first(self.place, wanted.interval);
        let mut last = None;
        for round in 1.. {
            tokio::time::sleep_until(next).await;
            let Ok(_permit) = self.concurrency.acquire().await else { return };
            next = Instant::now() + schedule::wait(self.live.url(), round, wanted.interval);
            let mut report =
                ReportBody { reader: self.signals.reader(self.request), left: wanted.limit, limit: wanted.limit };
            let failure = self.ask(&check, wanted, &mut report).await.err().map(|failure| failure.to_string());
            let reports = if failure.is_none() { report.reader.finish() } else { report.reader.fail() };
            (self.on_reports)(&self.live, &reports);
            if let Some(reason) = failure.as_ref().filter(|_| failure != last) {
                let (endpoint, path) = (self.live.url(), &wanted.path);
                tracing::warn!(endpoint, path, reason, "signals cannot be read");
            }
            last = failure;
        }
    }

    async fn ask(
        &self,
        check: &HttpCheck,
        wanted: &SignalRequest,
        report: &mut ReportBody<'_>,
    ) -> Result<(), CheckFailure> {
        let within = wanted.interval.min(TIMEOUT);
        let response = check::exchange(check, &self.upstream, Instant::now() + within, within, report).await?;
        let is_plain = |encoding: &::http::HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
        if !response.headers.get_all(header::CONTENT_ENCODING).iter().all(is_plain) {
            return Err(CheckFailure::Encoded);
        }
        if response.is_late { Err(CheckFailure::TimedOut(within)) } else { Ok(()) }
    }
}

/// A body that is read as a report, up to a limit.
struct ReportBody<'s> {
    reader: AnswerReader<'s>,
    left: usize,
    limit: usize,
}

impl BodySink for ReportBody<'_> {
    fn take(&mut self, piece: &[u8]) -> Result<Appetite, CheckFailure> {
        self.left = self.left.checked_sub(piece.len()).ok_or(CheckFailure::Large(self.limit))?;
        self.reader.take(piece);
        Ok(Appetite::More)
    }
}
