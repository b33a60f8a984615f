//! Asking for another protocol, and the response (RFC 9110 §7.8, RFC 6455 §4).

use ::http::header::{self, HeaderMap};
use ::http::{Method, Request, Version};

use super::list::list;
use crate::net::{ProtocolName, UpgradeProtocol};

/// Protocols that a client offers to switch to, in its order of preference. At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    protocols: Vec<OfferedProtocol>,
    /// The client has made the handshake of HTTP/1.1, as far as the protocol has one.
    has_handshake: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct OfferedProtocol {
    protocol: UpgradeProtocol,
    /// The client's spelling.
    sent: ProtocolName,
}

impl Offer {
    /// An offer of these, in the client's spelling, by a client that makes no handshake of HTTP/1.1 (RFC 8441 §5); none
    /// if there are none. What names no protocol is left out.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let names = texts.into_iter().filter_map(|text| ProtocolName::try_from(text).ok());
        Self { protocols: names.map(OfferedProtocol::from).collect(), has_handshake: false }.unless_empty()
    }

    /// The first protocol.
    #[must_use]
    pub fn first(&self) -> Option<&UpgradeProtocol> {
        self.protocols.first().map(|offered| &offered.protocol)
    }

    /// Whether a handshake is the client's: what an endpoint says to it is for the client to check.
    #[must_use]
    pub fn has_handshake(&self) -> bool {
        self.has_handshake
    }

    /// Keeps what `allowed` says yes to; none if nothing is left.
    #[must_use]
    pub fn allowed(mut self, allowed: impl Fn(&UpgradeProtocol) -> bool) -> Option<Self> {
        self.protocols.retain(|offered| allowed(&offered.protocol));
        self.unless_empty()
    }

    /// Members of the Upgrade field towards the endpoint: protocols as the client spelled them.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        self.protocols.iter().map(|offered| offered.sent.as_str())
    }

    fn unless_empty(self) -> Option<Self> {
        (!self.protocols.is_empty()).then_some(self)
    }

    fn contains(&self, protocol: &UpgradeProtocol) -> bool {
        self.protocols.iter().any(|offered| offered.protocol == *protocol)
    }
}

impl From<ProtocolName> for OfferedProtocol {
    fn from(sent: ProtocolName) -> Self {
        Self { protocol: (&sent).into(), sent }
    }
}

/// What the client offers; none if it does not ask properly, and the request is then an ordinary one.
///
/// Proper is: HTTP/1.1, `upgrade` among the tokens of Connection (`keep-alive, Upgrade` as Firefox sends it), at least
/// one protocol in Upgrade, and for websocket GET without a body (RFC 6455 §4.1). Other protocols take any method, and
/// begin behind the body (RFC 9110 §7.8): so does Docker's `exec`.
#[must_use]
pub(in crate::http) fn offered<B>(request: &Request<B>, has_body: bool) -> Option<Offer> {
    let headers = request.headers();
    if !headers.contains_key(header::UPGRADE) || request.version() != Version::HTTP_11 {
        return None;
    }
    if !list(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case(b"upgrade")) {
        return None;
    }
    let may_be_websocket = request.method() == Method::GET && !has_body;
    let offer = Offer { has_handshake: true, ..Offer::of(tokens(headers, &header::UPGRADE))? };
    if may_be_websocket { Some(offer) } else { offer.allowed(|protocol| *protocol != UpgradeProtocol::Websocket) }
}

/// The protocol that a 101 switches to, if it is one that was offered.
///
/// # Errors
/// What is wrong with the response: a sentence for the log.
pub fn switched_to(response: &HeaderMap, offer: Option<&Offer>) -> Result<UpgradeProtocol, String> {
    let Some(offer) = offer else {
        return Err("the endpoint switched protocols without being asked".to_owned());
    };
    let mut chosen = tokens(response, &header::UPGRADE);
    match (chosen.next(), chosen.next()) {
        (Some(token), None) => {
            if let Ok(protocol) = UpgradeProtocol::try_from(token)
                && offer.contains(&protocol)
            {
                return Ok(protocol);
            }
            Err(format!("the endpoint switched to `{token:.60}`, offered was `{:.60}`", spelled(offer)))
        }
        (None, _) => Err("the endpoint switched protocols and did not say to which".to_owned()),
        (Some(_), Some(_)) => Err("the endpoint switched to several protocols at once".to_owned()),
    }
}

/// The offer as one value.
fn spelled(offer: &Offer) -> String {
    offer.spellings().collect::<Vec<_>>().join(", ")
}

/// The list in a field, as far as its members are ASCII: no other can be a name of a protocol (RFC 9110 §7.8).
fn tokens<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'a str> {
    list(headers, name).filter(|token| token.is_ascii()).filter_map(|token| std::str::from_utf8(token).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer_of(fields: &[(&str, &str)]) -> Option<Offer> {
        let mut request = Request::builder().method("GET");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        offered(&request.body(()).unwrap(), false)
    }

    #[test]
    fn both_fields_are_lists_of_tokens() {
        type Case = (&'static [(&'static str, &'static str)], Option<&'static str>);
        let cases: &[Case] = &[
            (&[("connection", "Upgrade"), ("upgrade", "websocket")], Some("websocket")),
            (&[("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")], Some("WebSocket")),
            (
                &[("connection", "keep-alive"), ("connection", "UPGRADE"), ("upgrade", "a"), ("upgrade", "b")],
                Some("a, b"),
            ),
            (&[("connection", "keep-alive"), ("upgrade", "websocket")], None),
            (&[("connection", "upgraded"), ("upgrade", "websocket")], None),
            (&[("upgrade", "websocket")], None),
            (&[("connection", "upgrade")], None),
            (&[("connection", "upgrade"), ("upgrade", " , ")], None),
            (&[("connection", "upgrade"), ("upgrade", "w\u{e9}bsocket")], None),
            (&[("connection", "upgrade"), ("upgrade", "a b, \"c\", d/1, e/")], Some("d/1")),
        ];
        for (fields, expected) in cases {
            assert_eq!(offer_of(fields).map(|offer| spelled(&offer)).as_deref(), *expected, "{fields:?}");
        }
    }

    #[test]
    fn websocket_needs_a_get_without_a_body() {
        let request = Request::builder()
            .method("POST")
            .header("connection", "upgrade")
            .header("upgrade", "websocket, other")
            .body(())
            .unwrap();

        assert_eq!(spelled(&offered(&request, false).unwrap()), "other");
        assert_eq!(spelled(&offered(&request, true).unwrap()), "other", "which may come behind a body");
        let get = Request::builder().header("connection", "upgrade").header("upgrade", "websocket").body(()).unwrap();
        assert_eq!(offered(&get, true), None);
    }

    #[test]
    fn answer_must_be_one_of_the_offered() {
        let offer = offer_of(&[("connection", "upgrade"), ("upgrade", "websocket, foo")]);
        let answer = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::UPGRADE, value.parse().unwrap());
            switched_to(&headers, offer.as_ref())
        };

        assert_eq!(answer("WebSocket"), Ok(UpgradeProtocol::Websocket));
        assert_eq!(answer("foo"), UpgradeProtocol::try_from("foo").map_err(|_| String::new()));
        assert!(answer("bar").is_err());
        assert!(answer(&"b".repeat(100_000)).unwrap_err().len() < 200, "a line of the log has its bounds");
        assert!(answer("websocket, foo").is_err());
        assert!(switched_to(&HeaderMap::new(), offer.as_ref()).is_err());
        assert!(switched_to(&HeaderMap::new(), None).is_err(), "nobody asked");
    }
}
