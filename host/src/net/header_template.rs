//! Values of header fields with variables, such as `$client_ip`, and what is done with them.

use std::borrow::Cow;

use ::http::header::{self, HeaderName, HeaderValue, InvalidHeaderValue};

/// What a value may be made of, beside text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderVariable {
    /// Address of the client, trusted proxies looked through.
    ClientIp,
    /// Host that was asked for, lower case and without port; an IPv6 address in brackets.
    Host,
    /// `http` or `https`, as the client came.
    Scheme,
    /// Port that the client came to.
    Port,
    /// Server name of the client's TLS handshake.
    TlsServerName,
    /// `TLSv1.2` or `TLSv1.3`.
    TlsVersion,
    /// The client's certificate as RFC 9440 writes it: base64 between colons.
    ClientCert,
    /// Its subject (RFC 4514), in ASCII.
    ClientCertSubject,
    /// Its SHA-256, in hex.
    ClientCertFingerprint,
    /// Name of the user that the route has let in.
    User,
    /// Names the exchange.
    RequestId,
    /// URL of the endpoint.
    Endpoint,
    /// The route's path or pattern.
    Route,
}

impl HeaderVariable {
    /// Every variable, by its name.
    pub const ALL: [(&'static str, Self); 13] = [
        ("client_ip", Self::ClientIp),
        ("host", Self::Host),
        ("scheme", Self::Scheme),
        ("port", Self::Port),
        ("tls_server_name", Self::TlsServerName),
        ("tls_version", Self::TlsVersion),
        ("client_cert", Self::ClientCert),
        ("client_cert_subject", Self::ClientCertSubject),
        ("client_cert_fingerprint", Self::ClientCertFingerprint),
        ("user", Self::User),
        ("request_id", Self::RequestId),
        ("endpoint", Self::Endpoint),
        ("route", Self::Route),
    ];

    /// Its name, without the `$`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, variable)| *variable == self).map_or("", |(name, _)| name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePiece {
    Text(String),
    Variable(HeaderVariable),
}

/// The value of a field, read once: text, and variables that each exchange has its own values for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderTemplate(Vec<TemplatePiece>);

/// The name behind a `$` is that of no variable. Empty where no name follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable(pub String);

impl HeaderTemplate {
    /// Reads `text`, in which `$NAME` is a variable and `$$` a dollar sign.
    ///
    /// # Errors
    /// [`UnknownVariable`]
    pub fn read(text: &str) -> Result<Self, UnknownVariable> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, behind)) = rest.split_once('$') {
            plain.push_str(before);
            if let Some(behind) = behind.strip_prefix('$') {
                plain.push('$');
                rest = behind;
                continue;
            }
            let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len());
            let (name, behind) = behind.split_at(end);
            let Some((_, variable)) = HeaderVariable::ALL.iter().find(|(known, _)| *known == name) else {
                return Err(UnknownVariable(name.to_owned()));
            };
            if !plain.is_empty() {
                pieces.push(TemplatePiece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(TemplatePiece::Variable(*variable));
            rest = behind;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(TemplatePiece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// Its text, if it is the same for every exchange.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [TemplatePiece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The variables in it.
    pub fn variables(&self) -> impl Iterator<Item = HeaderVariable> {
        self.0.iter().filter_map(|piece| match piece {
            TemplatePiece::Variable(variable) => Some(*variable),
            TemplatePiece::Text(_) => None,
        })
    }

    /// Its value in one exchange. A variable without a value stands for nothing; none if that leaves nothing.
    ///
    /// # Errors
    /// Something in it may not stand in a field.
    pub fn fill<'a>(
        &self,
        mut value: impl FnMut(HeaderVariable) -> Option<Cow<'a, str>>,
    ) -> Result<Option<HeaderValue>, InvalidHeaderValue> {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                TemplatePiece::Text(text) => filled.push_str(text),
                TemplatePiece::Variable(variable) => filled.push_str(value(*variable).as_deref().unwrap_or_default()),
            }
        }
        if filled.trim_ascii().is_empty() { Ok(None) } else { HeaderValue::try_from(filled).map(Some) }
    }
}

