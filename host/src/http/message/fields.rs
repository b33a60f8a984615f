//! The fields of a head on their way to an endpoint.

use std::borrow::Cow;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::hop;
use crate::net::joined;

/// Fields in the order in which they are written.
///
/// A list, because a head is made to be written once: for the few fields that heads have, a search costs less than
/// hashing every name. Names and values that stay as they are stay where they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields<'a> {
    list: Vec<(Cow<'a, HeaderName>, Cow<'a, HeaderValue>)>,
    accepts_trailers: bool,
}

/// Room for what a gateway puts in: Host's relatives, Forwarded, Connection and Upgrade.
const OWN: usize = 8;

impl<'a> Fields<'a> {
    /// What of `headers` goes on to an endpoint (RFC 9110 §7.6.1): no field of the client's hop, none that its
    /// Connection names, and neither Host nor Content-Length, which are written with each request.
    #[must_use]
    pub fn end_to_end(headers: &'a HeaderMap) -> Self {
        let named = hop::named_by_connection(headers);
        let mut list = Vec::with_capacity(headers.len() + OWN);
        let mut accepts_trailers = false;
        for (name, value) in headers {
            let ours = name == header::HOST || name == header::CONTENT_LENGTH || hop::is_hop_by_hop(name);
            if !ours && !named.contains(name) {
                list.push((Cow::Borrowed(name), Cow::Borrowed(value)));
            } else if name == header::TE {
                accepts_trailers |= has_trailers(value);
            }
        }
        Self { list, accepts_trailers }
    }

    /// Whether the client takes trailers (`TE: trailers`, RFC 9110 §10.1.4). The field itself is for one hop: a
    /// protocol that passes trailers on says it anew.
    #[must_use]
    pub fn accepts_trailers(&self) -> bool {
        self.accepts_trailers
    }

    /// Whether there is a field `name`.
    #[must_use]
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.list.iter().any(|(there, _)| **there == *name)
    }

    /// Whether `matches` says yes to any name.
    pub fn any(&self, matches: impl Fn(&HeaderName) -> bool) -> bool {
        self.list.iter().any(|(name, _)| matches(name))
    }

    /// Every value of `name`.
    pub fn all<'s>(&'s self, name: &'s HeaderName) -> impl Iterator<Item = &'s HeaderValue> {
        self.list.iter().filter(move |(there, _)| **there == *name).map(|(_, value)| &**value)
    }

    /// Takes away every field that `matches`.
    pub fn remove(&mut self, matches: impl Fn(&HeaderName) -> bool) {
        self.list.retain(|(name, _)| !matches(name));
    }

    /// Makes `value` the only one of `name`.
    pub fn set(&mut self, name: impl Into<Cow<'a, HeaderName>>, value: impl Into<Cow<'a, HeaderValue>>) {
        let name = name.into();
        if self.contains(&name) {
            self.remove(|there| *there == *name);
        }
        self.push(name, value);
    }

    /// Adds a field behind those that are there, of whatever name.
    pub fn push(&mut self, name: impl Into<Cow<'a, HeaderName>>, value: impl Into<Cow<'a, HeaderValue>>) {
        self.list.push((name.into(), value.into()));
    }

    /// Puts `value` behind what fields of this name say: at the end of the last one, if its values are a list.
    pub fn append(&mut self, name: &'a HeaderName, value: HeaderValue) {
        let last = self.list.iter_mut().rev().find(|(there, _)| **there == *name);
        match last.and_then(|(_, there)| Some((joined(name, there, &value)?, there))) {
            Some((both, there)) => *there = Cow::Owned(both),
            None => self.push(Cow::Borrowed(name), Cow::Owned(value)),
        }
    }

    /// Every field, in the order in which they are written.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.list.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// Whether a value of TE names trailers.
fn has_trailers(value: &HeaderValue) -> bool {
    value.as_bytes().split(|byte| *byte == b',').any(|member| member.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fields: &Fields<'_>) -> String {
        fields.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect()
    }

    #[test]
    fn what_belongs_to_the_hop_or_is_written_anew_stays_behind() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "front.example"),
            ("connection", "keep-alive, X-Private , Upgrade"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("upgrade", "websocket"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("expect", "100-continue"),
            ("x-public", "2"),
            ("x-public", "3"),
        ] {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }

        let fields = Fields::end_to_end(&headers);

        assert_eq!(text(&fields), "x-public: 2\r\nx-public: 3\r\n");
        assert!(fields.accepts_trailers());
        headers.insert("te", HeaderValue::from_static("gzip;q=0.5"));
        assert!(!Fields::end_to_end(&headers).accepts_trailers());
    }

    #[test]
    fn setting_leaves_one() {
        let mut headers = HeaderMap::new();
        headers.append("a", HeaderValue::from_static("1"));
        headers.append("b", HeaderValue::from_static("2"));
        headers.append("a", HeaderValue::from_static("3"));
        let mut fields = Fields::end_to_end(&headers);

        fields.set(Cow::Owned(HeaderName::from_static("a")), Cow::Owned(HeaderValue::from_static("4")));

        assert_eq!(text(&fields), "b: 2\r\na: 4\r\n");
    }
}
