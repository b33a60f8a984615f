//! `Set-Cookie`: `Path` and `Domain` are mapped, every other byte stays.

use std::ops::Range;

use crate::mapping::{BLANKS, Client, Mapping};

/// The field's new value, or none if nothing in it is the endpoint's own. `endpoint` is the URL of the one that
/// answered.
///
/// Of an attribute that is repeated the last counts, as for browsers (RFC 6265 §5.3) and Apache; the others stay.
#[must_use]
pub fn mapped(value: &str, mapping: &Mapping, client: Client<'_>, endpoint: &str) -> Option<String> {
    let Attributes { path, domain } = Attributes::of(value);
    let new = |of: Option<Range<usize>>, map: &dyn Fn(&str) -> Option<String>| {
        let range = of?;
        let old = value.get(range.clone())?;
        let new = map(old).filter(|new| new != old)?;
        Some((range, new))
    };
    let path = new(path, &|path| mapping.cookie_path(path, endpoint));
    let domain = new(domain, &|domain| mapping.cookie_domain(domain, client));
    let mut changes: Vec<_> = path.into_iter().chain(domain).collect();
    if changes.is_empty() {
        return None;
    }
    changes.sort_by_key(|(range, _)| range.start);
    let (mut mapped, mut at) = (String::with_capacity(value.len()), 0);
    for (range, new) in changes {
        mapped.push_str(value.get(at..range.start)?);
        mapped.push_str(&new);
        at = range.end;
    }
    mapped.push_str(value.get(at..)?);
    Some(mapped)
}

/// Where the values that count stand.
#[derive(Default)]
struct Attributes {
    path: Option<Range<usize>>,
    domain: Option<Range<usize>>,
}

impl Attributes {
    /// From the end, and no further than to what counts: a cookie may have a hundred thousand attributes.
    fn of(cookie: &str) -> Self {
        let mut found = Self::default();
        let mut end = cookie.len();
        for piece in cookie.as_bytes().rsplit(|byte| *byte == b';') {
            let start = end.saturating_sub(piece.len());
            let range = start..end;
            end = start.saturating_sub(1);
            // The first piece is the cookie itself, whatever it is called.
            if start == 0 {
                break;
            }
            if !may_count(piece) {
                continue;
            }
            let Some((name, value)) = cookie.get(range).map(|piece| piece.split_once('=').unwrap_or((piece, "")))
            else {
                continue;
            };
            let plain = value.trim_matches(BLANKS);
            let before = piece.len().saturating_sub(value.trim_start_matches(BLANKS).len());
            let at = start.saturating_add(before);
            let range = at..at.saturating_add(plain.len());
            match name.trim_matches(BLANKS) {
                // One without a value stands for the path of the request.
                name if name.eq_ignore_ascii_case("path") => _ = found.path.get_or_insert(range),
                // One without a value is none.
                name if name.eq_ignore_ascii_case("domain") && !plain.is_empty() => {
                    _ = found.domain.get_or_insert(range)
                }
                _ => {}
            }
            if found.path.is_some() && found.domain.is_some() {
                break;
            }
        }
        found.path = found.path.filter(|range| !range.is_empty());
        found
    }
}

/// Whether an attribute could be `Path` or `Domain`: said of each, so by its first letters alone.
fn may_count(attribute: &[u8]) -> bool {
    let blank = |byte: &u8| BLANKS.contains(&char::from(*byte));
    let name = attribute.iter().position(|byte| !blank(byte)).and_then(|at| attribute.get(at..)).unwrap_or(&[]);
    let begins = |with: &[u8]| name.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    begins(b"path") || begins(b"domain")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Route;

    fn mapping(path: &str, to_path: &str) -> Mapping {
        let origins = vec!["http://backend.example:8080".to_owned(), "ws://10.0.0.2/base".to_owned()];
        Mapping::new(Route { path: path.to_owned(), to_path: to_path.to_owned(), origins, ..Route::default() }, "")
            .unwrap()
    }

    #[test]
    fn path_and_domain_are_mapped_and_nothing_else() {
        let client = Client { secure: true, host: "public.example:8443" };
        let app = mapping("/pub", "/app");
        let table = [
            ("a=b; Path=/app/sub", Some("a=b; Path=/pub/sub")),
            ("a=b; path=/app; HttpOnly", Some("a=b; path=/pub; HttpOnly")),
            ("a=b; path=/application", None),
            ("a=b; path=/APP", None),
            ("a=b; path=/", None),
            ("a=b; path=\"/app\"", None),
            ("a=b;Path = /app ;Secure", Some("a=b;Path = /pub ;Secure")),
            ("fakepath=/app;path=/app", Some("fakepath=/app;path=/pub")),
            ("path=/app; x=/app", None),
            ("a=b; fakepath=/app", None),
            ("a=b; path=/app; path=/app/2", Some("a=b; path=/app; path=/pub/2")),
            ("a=b; path=/app; path=/other", None),
            ("a=b; path=/app; path=", None),
            ("a=b; path=/app; path", None),
            ("a=b; Domain=backend.example; domain=", Some("a=b; Domain=public.example; domain=")),
            ("a=b; Domain=backend.example; domain=other.example", None),
            ("a=b; Domain=backend.example;Path=/app;x", Some("a=b; Domain=public.example;Path=/pub;x")),
            ("a=caf\u{e9}\u{a0};path=/app/\u{a0}", Some("a=caf\u{e9}\u{a0};path=/pub/\u{a0}")),
            ("a=b; Domain=backend.example", Some("a=b; Domain=public.example")),
            ("a=b; DOMAIN=.Backend.example; Path=/app", Some("a=b; DOMAIN=.public.example; Path=/pub")),
            ("a=b; Domain=BACKEND.example.org", None),
            ("a=b; Domain=sub.backend.example", None),
            ("a=b; Path=; Domain=", None),
            ("a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT;;", None),
        ];

        for (value, expected) in table {
            let found = mapped(value, &app, client, "http://backend.example:8080");
            assert_eq!(found.as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_target_at_the_root_puts_cookies_below_the_route() {
        let client = Client { secure: false, host: "public.example" };
        let foo = mapping("/foo", "/");
        let table = [
            ("http://backend.example:8080", "a=b; Path=", None),
            ("http://backend.example:8080", "a=b; Path=/", Some("a=b; Path=/foo")),
            ("http://backend.example:8080", "a=b; Path=/x", Some("a=b; Path=/foo/x")),
            ("ws://10.0.0.2/base", "a=b; Path=/base/x", Some("a=b; Path=/foo/x")),
        ];

        for (endpoint, value, expected) in table {
            assert_eq!(mapped(value, &foo, client, endpoint).as_deref(), expected, "{endpoint} {value}");
        }
        assert_eq!(mapped("a=b; Path=/x", &mapping("/", "/"), client, "http://backend.example:8080"), None);
    }

    #[test]
    fn a_cookie_as_long_as_it_may_be_is_looked_at_once() {
        let client = Client { secure: false, host: "public.example" };
        let origins = (0..4096).map(|number| format!("http://b{number}.example/base{number}")).collect();
        let many = Mapping::new(Route { path: "/pub".into(), to_path: "/app".into(), origins, ..Route::default() }, "")
            .unwrap();
        let long = format!("a=b{}", ";path=/base4095/app".repeat(20_000));

        let mapped = mapped(&long, &many, client, "http://b7.example/base7").unwrap();

        assert!(mapped.ends_with(";path=/base4095/app;path=/pub"), "the last one counts");
        assert_eq!(mapped.len(), long.len() + "/pub".len() - "/base4095/app".len());
    }
}
