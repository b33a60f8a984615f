//! Endpoints that fail, and how that is noticed: by probes, by what becomes of work, and by both.

mod outlier;
mod pause;
mod probes;
mod slow_start;

use tidegate::cluster::{Health, Live};
use tidegate_tests::{Gateway, Origin, eventually};

/// One number of an endpoint, by its URL, whatever cluster it is in.
fn live<T>(gateway: &Gateway, url: &str, read: impl Fn(&Live) -> T) -> T {
    let all = gateway.inner().registry().all();
    let mut lives = all.iter().flat_map(|(_, lives)| lives);
    read(lives.find(|live| live.url().contains(url)).unwrap_or_else(|| panic!("no endpoint {url}")))
}

pub(crate) fn standing(gateway: &Gateway, url: &str) -> Health {
    live(gateway, url, |live| live.health(live.now()))
}

/// Waits for a standing.
pub(crate) async fn stands(gateway: &Gateway, url: &str, expected: Health) {
    eventually(&format!("{url} to be {}", expected.as_str()), || standing(gateway, url) == expected).await;
}

/// Why it is not healthy.
pub(crate) fn reason(gateway: &Gateway, url: &str) -> String {
    live(gateway, url, |live| live.report(live.now()).reason).unwrap_or_default().into_owned()
}

pub(crate) fn place(origin: &Origin) -> String {
    origin.address().to_string()
}

/// Probes that were made so far.
fn probes(gateway: &Gateway, url: &str) -> u64 {
    let (passed, failed) = live(gateway, url, Live::probes);
    passed + failed
}
