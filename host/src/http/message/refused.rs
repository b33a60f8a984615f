//! What makes a request one that is not served, as its bytes alone show.

use ::http::{Method, Response, StatusCode};

use super::{ResponseBody, reply};

/// What is wrong with the bytes of a request. Each is the client's fault, and nothing behind it on its connection can
/// be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// More empty lines before a request line than any client sends.
    EmptyLines,
    /// A line that ends in neither CR LF nor LF.
    LineEnd,
    /// What comes first is no method (RFC 9110 §9.1).
    Method,
    /// A blank or a control character within the target (RFC 9112 §3.2).
    Target,
    /// A fragment (RFC 9110 §7.1: it is not sent).
    Fragment,
    /// A target in no form that a request has (RFC 9112 §3.2).
    Form,
    /// A version other than HTTP/1.0 and HTTP/1.1, or none.
    Version,
    /// The preface of HTTP/2 where that is not spoken.
    Http2,
    /// HTTP/1.1 where nothing but HTTP/2 is spoken.
    Http1,
    /// A line of the head that is no field (RFC 9112 §5).
    Field,
    /// Content-Length and Transfer-Encoding in one head.
    LengthAndEncoding,
    /// More than one Content-Length.
    RepeatedLength,
    /// More than one Transfer-Encoding, or a coding other than `chunked`.
    Encoding,
    /// Transfer-Encoding in HTTP/1.0, which does not know it (RFC 9112 §6.1).
    EarlyEncoding,
    /// A Content-Length that is not a plain number.
    Length,
    /// Chunks that are not as RFC 9112 §7.1 has them.
    Chunks,
    /// An expectation other than `100-continue` (RFC 9110 §10.1.1).
    Expectation,
    /// A head of more bytes than are taken.
    LongHead,
    /// A head of more fields than are taken.
    ManyFields,
    /// A target of more bytes than are taken.
    LongTarget,
    /// A pseudo-header field of HTTP/2 that is missing or not what it has to be (RFC 9113 §8.3).
    Pseudo,
    /// `:authority` and Host name different hosts (RFC 9113 §8.3.1).
    Authorities,
    /// Something else about the head.
    Head,
}

impl Violation {
    /// The sentence for the client.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::EmptyLines => "there are too many empty lines before the request",
            Self::LineEnd => "a line of the head does not end in CR LF",
            Self::Method => "the request does not begin with a method",
            Self::Target => "the target holds a blank or a control character, which is sent percent-encoded",
            Self::Fragment => "the target holds a `#`, which is sent as %23",
            Self::Form => "the target is neither a path nor a URL",
            Self::Version => "the version is neither HTTP/1.0 nor HTTP/1.1",
            Self::Http2 => {
                "HTTP/2 is not spoken here: it is off, or the connection did not begin with it (with TLS, by ALPN)"
            }
            Self::Http1 => "nothing but HTTP/2 is spoken here: say so by ALPN, or begin with it (prior knowledge)",
            Self::Field => "a line of the head is not `name: value`",
            Self::LengthAndEncoding => "a request has either Content-Length or Transfer-Encoding, not both",
            Self::RepeatedLength => "a request has one Content-Length",
            Self::Encoding => "the only Transfer-Encoding that is understood is a single `chunked`",
            Self::EarlyEncoding => "HTTP/1.0 has no Transfer-Encoding",
            Self::Length => "Content-Length is not a number",
            Self::Chunks => "the chunks of the body are malformed",
            Self::Expectation => "the only expectation that is understood is `100-continue`",
            Self::LongHead => "the head is too long",
            Self::ManyFields => "the head has too many fields",
            Self::LongTarget => "the target is too long",
            Self::Pseudo => "a pseudo-header field is missing or malformed",
            Self::Authorities => "`:authority` and Host name different hosts",
            Self::Head => "the head is malformed",
        }
    }

    /// The response's status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Version | Self::Http2 | Self::Http1 => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::LongHead | Self::ManyFields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::LongTarget => StatusCode::URI_TOO_LONG,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// A request that is not served, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong with it.
    pub violation: Violation,
    /// Its method, if it begins with one.
    pub method: Option<Method>,
    /// Its target, cut after 1 KiB, and what is no text replaced. To be escaped before it is shown: it may hold
    /// anything.
    pub target: String,
    /// How its client hears of it.
    pub hears: RefusalForm,
}

/// How a client hears that its request is not served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefusalForm {
    /// By a response.
    #[default]
    Response,
    /// By one that it reads a status of gRPC in.
    Grpc,
    /// By none: its stream is reset (RFC 9113 §8.1.1).
    Reset,
}

/// Bytes that are kept of a request line that is refused.
pub(in crate::http) const SHOWN: usize = 1024;

impl Refused {
    /// One whose request line begins with `line`.
    pub(in crate::http) fn new(violation: Violation, line: &[u8]) -> Self {
        let mut words = line.split(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
        let method = words.next().and_then(|word| Method::from_bytes(word).ok());
        let target = if method.is_some() { words.next() } else { None };
        let target = target.map(|target| String::from_utf8_lossy(target).into_owned()).unwrap_or_default();
        Self { violation, method, target, hears: RefusalForm::Response }
    }

    /// The response: a sentence, and the end of the connection.
    #[must_use]
    pub fn reply(&self) -> Response<ResponseBody> {
        reply::last_sentence(self.violation.status(), self.violation.explain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_refused_line_is_told_what_could_be_read() {
        for (line, method, target) in [
            (&b"GET /a b HTTP/1.1"[..], Some("GET"), "/a"),
            (b"GET /caf\xe9#x HTTP/1.1", Some("GET"), "/caf\u{fffd}#x"),
            (b"GET /\x1b HTTP/1.1", Some("GET"), "/\u{1b}"),
            (b"PURGE\r\n", Some("PURGE"), ""),
            (b"\x16\x03\x01", None, ""),
            (b"G(T /x HTTP/1.1", None, ""),
            (b"", None, ""),
        ] {
            let refused = Refused::new(Violation::Head, line);

            assert_eq!(refused.method.as_ref().map(Method::as_str), method, "{line:?}");
            assert_eq!(refused.target, target, "{line:?}");
        }
    }
}
