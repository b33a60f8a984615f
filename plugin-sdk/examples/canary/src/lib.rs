//! A share of visitors gets another release, and keeps it by a cookie.
//!
//! The cookie holds the lot that a visitor has drawn, not the release: whoever is below the share is a canary. So a
//! share that rises takes visitors in and sends none back, 0 sends all back, and 100 takes all.

mod cookie;
mod settings;

use tidegate_plugin::edits::{self, Side};
use tidegate_plugin::{
    About, Config, ConfigError, Decision, Describe, RequestLine, Router, Target, chance, export_router, metrics, notes,
    request,
};

use settings::Settings;

/// How many lots there are: a hundredth of a per cent each.
const LOTS: f64 = 10_000.0;

/// The plugin.
#[derive(Debug)]
pub struct Canary {
    settings: Settings,
    canary: u32,
    /// None: where the route leads.
    stable: Option<u32>,
}

impl Router for Canary {
    fn configure(config: &str, clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
        let settings = Settings::read(config)?;
        let (canary, stable) = settings.clusters(&clusters)?;
        Ok(Self { settings, canary, stable })
    }

    fn route(&mut self, line: &RequestLine) -> Decision {
        let forced = match request::header(&self.settings.header).as_deref() {
            Some("always") => Some(true),
            Some("never") => Some(false),
            _ => None,
        };
        let is_canary = forced.unwrap_or_else(|| self.is_drawn(line));
        let release = if is_canary { "canary" } else { "stable" };
        notes::note("release", release);
        metrics::count("requests", release, 1.0);
        match if is_canary { Some(self.canary) } else { self.stable } {
            Some(cluster) => Decision::Forward(Target { cluster, path: None, route: None }),
            None => Decision::Next,
        }
    }
}

impl Canary {
    /// By the visitor's lot, which is drawn at the first visit.
    fn is_drawn(&self, line: &RequestLine) -> bool {
        let name = &self.settings.cookie;
        let lot = cookie::lot(name, &request::values("cookie")).unwrap_or_else(|| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0 and below 10,000")]
            let lot = (chance::number() * LOTS) as u32;
            // Behind the endpoint's own cookies, which stay. A cache that others share must not hand this one on.
            edits::append(Side::Response, "set-cookie", &cookie::written(name, lot, self.settings.days, line.scheme));
            edits::append(Side::Response, "cache-control", "private");
            lot
        });
        f64::from(lot) < self.settings.share / 100.0 * LOTS
    }
}

impl Describe for Canary {
    fn description() -> About {
        About {
            name: "canary".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "A share of visitors gets another release, and keeps it by a cookie.".to_owned(),
            schema: Some(Settings::schema()),
        }
    }
}

export_router!(Canary + Describe);

#[cfg(test)]
mod tests;
