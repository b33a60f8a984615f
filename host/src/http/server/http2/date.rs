//! The Date of responses that have none (RFC 9110 §6.6.1), as HTTP/1.1's library writes it.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use ::http::HeaderValue;

use crate::telemetry::date::HttpDate;

thread_local! {
    /// The second that was written last, and its text.
    static LATEST: RefCell<Option<(u64, HeaderValue)>> = const { RefCell::new(None) };
}

/// The value for now, made once a second.
pub(super) fn now() -> Option<HeaderValue> {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    LATEST.with_borrow_mut(|latest| {
        if let Some((written, text)) = latest
            && *written == second
        {
            return Some(text.clone());
        }
        let text = HeaderValue::from_str(&HttpDate(now).to_string()).ok()?;
        *latest = Some((second, text.clone()));
        Some(text)
    })
}
