//! Peak EWMA: what an answer of each endpoint costs, in microseconds, times who waits there already.
//!
//! ```text
//! slower than thought   cost = sample                               at once: a peak is believed
//! faster than thought   cost = sample + (cost - sample) * w         slowly:  w = e^(-time / decay)
//! nothing new           cost = half the mean + …        * w         forgotten slowly, so that it is tried again
//! failed                cost = twice as much, at least `penalty`
//! ```
//!
//! After Finagle's `p2c PeakEwma`, with one difference: what is forgotten returns to half the mean instead of zero,
//! because zero times anything is zero, and a burst would go to that one endpoint as a whole.

/// No cost is above a minute: it must be forgotten in finite time.
const WORST: f64 = 60e6;

/// What an operator may set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Time after which a difference has shrunk to 37 %, in microseconds.
    pub decay: f64,
    /// What a failure costs at least, in microseconds.
    pub penalty: f64,
}

/// Costs of all endpoints.
#[derive(Debug)]
pub struct Costs {
    settings: Settings,
    entries: Vec<Entry>,
    /// Time of the last pick.
    last: f64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    weight: f64,
    /// Microseconds; NaN while nothing is known.
    cost: f64,
    /// Whether the cost is what others cost, because nothing is known.
    assumed: bool,
    /// Time of the latest answer at the last look, by which a new one is told; NaN if there was none.
    answer: f64,
    /// Last number of failures; NaN before the first look.
    failures: f64,
    /// When it was looked at; NaN if never.
    seen: f64,
}

/// An endpoint that may be chosen, and its live numbers.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Id of the endpoint.
    pub id: u32,
    /// Connections and requests in flight.
    pub busy: u32,
    /// First-byte time of the latest answer in microseconds; NaN before the first.
    pub answer: f64,
    /// Failed connects and broken exchanges.
    pub failures: f64,
}

impl Costs {
    /// Nothing is known yet. Weights in hundredths, by id.
    pub fn new(weights: impl IntoIterator<Item = u32>, settings: Settings) -> Self {
        let entry = |weight: u32| Entry {
            weight: f64::from(weight.max(1)),
            cost: f64::NAN,
            assumed: true,
            answer: f64::NAN,
            failures: f64::NAN,
            seen: f64::NAN,
        };
        Self { settings, entries: weights.into_iter().map(entry).collect(), last: f64::NAN }
    }

    /// Chooses the smallest cost × (busy + 1) / weight; the earliest among equals. `now` in microseconds, never going
    /// back.
    ///
    /// An endpoint of which nothing is known costs the mean of the others, and that is forgotten like anything else: it
    /// is tried soon, and not flooded.
    pub fn pick(&mut self, candidates: impl Iterator<Item = Candidate> + Clone, now: f64) -> Option<u32> {
        let mean = self.mean(candidates.clone());
        let (last, settings) = (self.last, self.settings);
        let usual = faded(now - last, settings.decay);
        self.last = now;
        let mut best: Option<(f64, u32)> = None;
        for candidate in candidates {
            let Some(entry) = self.entry(candidate.id) else { continue };
            // Nearly all were there at the last pick too, and need no exponential of their own.
            let kept = if entry.seen == last { usual } else { faded(now - entry.seen, settings.decay) };
            entry.look(candidate, kept, mean, settings.penalty);
            entry.seen = now;
            // Without any knowledge of anybody all cost the same.
            let cost = if entry.cost.is_nan() { 1.0 } else { entry.cost };
            let score = cost * (f64::from(candidate.busy) + 1.0) / entry.weight;
            if best.is_none_or(|(least, _)| score < least) {
                best = Some((score, candidate.id));
            }
        }
        best.map(|(_, id)| id)
    }

    /// Mean of the known costs; NaN if none is.
    fn mean(&mut self, candidates: impl Iterator<Item = Candidate>) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for candidate in candidates {
            let Some(entry) = self.entry(candidate.id) else { continue };
            let cost = if entry.assumed { candidate.answer } else { entry.cost };
            if cost.is_finite() {
                (sum, count) = (sum + cost, count + 1.0);
            }
        }
        (sum / count).clamp(1.0, WORST)
    }

    /// What each costs, by id; none where nothing is known.
    pub fn all(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        self.entries.iter().map(|entry| (!entry.assumed).then_some(entry.cost))
    }

    /// Takes over a cost.
    pub fn set(&mut self, index: usize, cost: f64) {
        if let Some(entry) = self.entries.get_mut(index) {
            (entry.cost, entry.assumed) = (cost.clamp(1.0, WORST), false);
        }
    }

    fn entry(&mut self, id: u32) -> Option<&mut Entry> {
        self.entries.get_mut(usize::try_from(id).ok()?)
    }
}

impl Entry {
    /// Learns from the numbers. `kept` is the share of a difference that time has left.
    fn look(&mut self, candidate: Candidate, kept: f64, mean: f64, penalty: f64) {
        let Candidate { answer, failures, .. } = candidate;
        if answer.is_finite() && answer.to_bits() != self.answer.to_bits() {
            let sample = answer.clamp(1.0, WORST);
            let believed = self.assumed || sample > self.cost;
            self.cost = if believed { sample } else { sample + (self.cost - sample) * kept };
            (self.answer, self.assumed) = (answer, false);
        } else if self.cost.is_nan() {
            self.cost = mean;
        } else {
            let floor = (mean / 2.0).min(self.cost);
            self.cost = floor + (self.cost - floor) * kept;
        }
        if failures > self.failures {
            // What comes of NaN is smaller than anything.
            self.cost = (self.cost * 2.0).max(penalty).min(WORST);
            self.assumed = false;
        }
        self.failures = failures;
    }
}

/// What is left of a difference after `time`; all of it where that is no time.
fn faded(time: f64, decay: f64) -> f64 {
    if time > 0.0 { (-time / decay).exp() } else { 1.0 }
}

#[cfg(test)]
mod tests;
