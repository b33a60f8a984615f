//! Protocols that a client and an endpoint may switch to.

use std::fmt;

/// A protocol in an `Upgrade` field or a `:protocol` (RFC 9110 §7.8, RFC 8441 §4), as it was written: a token, perhaps
/// with `/` and a token that is its version. It can be written into a head as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProtocolName(Box<str>);

/// What a text is that names no protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a token, perhaps with `/` and a version")]
pub struct NoProtocol;

impl ProtocolName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for ProtocolName {
    type Error = NoProtocol;

    fn try_from(text: &str) -> Result<Self, NoProtocol> {
        // The one that nearly all ask for costs a comparison.
        let is_protocol = text.eq_ignore_ascii_case("websocket")
            || match text.split_once('/') {
                Some((name, version)) => is_token(name) && is_token(version),
                None => is_token(text),
            };
        if is_protocol { Ok(Self(text.into())) } else { Err(NoProtocol) }
    }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Which protocol a name means, case left aside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UpgradeProtocol {
    /// RFC 6455: frames, which a tunnel can follow.
    Websocket,
    /// Any other, lower case.
    Other(ProtocolName),
}

impl UpgradeProtocol {
    /// The name, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Websocket => "websocket",
            Self::Other(name) => name.as_str(),
        }
    }
}

impl From<&ProtocolName> for UpgradeProtocol {
    fn from(name: &ProtocolName) -> Self {
        if name.as_str().eq_ignore_ascii_case("websocket") {
            Self::Websocket
        } else {
            Self::Other(ProtocolName(name.as_str().to_ascii_lowercase().into()))
        }
    }
}

impl TryFrom<&str> for UpgradeProtocol {
    type Error = NoProtocol;

    fn try_from(text: &str) -> Result<Self, NoProtocol> {
        // The one that nearly all mean needs no name of its own.
        if text.eq_ignore_ascii_case("websocket") {
            return Ok(Self::Websocket);
        }
        ProtocolName::try_from(text).map(|name| Self::from(&name))
    }
}

impl fmt::Display for UpgradeProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_protocol_is_a_token_perhaps_with_a_version() {
        for good in ["websocket", "WebSocket", "h2c", "TLS/1.0", "connect-udp", "!#$%&'*+-.^_`|~/1", "IRC/6.9"] {
            assert_eq!(ProtocolName::try_from(good).unwrap().as_str(), good, "as it was written");
        }
        for bad in [
            "",
            "/",
            "a/",
            "/1",
            "a/b/c",
            "a b",
            " a",
            "a ",
            "a,b",
            "a;b",
            "a:b",
            "a\0",
            "a\tb",
            "a\"",
            "a\u{e9}",
            "a\u{7f}",
            "foo\r\n\r\nGET /private HTTP/1.1\r\nHost: admin\r\nx: 1",
            "foo\nx: 1",
            "foo/1\r\nx: 1",
        ] {
            assert_eq!(ProtocolName::try_from(bad), Err(NoProtocol), "{bad:?}");
        }
    }

    #[test]
    fn case_is_left_aside() {
        assert_eq!(UpgradeProtocol::try_from("WebSocket"), Ok(UpgradeProtocol::Websocket));
        assert_eq!(UpgradeProtocol::try_from("Foo/A").unwrap().as_str(), "foo/a");
    }

    proptest! {
        #[test]
        fn whatever_is_a_protocol_is_one_member_of_a_list_on_one_line(text in "(?s).{0,12}|[a-z/ ,\r\n]{0,12}") {
            if let Ok(name) = ProtocolName::try_from(text.as_str()) {
                prop_assert_eq!(name.as_str(), &text);
                let is_plain = |byte: u8| byte.is_ascii_graphic() && !b",;:\"()<>@[]{}=?\\".contains(&byte);
                prop_assert!(text.bytes().all(is_plain));
            }
        }
    }
}
