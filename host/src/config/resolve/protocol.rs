//! `protocol` of listeners and clusters, and `streams`.

use super::super::model::{ClusterProtocol, EndpointConfig, ListenerProtocol};
use super::super::schema::{CountField, Text};
use super::{Resolver, defaults};
use crate::diagnose::{closest, one_of};

const OF_LISTENERS: [(&str, ListenerProtocol); 3] =
    [("auto", ListenerProtocol::Negotiated), ("h1", ListenerProtocol::Http1), ("h2", ListenerProtocol::Http2)];
const OF_CLUSTERS: [(&str, ClusterProtocol); 3] =
    [("h1", ClusterProtocol::Http1), ("h2", ClusterProtocol::Http2), ("auto", ClusterProtocol::Negotiated)];

/// What others call the protocols that have a short name here.
const HTTP1_ELSEWHERE: [&str; 6] = ["http/1.1", "http1", "http/1", "http1.1", "http", "1.1"];
const HTTP2_ELSEWHERE: [&str; 7] = ["http/2", "http2", "http/2.0", "h2c", "grpc", "grpcs", "2"];
const HTTP3: [&str; 5] = ["h3", "http/3", "http3", "quic", "3"];

impl Resolver<'_, '_> {
    pub(super) fn listener_protocol(&mut self, written: Option<&Text>) -> ListenerProtocol {
        self.protocol(written, &OF_LISTENERS, defaults::LISTENER_PROTOCOL)
    }

    /// Streams of one HTTP/2 connection. `protocol` is that of the listener.
    pub(super) fn streams(&mut self, written: Option<&CountField>, protocol: ListenerProtocol) -> usize {
        if let Some(written) = written.filter(|_| protocol == ListenerProtocol::Http1) {
            let message = "`streams` is not used: protocol = \"h1\" has one request at a time on a connection";
            self.report.warn(written.span(), message.to_owned());
        }
        self.whole("streams", written, (1, defaults::MOST_STREAMS), defaults::STREAMS)
    }

    pub(super) fn cluster_protocol(
        &mut self,
        cluster: &str,
        written: Option<&Text>,
        endpoints: &[EndpointConfig],
    ) -> ClusterProtocol {
        let protocol = self.protocol(written, &OF_CLUSTERS, defaults::CLUSTER_PROTOCOL);
        let plain = endpoints.iter().find(|endpoint| misfit(protocol, endpoint));
        if let (Some(word), Some(plain)) = (written, plain) {
            let message = format!(
                "cluster `{cluster}` has protocol = \"auto\", which endpoints choose by ALPN: that needs TLS, and {} has \
                 none",
                plain.url
            );
            self.report.fault_hint(word.span(), message, AUTO_NEEDS_TLS);
        }
        protocol
    }

    fn protocol<T: Copy>(&mut self, written: Option<&Text>, words: &[(&str, T)], default: T) -> T {
        let Some(written) = written else { return default };
        let text = written.get_ref();
        if let Some((_, protocol)) = words.iter().find(|(word, _)| word == text) {
            return *protocol;
        }
        let names = || words.iter().map(|(word, _)| *word);
        let message = format!("`protocol` is \"{text}\", expected {}", one_of(names()));
        let lower = text.to_ascii_lowercase();
        let is_among = |others: &[&str]| others.contains(&lower.as_str());
        if is_among(&HTTP3) {
            self.report.fault_hint(written.span(), message, "HTTP/3 is not available in this version");
        } else {
            let meant = match () {
                () if is_among(&HTTP1_ELSEWHERE) => Some("h1"),
                () if is_among(&HTTP2_ELSEWHERE) => Some("h2"),
                () => closest(&lower, names()),
            };
            self.report.fault_meant(written.span(), message, meant);
        }
        default
    }
}

/// Whether `endpoint` cannot be in a cluster that speaks `protocol`: there is no ALPN without TLS.
pub(crate) fn misfit(protocol: ClusterProtocol, endpoint: &EndpointConfig) -> bool {
    protocol == ClusterProtocol::Negotiated && !endpoint.tls
}

const AUTO_NEEDS_TLS: &str =
    "write protocol = \"h2\" for endpoints that speak HTTP/2 without TLS, \"h1\" for the others, or an `https` URL";
