//! What fields may be in HTTP/2 (RFC 9113 §8.2).

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::http::message::named_by_connection;

/// Fields that are about a connection, and that HTTP/2 must not carry (RFC 9113 §8.2.2); with the settings that RFC 7540
/// §3.2.1 had for a switch of protocols.
const OF_CONNECTIONS: [HeaderName; 6] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// Whether fields that came may be taken for what they say: those of requests, responses and trailers alike.
///
/// Names are lower case and, but for `"`, of the characters that names have, and values free of CR, LF, NUL and other
/// control characters where this is called: the library and the types see to that.
///
/// # Errors
/// What is wrong, as the end of a sentence; the message is malformed (RFC 9113 §8.1.1).
pub fn check_fields(fields: &HeaderMap) -> Result<(), &'static str> {
    for (name, value) in fields {
        if is_padded(value.as_bytes()) {
            return Err("a field's value begins or ends with a blank");
        }
        // No name has it (RFC 9110 §5.6.2), and the library takes it for one that does.
        if name.as_str().contains('"') {
            return Err("a field's name has a quotation mark");
        }
        // All but one of these begin with one of five letters: no search for most names.
        if matches!(name.as_str().as_bytes().first(), Some(b'c' | b'k' | b'p' | b't' | b'u'))
            && OF_CONNECTIONS.iter().take(5).any(|of_connection| name == of_connection)
        {
            return Err("it has a field that is about a connection");
        }
        if name == header::TE && !value.as_bytes().eq_ignore_ascii_case(b"trailers") {
            return Err("its TE asks for more than trailers");
        }
    }
    Ok(())
}

/// Removes what HTTP/2 must not carry, fields that `Connection` names among it. TE may say `trailers` and nothing else.
pub fn strip_for_http2(fields: &mut HeaderMap) {
    // One pass over the names that are there costs less than a search for each that might be.
    let (mut about_connection, mut has_te) = (false, false);
    for name in fields.keys() {
        about_connection |= OF_CONNECTIONS.contains(name);
        has_te |= name == header::TE;
    }
    if about_connection {
        for name in named_by_connection(fields) {
            fields.remove(name);
        }
        for name in &OF_CONNECTIONS {
            fields.remove(name);
        }
    }
    if has_te {
        let accepts_trailers = crate::http::list(fields, &header::TE).any(|member| {
            let coding = member.split(|byte| *byte == b';').next().unwrap_or_default();
            coding.trim_ascii().eq_ignore_ascii_case(b"trailers")
        });
        fields.remove(header::TE);
        if accepts_trailers {
            fields.insert(header::TE, HeaderValue::from_static("trailers"));
        }
    }
}

/// Makes one `Cookie` of the pieces that HTTP/2 may send it in (RFC 9113 §8.2.3).
pub fn join_cookies(fields: &mut HeaderMap) {
    let mut pieces = fields.get_all(header::COOKIE).iter();
    if pieces.nth(1).is_none() {
        return;
    }
    let mut joined = Vec::new();
    for piece in fields.get_all(header::COOKIE) {
        if !joined.is_empty() {
            joined.extend_from_slice(b"; ");
        }
        joined.extend_from_slice(piece.as_bytes());
    }
    // Made of values and a separator that may stand in values.
    if let Ok(joined) = HeaderValue::from_maybe_shared(bytes::Bytes::from(joined)) {
        fields.insert(header::COOKIE, joined);
    }
}

fn is_padded(value: &[u8]) -> bool {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    is_blank(value.first()) || is_blank(value.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (name, value) in lines {
            fields.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        fields
    }

    #[test]
    fn fields_that_http2_must_not_carry_make_a_message_malformed() {
        for good in [
            &[][..],
            &[("a", "")],
            &[("a", "b c\td")],
            &[("te", "trailers")],
            &[("te", "Trailers")],
            &[("user-agent", "x")],
        ] {
            assert_eq!(check_fields(&fields(good)), Ok(()), "{good:?}");
        }
        for bad in [
            ("a", " b"),
            ("a", "b "),
            ("a", "\tb"),
            ("a", "b\t"),
            ("a", " "),
            ("connection", "close"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "close"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("te", "gzip"),
            ("te", "trailers, gzip"),
            ("te", ""),
        ] {
            assert!(check_fields(&fields(&[("x", "1"), bad])).is_err(), "{bad:?}");
        }
        let quoted = HeaderName::from_lowercase(b"a\"b").unwrap();
        assert!(check_fields(&HeaderMap::from_iter([(quoted, HeaderValue::from_static("1"))])).is_err());
    }

    #[test]
    fn what_is_about_connections_goes_with_what_it_names() {
        let mut given = fields(&[
            ("connection", "X-Private, te, content-length"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "close"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA"),
            ("te", "gzip"),
            ("te", "trailers;q=0.5, deflate"),
            ("content-length", "5"),
            ("trailer", "x-sum"),
            ("x-public", "2"),
        ]);

        strip_for_http2(&mut given);

        assert_eq!(
            given,
            fields(&[("te", "trailers"), ("content-length", "5"), ("trailer", "x-sum"), ("x-public", "2")])
        );
        let mut without = fields(&[("te", "gzip, deflate;q=0.5")]);
        strip_for_http2(&mut without);
        assert!(without.is_empty());
    }

    #[test]
    fn cookies_in_pieces_become_one() {
        let mut given = fields(&[("cookie", "a=b"), ("x", "1"), ("cookie", "c=d; e=f"), ("cookie", "g=\u{e9}")]);
        join_cookies(&mut given);
        assert_eq!(given, fields(&[("cookie", "a=b; c=d; e=f; g=\u{e9}"), ("x", "1")]));

        for unchanged in [&[("x", "1")][..], &[("cookie", "a=b")]] {
            let mut given = fields(unchanged);
            join_cookies(&mut given);
            assert_eq!(given, fields(unchanged));
        }
    }
}
