//! `Set-Cookie`: `Path` and `Domain` are mapped, every other byte stays.

use crate::mapping::{Client, Mapping};

/// The field's new value, or none if nothing in it is the endpoint's own. `endpoint` is the URL of the one that answered.
#[must_use]
pub fn mapped(value: &str, mapping: &Mapping, client: Client<'_>, endpoint: &str) -> Option<String> {
    let mut changed = false;
    // The first piece is the cookie itself, whatever it is called.
    let pieces = value.split(';').enumerate().map(|(number, piece)| {
        let new = if number == 0 { None } else { attribute(piece, mapping, client, endpoint) };
        changed |= new.is_some();
        new.unwrap_or_else(|| piece.to_owned())
    });
    let joined = pieces.collect::<Vec<_>>().join(";");
    changed.then_some(joined)
}

fn attribute(piece: &str, mapping: &Mapping, client: Client<'_>, endpoint: &str) -> Option<String> {
    let (name, value) = piece.split_once('=')?;
    let plain = Some(value.trim()).filter(|plain| !plain.is_empty())?;
    let new = match name.trim() {
        name if name.eq_ignore_ascii_case("path") => mapping.cookie_path(plain, endpoint)?,
        name if name.eq_ignore_ascii_case("domain") => mapping.cookie_domain(plain, client)?,
        _ => return None,
    };
    let (before, after) = value.split_once(plain)?;
    (new != plain).then(|| format!("{name}={before}{new}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Route;

    fn mapping(path: &str, to_path: &str) -> Mapping {
        let origins = vec!["http://backend.example:8080".to_owned(), "ws://10.0.0.2/base".to_owned()];
        Mapping::new(Route { path: path.to_owned(), to_path: to_path.to_owned(), origins }, "").unwrap()
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
            ("a=b; path=/app; path=/app/2", Some("a=b; path=/pub; path=/pub/2")),
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
}
