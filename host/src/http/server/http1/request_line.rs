//! Request lines (RFC 9112 §3): what is wrong with one, and targets that stand in it as they may not.
//!
//! ```text
//! GET /caf<e9>?q="x" HTTP/1.1   as the client sent it
//! GET /caf%E9?q=%22x%22 HTTP/1.1   as the parser gets it; the query `q="x"` goes beside
//! ```
//!
//! curl, browsers and old applications send characters that RFC 3986 has escaped, and every server takes them. As
//! Apache does, they are escaped in a path, before a decider reads it, and go on as they are in a query.

use ::http::Uri;
use memchr::memchr;

use crate::http::message::{Violation, escape_path, escape_to};

/// Whether there is nothing about `line` that [`escape_target`] would find. Every request pays for it: the pass over
/// the target is one that the compiler makes a vectorised one.
pub(super) fn is_ordinary(line: &[u8]) -> bool {
    let odd = |byte: u8| byte <= b' ' || byte >= 0x7f || matches!(byte, b'"' | b'#' | b'<' | b'>' | b'`');
    let Some(line) = line.strip_suffix(b" HTTP/1.1\r\n") else { return false };
    let Some((method, target)) = memchr(b' ', line).and_then(|blank| line.split_at_checked(blank)) else {
        return false;
    };
    !method.is_empty()
        && method.iter().all(u8::is_ascii_uppercase)
        && target.starts_with(b" /")
        && !target.iter().skip(1).fold(false, |found, byte| found | odd(*byte))
}

/// What is wrong with the request line at the start of `head`, as far as it has come.
pub(super) fn check(head: &[u8]) -> Result<(), Violation> {
    let (line, whole) = match memchr(b'\n', head) {
        Some(end) => (head.split_at(end).0, true),
        None => (head, false),
    };
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Some((method, rest)) = split_once(line, |byte| !is_token(byte)) else {
        return if whole { Err(Violation::Method) } else { Ok(()) };
    };
    let Some(rest) = rest.strip_prefix(b" ").filter(|_| !method.is_empty()) else { return Err(Violation::Method) };
    let Some((target, rest)) = split_once(rest, |byte| byte <= b' ' || byte == 0x7f) else {
        return if whole { Err(Violation::Version) } else { Ok(()) };
    };
    let Some(version) = rest.strip_prefix(b" ").filter(|_| !target.is_empty()) else { return Err(Violation::Target) };
    if target.contains(&b'#') {
        return Err(Violation::Fragment);
    }
    match version {
        b"HTTP/1.1" | b"HTTP/1.0" => Ok(()),
        part if !whole && b"HTTP/1.".starts_with(part) => Ok(()),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            Err(Violation::Version)
        }
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', b'\r', ..] => Err(Violation::LineEnd),
        // `/a b HTTP/1.1`
        other if other.contains(&b' ') => Err(Violation::Target),
        _ => Err(Violation::Version),
    }
}

/// Bytes of the longest target that the parser takes, escaped.
const LONGEST: usize = u16::MAX as usize - 1;

/// A head whose target has been escaped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Escaped {
    /// As the parser takes it.
    pub(super) head: Vec<u8>,
    /// The query as it came, if it had something to escape. Bytes that are no text stay escaped: plugins are given
    /// text.
    pub(super) query: Option<String>,
}

/// Escapes what the parser would not take in the target of the complete `head`; none if there is nothing.
///
/// # Errors
/// What is wrong with its request line.
pub(super) fn escape_target(head: &[u8]) -> Result<Option<Escaped>, Violation> {
    check(head)?;
    let parts = split_once(head, |byte| byte == b' ').and_then(|(method, rest)| {
        let (target, end) = split_once(rest.get(1..)?, |byte| byte == b' ')?;
        Some((method, target, end))
    });
    let Some((method, target, end)) = parts else { return Err(Violation::Target) };
    if target.len() > LONGEST {
        return Err(Violation::LongTarget);
    }
    let (origin, path_and_query) = target.split_at(start_of_path(target));
    let (path, query) = match memchr(b'?', path_and_query) {
        Some(at) => (path_and_query.split_at(at).0, path_and_query.get(at + 1..)),
        None => (path_and_query, None),
    };
    let mut escaped = [origin, &escape_path(path)].concat();
    let mut raw = None;
    if let Some(query) = query {
        escaped.push(b'?');
        let before = escaped.len();
        escape_to(&mut escaped, query, |byte| !byte.is_ascii() || matches!(byte, b'"' | b'<' | b'>'));
        raw = (escaped.get(before..) != Some(query)).then(|| text(query));
    }
    if Uri::try_from(escaped.as_slice()).is_err() {
        return Err(if escaped.len() > LONGEST { Violation::LongTarget } else { Violation::Form });
    }
    if escaped == target {
        return Ok(None);
    }
    let head = [method, b" ", &escaped, end].concat();
    Ok(Some(Escaped { head, query: raw }))
}

