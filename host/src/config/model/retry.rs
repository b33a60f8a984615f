//! `retry` of a cluster: what happens to a request whose endpoint failed.

use crate::config::defaults;

/// When a request is sent again, to another endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryConfig {
    /// Endpoints that one request may try, the first included; none: each endpoint once.
    pub attempts: Option<u32>,
    /// No connection was had: nothing was sent. Default true.
    pub connect: bool,
    /// No response came within the response timeout. Default false.
    pub timeout: bool,
    /// The connection broke before a response. Default false.
    pub broken: bool,
    /// Responses with these statuses, 400 to 599. Default none.
    pub statuses: Vec<u16>,
    /// Whether requests that are not idempotent (RFC 9110 §9.2.2) may be repeated once they were sent. Default false.
    pub all_methods: bool,
    /// Bytes of a request body that are kept for a repetition; a longer one is not repeated. Default 64 KiB.
    pub body: usize,
    /// Repetitions as a share of requests, 0 to 1, over ten seconds; ten in a second are always allowed. Default 0.2.
    pub budget: f64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: None,
            connect: true,
            timeout: false,
            broken: false,
            statuses: Vec::new(),
            all_methods: false,
            body: usize::try_from(defaults::RETRY_BODY).unwrap_or(usize::MAX),
            budget: defaults::RETRY_BUDGET,
        }
    }
}
