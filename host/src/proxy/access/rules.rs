//! What a route says of who may use it, and who may by that.

use std::net::IpAddr;

use ::http::header::ORIGIN;
use ipnet::IpNet;

use super::basic::BasicAuth;
use super::forward::ForwardAuth;
use crate::net::{AllowedOrigin, SentOrigin, WebOrigin};
use crate::policy::RequestFacts;
use crate::telemetry::{AccessEnding, Counter};

/// Who may use a route. An empty list lets everybody in.
#[derive(Clone, Debug, Default)]
pub struct AccessRules {
    /// Networks that clients may come from.
    pub allow: Vec<IpNet>,
    /// Networks that clients may not come from, whatever `allow` says.
    pub deny: Vec<IpNet>,
    /// Pages that may switch protocols.
    pub origins: Vec<AllowedOrigin>,
    /// Users that may, by name and password.
    pub basic: Option<BasicAuth>,
    /// Whom the route asks who its clients are.
    pub forward: Option<Box<ForwardAuth>>,
}

/// Why a request may not use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::proxy) enum Denied {
    /// Its client has the wrong address.
    #[error("the route does not let clients of this address in")]
    Address,
    /// It is a handshake that a page of the wrong origin makes.
    #[error("the route does not let pages of this origin switch protocols")]
    Origin,
}

impl AccessRules {
    /// Whether the request may go on.
    ///
    /// # Errors
    /// [`Denied`]
    pub(super) fn check(&self, facts: &RequestFacts) -> Result<(), Denied> {
        if !self.lets_in(facts.client) {
            return Err(Denied::Address);
        }
        // Browsers keep what else pages of other origins ask for from them, but for websockets (RFC 6455 §10.2).
        if !self.origins.is_empty() && facts.upgrade.is_some() && !self.lets_switch(facts) {
            return Err(Denied::Origin);
        }
        Ok(())
    }

    /// Whether a request that [`Self::check`] has nothing against is not let in before others have been asked.
    pub(super) fn asks(&self) -> bool {
        self.forward.is_some()
    }

    /// Whether a client at `address` may. One without an address is in no network.
    fn lets_in(&self, address: Option<IpAddr>) -> bool {
        let address = address.map(|address| address.to_canonical());
        let is_in =
            |networks: &[IpNet]| address.is_some_and(|address| networks.iter().any(|net| net.contains(&address)));
        !is_in(&self.deny) && (self.allow.is_empty() || is_in(&self.allow))
    }

    /// Whether the page may that makes the handshake; every client may that is no browser, and so has none. Browsers send
    /// one `Origin`: of several, each has to be let in.
    fn lets_switch(&self, facts: &RequestFacts) -> bool {
        let own = facts.authority.as_ref().map(|authority| WebOrigin::new(facts.scheme.as_str(), authority));
        facts.headers.get_all(ORIGIN).iter().all(|value| {
            let sent = SentOrigin::try_from(value.as_bytes());
            sent.is_ok_and(|sent| self.origins.iter().any(|allowed| allowed.lets_in(&sent, own.as_ref())))
        })
    }
}

impl Denied {
    /// What the client is told.
    pub(in crate::proxy) fn sentence(self) -> &'static str {
        match self {
            Self::Address => "clients of this address are not let in here",
            Self::Origin => "pages of this origin may not open connections here",
        }
    }

    /// How it ends a request.
    pub(in crate::proxy) fn ending(self) -> AccessEnding {
        match self {
            Self::Address => AccessEnding::ClientDenied,
            Self::Origin => AccessEnding::OriginDenied,
        }
    }

    /// What counts it.
    pub(super) fn counter(self) -> Counter {
        match self {
            Self::Address => Counter::RequestDeniedAddress,
            Self::Origin => Counter::RequestDeniedOrigin,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ::http::HeaderValue;

    use super::*;
    use crate::net::UpgradeProtocol;
    use crate::policy::Scheme;

    fn networks(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn deny_wins_and_allow_keeps_all_others_out() {
        type Case = (&'static [&'static str], &'static [&'static str], Option<&'static str>, bool);
        let table: [Case; 12] = [
            (&[], &[], Some("192.0.2.1"), true),
            (&["192.0.2.0/24"], &[], Some("192.0.2.1"), true),
            (&["192.0.2.0/24"], &[], Some("198.51.100.1"), false),
            (&["192.0.2.0/24", "198.51.100.0/24"], &[], Some("198.51.100.1"), true),
            (&[], &["192.0.2.0/24"], Some("192.0.2.1"), false),
            (&[], &["192.0.2.0/24"], Some("198.51.100.1"), true),
            (&["192.0.2.0/24"], &["192.0.2.7/32"], Some("192.0.2.7"), false),
            (&["192.0.2.7/32"], &["192.0.2.0/24"], Some("192.0.2.7"), false),
            (&["192.0.2.0/24"], &[], Some("::ffff:192.0.2.1"), true),
            (&["2001:db8::/32"], &[], Some("2001:db8:1::1"), true),
            (&["0.0.0.0/0"], &[], None, false),
            (&[], &["0.0.0.0/0"], None, true),
        ];

        for (allow, deny, client, is_in) in table {
            let rules = AccessRules { allow: networks(allow), deny: networks(deny), ..AccessRules::default() };
            let client = client.map(|text| text.parse().unwrap());
            let facts = RequestFacts { client, ..RequestFacts::made_up("h", "/") };

            assert_eq!(rules.check(&facts).is_ok(), is_in, "{allow:?} {deny:?} {client:?}");
        }
    }

    #[test]
    fn only_pages_that_are_let_in_switch() {
        let origins =
            ["https://app.example", "https://other.example"].map(|text| AllowedOrigin::Is(text.parse().unwrap()));
        let rules = AccessRules { origins: origins.into(), ..AccessRules::default() };
        let table: [(bool, &[&str], bool); 8] = [
            (true, &[], true),
            (true, &["https://app.example"], true),
            (true, &["https://evil.example"], false),
            (true, &["null"], false),
            (true, &[""], false),
            (true, &["https://app.example", "https://evil.example"], false),
            (true, &["https://app.example", "https://other.example"], true),
            (false, &["https://evil.example"], true),
        ];

        for (switches, sent, is_in) in table {
            let mut facts = RequestFacts::made_up("h", "/");
            facts.upgrade = switches.then_some(UpgradeProtocol::Websocket);
            for origin in sent {
                Arc::make_mut(&mut facts.headers).append(ORIGIN, HeaderValue::from_static(origin));
            }

            assert_eq!(rules.check(&facts).is_ok(), is_in, "{sent:?}");
        }
    }

    #[test]
    fn the_same_goes_by_how_the_client_came() {
        let rules = AccessRules { origins: vec![AllowedOrigin::Same], ..AccessRules::default() };
        let mut facts = RequestFacts::made_up("app.example", "/");
        facts.upgrade = Some(UpgradeProtocol::Websocket);
        Arc::make_mut(&mut facts.headers).insert(ORIGIN, HeaderValue::from_static("https://app.example"));

        assert_eq!(rules.check(&facts), Err(Denied::Origin), "it came without TLS");
        facts.scheme = Scheme::Https;
        assert_eq!(rules.check(&facts), Ok(()));
        facts.authority = None;
        assert_eq!(rules.check(&facts), Err(Denied::Origin), "it is for nobody");
    }
}
