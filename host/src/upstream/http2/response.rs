//! What is asked of the head of a response, besides what the library asks (RFC 9113 §8.1.1, §8.3.2).

use ::http::header::{self, HeaderMap};
use ::http::{Method, StatusCode};

use super::super::HeadLimits;
use super::super::unreadable::Unreadable;
use crate::http::check_fields;
use crate::http::length_from;

/// What heads may yet take of the limits for one response: those of interim responses count, for an endpoint that sends
/// nothing else would never be through.
#[derive(Debug)]
pub(super) struct HeadBudget {
    limits: HeadLimits,
    left: usize,
}

impl HeadBudget {
    pub(super) fn new(limits: HeadLimits) -> Self {
        Self { limits, left: limits.bytes }
    }

    /// Takes in the fields of one head. They are counted as HTTP/1.1 would write them.
    ///
    /// # Errors
    /// [`Unreadable::Fields`], [`Unreadable::LongHead`]
    pub(super) fn take(&mut self, fields: &HeaderMap) -> Result<(), Unreadable> {
        if fields.len() > self.limits.fields {
            return Err(Unreadable::Fields { found: fields.len(), limit: self.limits.fields });
        }
        const PUNCTUATION: usize = ": \r\n".len();
        const STATUS_LINE: usize = "HTTP/1.1 200 \r\n\r\n".len();
        let line = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
            name.as_str().len() + value.len() + PUNCTUATION
        };
        let length = fields.iter().map(line).sum::<usize>() + STATUS_LINE;
        self.left = self.left.checked_sub(length).ok_or(Unreadable::LongHead(self.limits.bytes))?;
        Ok(())
    }
}

/// Whether the fields of a response may be passed on.
///
/// # Errors
/// [`Unreadable::Malformed`]
pub(super) fn check_response(fields: &HeaderMap) -> Result<(), Unreadable> {
    check_fields(fields).map_err(|wrong| Unreadable::Malformed(wrong.to_owned()))
}

/// The length of the body behind a head. The library has seen that there is one at the most, and holds the body to it.
pub(super) fn stated_length(fields: &HeaderMap, method: &Method, status: StatusCode) -> Option<u64> {
    if *method == Method::HEAD || status == StatusCode::NOT_MODIFIED {
        return None;
    }
    fields.get(header::CONTENT_LENGTH).and_then(|value| length_from(value.as_bytes()))
}

/// Takes away what a head says of a body that there cannot be (RFC 9110 §8.6), and all but one of several lengths that
/// are the same.
pub(super) fn settle_length(fields: &mut HeaderMap, status: StatusCode) {
    if status == StatusCode::NO_CONTENT {
        fields.remove(header::CONTENT_LENGTH);
    } else if fields.get_all(header::CONTENT_LENGTH).iter().count() > 1
        && let Some(length) = fields.get(header::CONTENT_LENGTH).cloned()
    {
        fields.insert(header::CONTENT_LENGTH, length);
    }
}