/// One edit of a head by the operator that is more than setting a field to the same value each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldEdit {
    /// Of the field.
    pub name: HeaderName,
    /// What is done with it.
    pub kind: FieldEditKind,
    /// With which value.
    pub value: HeaderTemplate,
}

/// What is done with a field. Without a value, `Set` leaves none of that name, and the others do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldEditKind {
    /// This is its only value.
    Set,
    /// The value follows what is there, in one list (RFC 9110 §5.3).
    Append,
    /// The value is set if there is no such field.
    SetIfAbsent,
}

/// A field of responses that a router makes itself: the number of the `[[route]]` whose `response_headers` are to be put
/// on it. Clients do not get it.
pub const ROUTE_OF_RESPONSE: HeaderName = HeaderName::from_static("tidegate-route");

/// The one value that a field `name` has with `more` behind what is `there`. None for those whose values are no list.
#[must_use]
pub fn joined(name: &HeaderName, there: &HeaderValue, more: &HeaderValue) -> Option<HeaderValue> {
    let between: &[u8] = match *name {
        // RFC 6265 §3: each in a field of its own.
        header::SET_COOKIE => return None,
        header::COOKIE => b"; ",
        _ => b", ",
    };
    let there = there.as_bytes().trim_ascii();
    if there.is_empty() {
        return Some(more.clone());
    }
    HeaderValue::from_bytes(&[there, between, more.as_bytes()].concat()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Option<String> {
        let value = |variable| match variable {
            HeaderVariable::Host => Some("h.example".into()),
            HeaderVariable::ClientIp => Some("192.0.2.1".into()),
            _ => None,
        };
        let value = HeaderTemplate::read(text).unwrap().fill(value).unwrap();
        value.map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn variables_are_filled_in_and_two_dollars_are_one() {
        for (text, expected) in [
            ("$host", Some("h.example")),
            ("https://$host/$client_ip", Some("https://h.example/192.0.2.1")),
            ("$host$host-$client_ip.", Some("h.exampleh.example-192.0.2.1.")),
            ("US$$ 5 $$host", Some("US$ 5 $host")),
            ("$$$host", Some("$h.example")),
            ("a$tls_version;b", Some("a;b")),
            ("$tls_version", None),
            ("$tls_version ", None),
            ("", None),
        ] {
            assert_eq!(filled(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn only_text_is_constant() {
        assert_eq!(HeaderTemplate::read("a $$ b").unwrap().constant(), Some("a $ b"));
        assert_eq!(HeaderTemplate::read("").unwrap().constant(), Some(""));
        assert_eq!(HeaderTemplate::read("a $host").unwrap().constant(), None);
        assert_eq!(HeaderTemplate::read("$host").unwrap().constant(), None);
    }

    #[test]
    fn another_name_is_unknown() {
        for (text, name) in
            [("$hots", "hots"), ("a$", ""), ("$ 5", ""), ("${host}", ""), ("$hosts", "hosts"), ("$1", "1")]
        {
            assert_eq!(HeaderTemplate::read(text), Err(UnknownVariable(name.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_may_not_stand_in_a_field_is_no_value() {
        let template = HeaderTemplate::read("a $host").unwrap();

        assert!(template.fill(|_| Some("b\r\nX-Forged: 1".into())).is_err());
    }

    #[test]
    fn lists_get_longer_and_cookies_stay_apart() {
        let joined = |name: HeaderName, there: &'static str| {
            let both = joined(&name, &HeaderValue::from_static(there), &HeaderValue::from_static("b"));
            both.map(|both| both.to_str().unwrap().to_owned())
        };

        assert_eq!(joined(header::VARY, "a").as_deref(), Some("a, b"));
        assert_eq!(joined(header::VARY, " ").as_deref(), Some("b"));
        assert_eq!(joined(header::COOKIE, "x=1").as_deref(), Some("x=1; b"));
        assert_eq!(joined(header::SET_COOKIE, "x=1"), None);
    }
}