/// Where the path of a target begins: behind the authority, if there is one.
fn start_of_path(target: &[u8]) -> usize {
    if target.starts_with(b"/") {
        return 0;
    }
    let Some(scheme) = memchr::memmem::find(target, b"://") else { return target.len() };
    let authority = scheme + b"://".len();
    let mut rest = target.iter().enumerate().skip(authority);
    rest.find(|(_, byte)| matches!(byte, b'/' | b'?')).map_or(target.len(), |(at, _)| at)
}

/// `bytes` as text; what is none is escaped.
fn text(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.extend_from_slice(chunk.valid().as_bytes());
        escape_to(&mut text, chunk.invalid(), |_| true);
    }
    // Nothing is left to replace.
    String::from_utf8_lossy(&text).into_owned()
}

/// Whether `byte` may stand in a method (RFC 9110 §5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What stands before the first byte that `ends`, and the rest with it.
fn split_once(bytes: &[u8], ends: impl Fn(u8) -> bool) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| ends(*byte))?;
    Some(bytes.split_at(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(target: &[u8]) -> Vec<u8> {
        [b"GET ", target, b" HTTP/1.1\r\nhost: h\r\n\r\n"].concat()
    }

    /// The target for the parser, and the query beside it.
    fn escaped(target: &[u8]) -> Result<(String, Option<String>), Violation> {
        let found = escape_target(&line(target))?;
        let Some(Escaped { head, query }) = found else {
            return Ok((String::from_utf8(target.to_vec()).unwrap(), None));
        };
        let head = String::from_utf8(head).unwrap();
        let (start, rest) = head.split_once(" HTTP/1.1").unwrap();
        assert_eq!(rest, "\r\nhost: h\r\n\r\n", "the rest stays");
        Ok((start.strip_prefix("GET ").unwrap().to_owned(), query))
    }

    #[test]
    fn targets_that_the_parser_does_not_take_are_escaped() {
        let cases: &[(&[u8], &str, Option<&str>)] = &[
            (b"/plain?a=b", "/plain?a=b", None),
            (b"/a\"b<c>`{|}^\\[]", "/a%22b%3Cc%3E%60%7B%7C%7D%5E%5C%5B%5D", None),
            (b"/caf\xc3\xa9", "/caf%C3%A9", None),
            (b"/caf\xe9/\xff", "/caf%E9/%FF", None),
            (b"/a%22b", "/a%22b", None),
            (b"/?a=\"<b>\"`{}", "/?a=%22%3Cb%3E%22`{}", Some("a=\"<b>\"`{}")),
            (b"/?q=caf\xc3\xa9", "/?q=caf%C3%A9", Some("q=caf\u{e9}")),
            (b"/?q=caf\xe9\"", "/?q=caf%E9%22", Some("q=caf%E9\"")),
            (b"/\"??<", "/%22??%3C", Some("?<")),
            (b"/\"?a=`", "/%22?a=`", None),
            (b"http://h:1/a\"?\"", "http://h:1/a%22?%22", Some("\"")),
            (b"http://h?<", "http://h?%3C", Some("<")),
            (b"*", "*", None),
            (b"h:443", "h:443", None),
        ];
        for (target, expected, query) in cases {
            let found = escaped(target);

            assert_eq!(found, Ok(((*expected).to_owned(), query.map(str::to_owned))), "{}", target.escape_ascii());
        }
    }

    #[test]
    fn nothing_is_ordinary_that_a_closer_look_would_find() {
        let mut lines: Vec<Vec<u8>> =
            [&b"GET"[..], b"GET ", b"GET / HTTP/1.0\r\n", b"GET / HTTP/1.1\n", b" / HTTP/1.1\r\n"]
                .into_iter()
                .map(<[u8]>::to_vec)
                .collect();
        for byte in 0..=0xff {
            let target = [b"GET /", [byte].as_slice(), b" HTTP/1.1\r\n"].concat();
            let query = [b"GET /?", [byte].as_slice(), b" HTTP/1.1\r\n"].concat();
            let method = [b"G", [byte].as_slice(), b"T / HTTP/1.1\r\n"].concat();
            let begin = [b"GET ", [byte].as_slice(), b" HTTP/1.1\r\n"].concat();
            lines.extend([target, query, method, begin]);
        }
        for line in lines {
            let head = [line.as_slice(), b"host: h\r\n\r\n"].concat();
            let found = escape_target(&head);

            // What only the path has to be escaped for, and the parser takes, is seen to when it is read.
            let harmless = found.as_ref().is_ok_and(|found| found.as_ref().is_none_or(|new| new.query.is_none()));
            assert!(!is_ordinary(&line) || harmless, "{}: {found:?}", line.escape_ascii());
            if let Ok(escaped) = found {
                let head = escaped.map_or(head, |escaped| escaped.head);
                let mut fields = [httparse::EMPTY_HEADER; 2];
                let mut request = httparse::Request::new(&mut fields);
                assert_eq!(request.parse(&head), Ok(httparse::Status::Complete(head.len())), "{}", head.escape_ascii());
                assert!(request.path.unwrap().parse::<Uri>().is_ok(), "{}", head.escape_ascii());
            }
        }
        assert!(is_ordinary(b"GET /a/b;c?d={e}|f%20 HTTP/1.1\r\n"), "what is sent every day");
    }

    #[test]
    fn what_is_no_request_line_is_told() {
        let cases: &[(&[u8], Violation)] = &[
            (b"\x16\x03\x01", Violation::Method),
            (b" GET / HTTP/1.1\r\n", Violation::Method),
            (b"G(T / HTTP/1.1\r\n", Violation::Method),
            (b"GET\r\n", Violation::Method),
            (b"GET\t/ HTTP/1.1\r\n", Violation::Method),
            (b"GET  / HTTP/1.1\r\n", Violation::Target),
            (b"GET /a b HTTP/1.1\r\n", Violation::Target),
            (b"GET /a\tb HTTP/1.1\r\n", Violation::Target),
            (b"GET /\x7f HTTP/1.1\r\n", Violation::Target),
            (b"GET /\x00", Violation::Target),
            (b"GET /a#b HTTP/1.1\r\n", Violation::Fragment),
            (b"GET /?a#b HTTP/1.1\r\n", Violation::Fragment),
            (b"GET /\r\n", Violation::Version),
            (b"GET / HTTP/2.0\r\n", Violation::Version),
            (b"GET / HTTP/0.9\r\n", Violation::Version),
            (b"GET / HTTP/1.2\r\n", Violation::Version),
            (b"GET / HTTP/1.1x\r\n", Violation::Version),
            (b"GET / http/1.1\r\n", Violation::Version),
            (b"GET / FTP", Violation::Version),
            (b"PRI * HTTP/2.0\r\n", Violation::Version),
            (b"GET / HTTP/1.1\rhost: h\r\n", Violation::LineEnd),
        ];
        for (head, expected) in cases {
            assert_eq!(check(head), Err(*expected), "{}", head.escape_ascii());
        }
        for target in [&b"relative/path"[..], b"http://", b"//\xff://", b"http://\xe9/", b"?a"] {
            let found = escape_target(&line(target));
            assert!(found == Err(Violation::Form) || target.starts_with(b"//"), "{}: {found:?}", target.escape_ascii());
        }
        assert_eq!(escape_target(&line(&[b"/".as_slice(), &[0xe9; 30_000]].concat())), Err(Violation::LongTarget));
    }

    #[test]
    fn a_line_that_has_not_come_whole_is_not_judged_before() {
        let whole = b"OPTIONS http://h/a?b HTTP/1.0\r\n";
        for end in 0..=whole.len() {
            assert_eq!(check(&whole[..end]), Ok(()), "{}", whole[..end].escape_ascii());
        }
    }
}
