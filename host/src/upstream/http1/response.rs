//! The head of an answer (RFC 9112 §4, §6.3), in the parser that hyper uses.

use std::mem::MaybeUninit;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::{Method, Response, StatusCode, Version};
use bytes::Bytes;

use super::coding::Coding;
use super::error::Broken;
use crate::http::{Chunks, end_of_lines, length_from};

/// Bytes of the longest head that is taken; hyper's limit.
pub(super) const LONGEST_HEAD: usize = 400 * 1024;

/// Fields that a head may have; hyper's limit.
const MOST_FIELDS: usize = 100;

/// An answer without its body. Whatever version the endpoint speaks, what is passed on is ours (RFC 9110 §2.5).
#[derive(Debug)]
pub(super) struct Head {
    pub(super) response: Response<()>,
    pub(super) body: Marked,
    /// Whether the endpoint keeps the connection open behind the body.
    pub(super) persists: bool,
}

/// How the body of an answer is marked out (RFC 9112 §6.3).
#[derive(Debug)]
pub(super) enum Marked {
    /// There is none.
    Empty,
    /// One in this coding.
    Coded(Coding),
    /// What follows is no HTTP.
    Switched,
}

/// Reads the head at the start of `unread`, and takes it out; none if it is not all there. Interim answers before it are
/// taken out and passed over (RFC 9110 §15.2); `continues` is set if one of them asks for the body.
///
/// # Errors
/// [`Broken`] if it is none, or too long.
pub(super) fn read(unread: &mut Bytes, method: &Method, continues: &mut bool) -> Result<Option<Head>, Broken> {
    loop {
        let Some(head) = read_one(unread, method)? else { return Ok(None) };
        let status = head.response.status();
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Some(head));
        }
        *continues |= status == StatusCode::CONTINUE;
    }
}

fn read_one(unread: &mut Bytes, method: &Method) -> Result<Option<Head>, Broken> {
    let mut room = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let result = parser.parse_response_with_uninit_headers(&mut parsed, unread, &mut room);
    let length = match result.map_err(Broken::Head)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    if length > LONGEST_HEAD {
        return Err(Broken::LongHead);
    }
    let status = StatusCode::from_u16(parsed.code.unwrap_or_default()).map_err(::http::Error::from)?;
    let version = if parsed.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    let mut fields = HeaderMap::with_capacity(parsed.headers.len());
    let mut persistence = Persistence::of(version);
    for field in &*parsed.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(::http::Error::from)?;
        let value = HeaderValue::from_maybe_shared(unread.slice_ref(field.value)).map_err(::http::Error::from)?;
        if name == header::CONNECTION {
            persistence.hear(&value);
        }
        fields.append(name, value);
    }
    let body = marked(&mut fields, status, version, method)?;
    let mut response = Response::new(());
    if let Some(reason) = parsed.reason
        && Some(reason) != status.canonical_reason()
        && let Ok(reason) = hyper::ext::ReasonPhrase::try_from(reason.as_bytes())
    {
        response.extensions_mut().insert(reason);
    }
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    drop(unread.split_to(length));
    Ok(Some(Head { response, body, persists: persistence.persists() }))
}

fn marked(fields: &mut HeaderMap, status: StatusCode, version: Version, method: &Method) -> Result<Marked, Broken> {
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Marked::Switched);
    }
    let length = said_length(fields);
    let never = status.is_informational() || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    if never || *method == Method::HEAD {
        return Ok(Marked::Empty);
    }
    let mut codings = fields.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next_back() {
        if version == Version::HTTP_10 {
            return Err(Broken::Framing("a Transfer-Encoding, which HTTP/1.0 does not know"));
        }
        let last = coding.as_bytes().rsplit(|byte| *byte == b',').next().unwrap_or_default();
        let chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
        return Ok(Marked::Coded(if chunked { Coding::Chunked(Chunks::default()) } else { Coding::UntilClose }));
    }
    Ok(match length? {
        Some(0) => Marked::Empty,
        Some(length) => Marked::Coded(Coding::Length(length)),
        None => Marked::Coded(Coding::UntilClose),
    })
}

/// The length that an answer says. The same one many times is one length, and is passed on as one (RFC 9110 §8.6).
fn said_length(fields: &mut HeaderMap) -> Result<Option<u64>, Broken> {
    let (mut length, mut times) = (None, 0);
    let values = fields.get_all(header::CONTENT_LENGTH).iter();
    for value in values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')) {
        let number = length_from(value.trim_ascii()).ok_or(Broken::Framing("a Content-Length that is no number"))?;
        if length.replace(number).is_some_and(|before| before != number) {
            return Err(Broken::Framing("two lengths"));
        }
        times += 1;
    }
    if let Some(length) = length
        && times > 1
    {
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(length)
}

/// What the Connection fields say about the time after this answer (RFC 9112 §9.3).
struct Persistence {
    keeps: bool,
    closes: bool,
}

impl Persistence {
    fn of(version: Version) -> Self {
        Self { keeps: version == Version::HTTP_11, closes: false }
    }

    fn hear(&mut self, value: &HeaderValue) {
        for token in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.closes |= token.eq_ignore_ascii_case(b"close");
            self.keeps |= token.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn persists(&self) -> bool {
        self.keeps && !self.closes
    }
}

/// Whether a head may end in `unread`, of which the bytes before `searched` have been looked at before: parsing it again
/// for each piece of it would take the square of its length.
pub(super) fn may_end(unread: &[u8], searched: usize) -> bool {
    searched == 0 || unread.get(searched.saturating_sub(3)..).and_then(end_of_lines).is_some()
}
