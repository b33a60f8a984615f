//! The trailer section of a response in chunks (RFC 9112 §7.1.2).

use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::super::Broken;
use super::super::unreadable::Excerpt;

/// Lines of trailers as they come. Their bytes are bounded by whoever follows the chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct TrailerSection(Vec<u8>);

impl TrailerSection {
    pub(super) fn push(&mut self, lines: &[u8]) {
        self.0.extend_from_slice(lines);
    }

    /// The fields, when all lines have come; at most `limit`.
    ///
    /// # Errors
    /// [`Broken::Trailers`]
    pub(super) fn read(&self, limit: usize) -> Result<HeaderMap, Broken> {
        let malformed = || Broken::Trailers(Excerpt::of(&self.0));
        let lines = self.0.iter().filter(|byte| **byte == b'\n').count();
        let mut room = vec![httparse::EMPTY_HEADER; lines.min(limit)];
        let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(&self.0, &mut room) else {
            return Err(malformed());
        };
        let mut trailers = HeaderMap::with_capacity(fields.len());
        for field in fields {
            let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_no_name| malformed())?;
            let value = HeaderValue::from_bytes(field.value).map_err(|_no_value| malformed())?;
            trailers.append(name, value);
        }
        Ok(trailers)
    }
}
