//! Whom a route asks who its clients are.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName};

use crate::http::{keep_end_to_end, reads_as};
use crate::net::is_reserved;
use crate::policy::{ClusterId, RequestFacts};

/// A server that is asked for every request of a route, before that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardAuth {
    /// Where it is.
    pub cluster: ClusterId,
    /// What is asked for there: a path, and perhaps a query.
    pub path: Box<str>,
    /// Fields of its response that go on with the request. No client's own get through.
    pub headers: Box<[HeaderName]>,
    /// To the end of its response.
    pub timeout: Duration,
}

impl ForwardAuth {
    /// Puts into a request what the server said of its client in the head of its `answer`, which has no field of its hop any
    /// more. What the client sent by these names is taken out in every spelling, also where the server says nothing: what is
    /// behind this route believes them.
    pub(super) fn carry(&self, answer: &HeaderMap, facts: &mut RequestFacts) {
        if self.headers.is_empty() {
            return;
        }
        let headers = Arc::make_mut(&mut facts.headers);
        for name in self.spellings(headers) {
            headers.remove(name);
        }
        for name in &self.headers {
            keep_end_to_end(headers, name);
            for value in answer.get_all(name) {
                headers.append(name, value.clone());
            }
        }
    }

    /// What of `headers` a server may read as one of [`Self::headers`], but for what frames the request.
    fn spellings(&self, headers: &HeaderMap) -> Vec<HeaderName> {
        let reads = |sent: &HeaderName| self.headers.iter().any(|name| reads_as(sent, name)) && !is_reserved(sent);
        headers.keys().filter(|sent| reads(sent)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut map = HeaderMap::new();
        for (name, value) in fields.iter().map(field) {
            map.append(name, value);
        }
        map
    }

    #[test]
    fn what_the_server_says_goes_on_and_nothing_that_the_client_says_by_these_names() {
        let auth = ForwardAuth {
            cluster: ClusterId(0),
            path: "/".into(),
            headers: ["remote-user", "remote-groups"].map(HeaderName::from_static).into(),
            timeout: Duration::from_secs(1),
        };
        let mut facts = RequestFacts::made_up("h", "/");
        facts.headers = Arc::new(map(&[
            ("connection", "close, Remote-User, a"),
            ("remote-user", "root"),
            ("remote-user", "admin"),
            ("remote_user", "root"),
            ("remote.groups", "wheel"),
            ("remote-groups", "wheel"),
            ("a", "1"),
        ]));

        auth.carry(&map(&[("remote-user", "ann"), ("remote-user", "ann@b"), ("a", "2")]), &mut facts);

        let expected = map(&[
            ("connection", "close"),
            ("connection", "a"),
            ("remote-user", "ann"),
            ("remote-user", "ann@b"),
            ("a", "1"),
        ]);
        assert_eq!(*facts.headers, expected);
    }
}
