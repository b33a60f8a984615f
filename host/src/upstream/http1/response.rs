//! The head of a response (RFC 9112 §4, §6.3), in the parser that hyper uses.

use std::mem::MaybeUninit;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::{Method, Response, StatusCode, Version};
use bytes::Bytes;

use super::super::HeadLimits;
use super::super::unreadable::{Excerpt, Unreadable};
use super::decoder::BodyDecoder;
use super::explain::explain;
use crate::http::{Chunks, end_of_lines, length_from};

/// Fields that there is room for without asking for memory: more than nearly every response has.
const USUAL_FIELDS: usize = 100;

/// A response without its body. Whatever version the endpoint speaks, what is passed on is ours (RFC 9110 §2.5).
#[derive(Debug)]
pub(super) struct ResponseHead {
    pub(super) response: Response<()>,
    pub(super) body: BodyFraming,
    /// Whether the endpoint keeps the connection open behind the body.
    pub(super) persists: bool,
}

/// How the body of a response is framed (RFC 9112 §6.3).
#[derive(Debug)]
pub(super) enum BodyFraming {
    /// There is none.
    Empty,
    /// One in this coding.
    Coded(BodyDecoder),
    /// What follows is no HTTP.
    Switched,
}

/// Reads the head at the start of `unread`, and takes it out; none if it is not all there. Interim responses before it
/// are taken out and given to `interim`.
///
/// # Errors
/// [`Unreadable`] if it is none, or too large.
pub(super) fn read(
    unread: &mut Bytes,
    method: &Method,
    limits: HeadLimits,
    interim: &mut dyn FnMut(StatusCode, &HeaderMap),
) -> Result<Option<ResponseHead>, Unreadable> {
    loop {
        skip_blank_lines(unread);
        let Some(head) = read_one(unread, method, limits)? else { return Ok(None) };
        let status = head.response.status();
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Some(head));
        }
        interim(status, head.response.headers());
    }
}

/// Drops blank lines before a head: some endpoints end a body with one too many. Kept, they would be looked at again
/// with each piece that comes.
fn skip_blank_lines(unread: &mut Bytes) {
    let blank = |at: usize| match unread.get(at..) {
        Some([b'\n', ..]) => 1,
        Some([b'\r', b'\n', ..]) => 2,
        _ => 0,
    };
    let mut length = 0;
    while let more @ 1.. = blank(length) {
        length += more;
    }
    if length > 0 {
        drop(unread.split_to(length));
    }
}

fn read_one(unread: &mut Bytes, method: &Method, limits: HeadLimits) -> Result<Option<ResponseHead>, Unreadable> {
    let mut room = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let usual = room.get_mut(..limits.fields.min(USUAL_FIELDS)).unwrap_or_default();
    let read = match parse(unread, usual, method, limits) {
        Err(Unreadable::Fields { .. }) if limits.fields > USUAL_FIELDS => {
            parse(unread, &mut vec![MaybeUninit::uninit(); limits.fields], method, limits)
        }
        read => read,
    };
    let Some((head, length)) = read? else { return Ok(None) };
    drop(unread.split_to(length));
    Ok(Some(head))
}

/// The head and its length, with `room` for its fields.
fn parse<'b>(
    unread: &'b Bytes,
    room: &mut [MaybeUninit<httparse::Header<'b>>],
    method: &Method,
    limits: HeadLimits,
) -> Result<Option<(ResponseHead, usize)>, Unreadable> {
    let mut parsed = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let result = parser.parse_response_with_uninit_headers(&mut parsed, unread, room);
    let length = match result.map_err(|error| explain(unread, error, limits.fields))? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    if length > limits.bytes {
        return Err(Unreadable::LongHead(limits.bytes));
    }
    let status = StatusCode::from_u16(parsed.code.unwrap_or_default())
        .map_err(|_no_status| explain(unread, httparse::Error::Status, limits.fields))?;
    let version = if parsed.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    let mut fields = HeaderMap::with_capacity(parsed.headers.len());
    let mut persistence = Persistence::of(version);
    for field in &*parsed.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes())
            .map_err(|_no_name| Unreadable::FieldName(Excerpt::of(field.name.as_bytes())))?;
        let value = HeaderValue::from_maybe_shared(unread.slice_ref(field.value))
            .map_err(|_no_value| Unreadable::FieldValue(Excerpt::of(field.name.as_bytes())))?;
        if name == header::CONNECTION {
            persistence.apply_connection_field(&value);
        }
        fields.append(name, value);
    }
    let body = framing_of(&mut fields, &mut persistence, status, version, method)?;
    let mut response = Response::new(());
    if let Some(reason) = parsed.reason
        && Some(reason) != status.canonical_reason()
        && let Ok(reason) = hyper::ext::ReasonPhrase::try_from(reason.as_bytes())
    {
        response.extensions_mut().insert(reason);
    }
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    Ok(Some((ResponseHead { response, body, persists: persistence.persists() }, length)))
}

