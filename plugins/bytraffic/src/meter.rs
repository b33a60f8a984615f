//! Bytes for the weight: who has carried least.
//!
//! ```text
//! level += (bytes now - bytes at the last look) / weight          one look per pick and eligible endpoint
//! ```
//!
//! A level is kept rather than computed from the counters, so that an endpoint may join at a level that is not zero, a
//! changed weight counts from now on only, and counters that start again do no harm.

use std::fmt;
use std::str::FromStr;

/// After so many picks without it an endpoint counts as having been away. More than a few retries leave out, less than
/// any pause or drain.
const AWAY: u64 = 100;

/// The levels of all endpoints.
#[derive(Debug)]
pub struct Meters {
    meters: Vec<Meter>,
    picks: u64,
}

#[derive(Clone, Copy, Debug)]
struct Meter {
    weight: f64,
    reading: Reading,
    /// Number of the pick at which it was eligible last; none if it never was.
    seen: Option<u64>,
    /// Whether its level was ever compared with others.
    known: bool,
}

/// What an endpoint has carried, as far as it counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Bytes per hundredth of weight.
    pub level: f64,
    /// The counters at the last look; NaN before the first.
    pub bytes: f64,
}

/// An endpoint that may be chosen, and its counters.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Id of the endpoint.
    pub id: u32,
    /// Connections and requests in flight.
    pub busy: u32,
    /// Bytes sent to it and received from it so far; NaN if nobody knows.
    pub bytes: f64,
}

impl Meters {
    /// Nobody has carried anything. Weights in hundredths, by id.
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let reading = Reading { level: 0.0, bytes: f64::NAN };
        let meter = |weight: u32| Meter { weight: f64::from(weight.max(1)), reading, seen: None, known: false };
        Self { meters: weights.into_iter().map(meter).collect(), picks: 0 }
    }

    /// Chooses the lowest level; among equals fewest in flight for the weight; among those the earliest.
    ///
    /// Who joins, or was away for `AWAY` picks, starts at the lowest level of those who were there, if that is above
    /// its own: it is not made to carry what it missed.
    pub fn pick(&mut self, candidates: impl Iterator<Item = Candidate> + Clone) -> Option<u32> {
        self.picks = self.picks.saturating_add(1);
        self.look(candidates.clone());
        let mut best: Option<((f64, f64), u32)> = None;
        for Candidate { id, busy, .. } in candidates {
            let Some(meter) = self.meter(id) else { continue };
            // Levels are finite, so that these compare.
            let score = (meter.reading.level, f64::from(busy) / meter.weight);
            if best.is_none_or(|(least, _)| score < least) {
                best = Some((score, id));
            }
        }
        best.map(|(_, id)| id)
    }

    /// Reads the counters, and lets those join who are new or return.
    fn look(&mut self, candidates: impl Iterator<Item = Candidate> + Clone) {
        let picks = self.picks;
        let (mut present, mut known, mut joining) = (f64::INFINITY, f64::INFINITY, false);
        for candidate in candidates.clone() {
            let Some(meter) = self.meter(candidate.id) else { continue };
            meter.read(candidate.bytes);
            if meter.joins(picks) {
                joining = true;
            } else {
                present = present.min(meter.reading.level);
            }
            if meter.known {
                known = known.min(meter.reading.level);
            }
        }
        let floor = [present, known].into_iter().find(|level| level.is_finite()).unwrap_or_default();
        for candidate in candidates {
            let Some(meter) = self.meter(candidate.id) else { continue };
            if joining && meter.joins(picks) {
                meter.reading.level = meter.reading.level.max(floor);
                meter.known = true;
            }
            meter.seen = Some(picks);
        }
    }

    /// The readings to hand over, by id; none for those that were never looked at.
    pub fn readings(&self) -> impl Iterator<Item = Option<Reading>> + '_ {
        self.meters.iter().map(|meter| meter.known.then_some(meter.reading).filter(|reading| reading.bytes.is_finite()))
    }

    /// Takes over a reading.
    pub fn set(&mut self, index: usize, reading: Reading) {
        if let Some(meter) = self.meters.get_mut(index) {
            (meter.reading, meter.known, meter.seen) = (reading, true, Some(self.picks));
        }
    }

    fn meter(&mut self, id: u32) -> Option<&mut Meter> {
        self.meters.get_mut(usize::try_from(id).ok()?)
    }
}

impl Meter {
    /// Raises the level by what has flowed since the last look. The first look of all counts nothing: what flowed under
    /// another balancer is not this one's business (Apache forgets it too when the method changes). Counters that went
    /// back have started again.
    fn read(&mut self, bytes: f64) {
        if !bytes.is_finite() {
            return;
        }
        // What comes of NaN is smaller than nothing.
        let flowed = (bytes - self.reading.bytes).max(0.0);
        self.reading.level = (self.reading.level + flowed / self.weight).min(f64::MAX);
        self.reading.bytes = bytes;
    }

    /// Whether it was not there lately.
    fn joins(&self, picks: u64) -> bool {
        self.seen.is_none_or(|seen| picks.saturating_sub(seen) > AWAY)
    }
}

/// Both numbers by their bits, which is exact and needs no printing of floating point in the plugin.
impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}/{:x}", self.level.to_bits(), self.bytes.to_bits())
    }
}

impl FromStr for Reading {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (level, bytes) = text.split_once('/').ok_or(())?;
        let number = |text| {
            let number = f64::from_bits(u64::from_str_radix(text, 16).map_err(|_| ())?);
            Some(number).filter(|number| number.is_finite() && *number >= 0.0).ok_or(())
        };
        Ok(Self { level: number(level)?, bytes: number(bytes)? })
    }
}

#[cfg(test)]
mod tests;
