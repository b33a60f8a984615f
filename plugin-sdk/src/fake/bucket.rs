//! A token bucket as a gateway has them.

/// The longest wait that is told, in milliseconds.
const LONGEST: u32 = 0x7fff_ffff;

/// What a bucket may lack of a token because sums of floats are rounded.
const ROUNDING: f64 = 1e-9;

#[derive(Debug)]
pub(super) struct Bucket {
    tokens: f64,
    /// When it held so many, in microseconds.
    at: f64,
}

impl Bucket {
    pub(super) fn full(burst: f64, now: f64) -> Self {
        Self { tokens: burst, at: now }
    }

    /// 0, or the milliseconds until there is a token.
    pub(super) fn take(&mut self, rate: f64, burst: f64, now: f64) -> u32 {
        self.tokens = ((now - self.at).max(0.0) / 1e6).mul_add(rate, self.tokens).min(burst);
        self.at = now;
        if self.tokens >= 1.0 - ROUNDING {
            self.tokens = (self.tokens - 1.0).max(0.0);
            return 0;
        }
        let wait = (1.0 - self.tokens) / rate.abs() * 1e3;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bounds of a u32")]
        let wait = wait.ceil().clamp(1.0, LONGEST.into()) as u32;
        wait
    }
}