/// Where the body ends. What a response says of that is judged even where there is no body: it is passed on, and
/// whoever reads it next may believe it.
fn framing_of(
    fields: &mut HeaderMap,
    persistence: &mut Persistence,
    status: StatusCode,
    version: Version,
    method: &Method,
) -> Result<BodyFraming, Unreadable> {
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(BodyFraming::Switched);
    }
    if status.is_informational() || status == StatusCode::NO_CONTENT {
        // They have neither body nor length (RFC 9110 §8.6), whatever they say.
        fields.remove(header::CONTENT_LENGTH);
        return Ok(BodyFraming::Empty);
    }
    let chunked = is_chunked(fields, version)?;
    let length = stated_length(fields)?;
    // The coding counts, and what follows on a connection that said both is not to be trusted (RFC 9112 §6.3).
    persistence.closes |= chunked && length.is_some();
    if status == StatusCode::NOT_MODIFIED || *method == Method::HEAD {
        return Ok(BodyFraming::Empty);
    }
    Ok(match length {
        _ if chunked => BodyFraming::Coded(BodyDecoder::Chunked(Chunks::default(), None)),
        Some(0) => BodyFraming::Empty,
        Some(length) => BodyFraming::Coded(BodyDecoder::Length(length)),
        None => BodyFraming::Coded(BodyDecoder::UntilClose),
    })
}

/// Whether the body comes in chunks. Under any other coding, or under several, the body would be passed on without the
/// name of what it is coded in.
fn is_chunked(fields: &HeaderMap, version: Version) -> Result<bool, Unreadable> {
    let mut codings = fields.get_all(header::TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(false) };
    if version == Version::HTTP_10 {
        return Err(Unreadable::OldCoding);
    }
    if !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
        return Err(Unreadable::Coding(Excerpt::of(coding.as_bytes())));
    }
    match codings.next() {
        None => Ok(true),
        Some(second) => {
            let both = [coding.as_bytes(), second.as_bytes()].join(&b", "[..]);
            Err(Unreadable::Coding(Excerpt::of(&both)))
        }
    }
}

/// The length that a response says. The same one many times is one length, and is passed on as one (RFC 9110 §8.6).
fn stated_length(fields: &mut HeaderMap) -> Result<Option<u64>, Unreadable> {
    let (mut length, mut times) = (None, 0);
    let values = fields.get_all(header::CONTENT_LENGTH).iter();
    for value in values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')) {
        let number = length_from(value.trim_ascii()).ok_or_else(|| Unreadable::Length(Excerpt::of(value)))?;
        if let Some(before) = length.replace(number).filter(|before| *before != number) {
            return Err(Unreadable::Lengths(before, number));
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

/// What the Connection fields say about the time after this response (RFC 9112 §9.3).
struct Persistence {
    keeps: bool,
    closes: bool,
}

impl Persistence {
    fn of(version: Version) -> Self {
        Self { keeps: version == Version::HTTP_11, closes: false }
    }

    fn apply_connection_field(&mut self, value: &HeaderValue) {
        for token in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.closes |= token.eq_ignore_ascii_case(b"close");
            self.keeps |= token.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn persists(&self) -> bool {
        self.keeps && !self.closes
    }
}

/// Whether a head may end in `unread`, of which the bytes before `searched` have been looked at before: parsing it
/// again for each piece of it would take the square of its length.
pub(super) fn may_end(unread: &[u8], searched: usize) -> bool {
    searched == 0 || unread.get(searched.saturating_sub(3)..).and_then(end_of_lines).is_some()
}
