//! Values that a request carries under a name: in a cookie, in its path, in its query.
//!
//! Read as Apache's `mod_proxy_balancer` reads them, but for one thing: a name is never found inside of another one.

use ::http::HeaderMap;
use ::http::header::COOKIE;
use memchr::memmem;

/// Value of the first cookie `name`: it begins the header or follows `;`, `,` or a blank, and goes on to `;` or `,`.
/// Quotes are part of it. Cookies that are there without a value are passed over.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    headers.get_all(COOKIE).iter().find_map(|header| cookie_in(header.as_bytes(), name.as_bytes()))
}

fn cookie_in<'a>(header: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    memmem::find_iter(header, name).find_map(|at| {
        let (before, rest) = header.split_at_checked(at)?;
        let begins = before.last().is_none_or(|byte| matches!(byte, b';' | b',') || byte.is_ascii_whitespace());
        let value = rest.get(name.len()..)?.trim_ascii_start().strip_prefix(b"=")?;
        let value = until(value, b";,");
        (begins && !value.is_empty()).then_some(value)
    })
}

/// Value of the first `;name=value` in a path, up to the end of the segment or the next parameter.
pub(super) fn path_parameter<'a>(path: &'a str, name: &str) -> Option<&'a [u8]> {
    path.split('/').flat_map(|segment| segment.split(';').skip(1)).find_map(|pair| value(pair, name))
}

/// Value of the first `name=value` in a query, as sent. Pairs end at `&` or `;`.
pub(super) fn query_parameter<'a>(query: &'a str, name: &str) -> Option<&'a [u8]> {
    query.split(['&', ';']).find_map(|pair| value(pair, name))
}

fn value<'a>(pair: &'a str, name: &str) -> Option<&'a [u8]> {
    let value = pair.strip_prefix(name)?.strip_prefix('=')?;
    // Apache ends a value in the path at `&`, too.
    let value = until(value.as_bytes(), b"&");
    (!value.is_empty()).then_some(value)
}

fn until<'a>(text: &'a [u8], ends: &[u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| ends.contains(byte)).unwrap_or(text.len());
    text.split_at(end).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Option<&[u8]>) -> Option<&str> {
        value.map(|value| std::str::from_utf8(value).unwrap())
    }

    #[test]
    fn cookies_are_found_as_apache_finds_them() {
        let table: &[(&str, Option<&str>)] = &[
            ("sid=a.r1", Some("a.r1")),
            ("x=1; sid=a.r1; y=2", Some("a.r1")),
            ("x=1;sid=a.r1,y=2", Some("a.r1")),
            ("x=1 sid=a.r1", Some("a.r1")),
            ("sid = a.r1", Some(" a.r1")),
            ("xsid=a.r1", None),
            ("sidx=a.r1", None),
            ("xsid=a.r1; sid=a.r2", Some("a.r2")),
            ("SID=a.r1", None),
            ("sid=", None),
            ("sid=; sid=a.r2", Some("a.r2")),
            ("sid=\"a.r2\"", Some("\"a.r2\"")),
            ("sid", None),
            ("", None),
        ];
        for (header, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, header.parse().unwrap());

            assert_eq!(text(cookie(&headers, "sid")), *expected, "{header}");
        }
    }

    #[test]
    fn cookies_in_a_second_header_and_beside_strange_bytes_are_found() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, ::http::HeaderValue::from_bytes(b"x=\xff").unwrap());
        headers.append(COOKIE, "sid=.a".parse().unwrap());

        assert_eq!(text(cookie(&headers, "sid")), Some(".a"));
    }

    #[test]
    fn parameters_are_found_but_never_inside_of_other_names() {
        let paths: &[(&str, Option<&str>)] = &[
            ("/x;sid=abc.r1", Some("abc.r1")),
            ("/x;sid=abc.r1/y", Some("abc.r1")),
            ("/x;v=1;sid=abc.r1;w=2/y;sid=abc.r2", Some("abc.r1")),
            ("/x;sid=abc.r1&y", Some("abc.r1")),
            ("/x;xsid=abc.r1", None),
            ("/sid=abc.r1", None),
            ("/x;SID=abc.r1", None),
            ("/x;sid=", None),
        ];
        for (path, expected) in paths {
            assert_eq!(text(path_parameter(path, "sid")), *expected, "{path}");
        }
        let queries: &[(&str, Option<&str>)] = &[
            ("sid=abc.r1", Some("abc.r1")),
            ("x=1&sid=abc.r1&y=2", Some("abc.r1")),
            ("x=1;sid=abc.r1", Some("abc.r1")),
            ("xsid=abc.r1", None),
            ("sidx=abc.r1", None),
            ("Sid=abc.r1", None),
            ("sid=&sid=b.r2", Some("b.r2")),
            ("", None),
        ];
        for (query, expected) in queries {
            assert_eq!(text(query_parameter(query, "sid")), *expected, "{query}");
        }
    }
}
