//! Asking for another protocol, and the answer (RFC 9110 §7.8, RFC 6455 §4).

use ::http::header::{self, HeaderMap};
use ::http::{Method, Request, Version};

/// Protocols that a client offers to switch to, in its order of preference, as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer(Vec<String>);

impl Offer {
    /// The first protocol, lower case.
    #[must_use]
    pub fn first(&self) -> String {
        self.0.first().map(|token| token.to_ascii_lowercase()).unwrap_or_default()
    }

    /// Keeps what `allowed` says yes to (it is asked in lower case); none if nothing is left.
    #[must_use]
    pub fn allowed(mut self, allowed: impl Fn(&str) -> bool) -> Option<Self> {
        self.0.retain(|token| allowed(&token.to_ascii_lowercase()));
        (!self.0.is_empty()).then_some(self)
    }

    /// Value of the Upgrade field towards the endpoint.
    #[must_use]
    pub fn to_value(&self) -> String {
        self.0.join(", ")
    }

    fn contains(&self, protocol: &str) -> bool {
        self.0.iter().any(|token| token.eq_ignore_ascii_case(protocol))
    }
}

/// What the client offers; none if it does not ask properly, and the request is then an ordinary one.
///
/// Proper is: HTTP/1.1, `upgrade` among the tokens of Connection (`keep-alive, Upgrade` as Firefox sends it), at least one
/// protocol in Upgrade, and for websocket GET without a body (RFC 6455 §4.1). Other protocols take any method, and begin
/// behind the body (RFC 9110 §7.8): so does Docker's `exec`.
#[must_use]
pub fn offered<B>(request: &Request<B>, has_body: bool) -> Option<Offer> {
    let headers = request.headers();
    if !headers.contains_key(header::UPGRADE) || request.version() != Version::HTTP_11 {
        return None;
    }
    if !tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade")) {
        return None;
    }
    let mut protocols: Vec<String> = tokens(headers, &header::UPGRADE).map(str::to_owned).collect();
    if request.method() != Method::GET || has_body {
        protocols.retain(|protocol| !protocol.eq_ignore_ascii_case("websocket"));
    }
    (!protocols.is_empty()).then_some(Offer(protocols))
}

/// The protocol that a 101 switches to, if it is one that was offered.
///
/// # Errors
/// What is wrong with the answer: a sentence for the log.
pub fn switched_to(answer: &HeaderMap, offer: Option<&Offer>) -> Result<String, String> {
    let Some(offer) = offer else {
        return Err("the endpoint switched protocols without being asked".to_owned());
    };
    let mut chosen = tokens(answer, &header::UPGRADE);
    match (chosen.next(), chosen.next()) {
        (Some(protocol), None) if offer.contains(protocol) => Ok(protocol.to_ascii_lowercase()),
        (Some(protocol), None) => {
            Err(format!("the endpoint switched to `{protocol:.60}`, offered was `{:.60}`", offer.to_value()))
        }
        (None, _) => Err("the endpoint switched protocols and did not say to which".to_owned()),
        (Some(_), Some(_)) => Err("the endpoint switched to several protocols at once".to_owned()),
    }
}

/// Comma-separated tokens of a field, over all its lines.
fn tokens<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
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
        ];
        for (fields, expected) in cases {
            assert_eq!(offer_of(fields).map(|offer| offer.to_value()).as_deref(), *expected, "{fields:?}");
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

        assert_eq!(offered(&request, false).unwrap().to_value(), "other");
        assert_eq!(offered(&request, true).unwrap().to_value(), "other", "which may come behind a body");
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

        assert_eq!(answer("WebSocket"), Ok("websocket".to_owned()));
        assert_eq!(answer("foo"), Ok("foo".to_owned()));
        assert!(answer("bar").is_err());
        assert!(answer(&"b".repeat(100_000)).unwrap_err().len() < 200, "a line of the log has its bounds");
        assert!(answer("websocket, foo").is_err());
        assert!(switched_to(&HeaderMap::new(), offer.as_ref()).is_err());
        assert!(switched_to(&HeaderMap::new(), None).is_err(), "nobody asked");
    }
}
