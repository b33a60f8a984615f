//! All that a line of the access log says.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use super::ending::AccessEnding;

/// What ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// A request and its response.
    Request,
    /// What followed after a switch of protocols.
    Tunnel,
}

/// All that a line says. What is `None` shows as `-` in text and is left out in JSON.
#[derive(Clone, Debug)]
pub struct AccessRecord<'a> {
    /// When the request or tunnel began.
    pub time: SystemTime,
    /// Request or tunnel.
    pub kind: AccessKind,
    /// What the exchange is called where its route asks for a name.
    pub request_id: Option<&'a str>,
    /// The client.
    pub client: SocketAddr,
    /// Where it came in.
    pub listener: SocketAddr,
    /// `http/1.1`, `websocket`, or another that was switched to.
    pub protocol: &'a str,
    /// The version of HTTP that the client's connection speaks, where `protocol` does not say it: that of a tunnel.
    pub client_protocol: Option<&'a str>,
    /// TLS version towards the client, e.g. `1.3`; none is plain.
    pub tls: Option<&'a str>,
    /// Server name that the client asked for.
    pub sni: Option<&'a str>,
    /// Request method.
    pub method: &'a str,
    /// Host as asked for.
    pub host: Option<&'a str>,
    /// Path and query.
    pub path: &'a str,
    /// Status sent to the client, 101 for a switch by whatever version; none if it got no response.
    pub status: Option<u16>,
    /// Status of a call of gRPC over HTTP/2, from its response's head or trailers; none for other requests.
    pub grpc_status: Option<u16>,
    /// From the start to the end.
    pub duration: Duration,
    /// From the start to the first byte of the response.
    pub first_byte: Option<Duration>,
    /// Body or tunnel bytes from the client.
    pub bytes_in: u64,
    /// Body or tunnel bytes to the client.
    pub bytes_out: u64,
    /// Name of the route.
    pub route: Option<&'a str>,
    /// Name of the cluster.
    pub cluster: Option<&'a str>,
    /// URL of the endpoint.
    pub endpoint: Option<&'a str>,
    /// Endpoints tried.
    pub attempts: u32,
    /// Plugins that decided, joined with commas.
    pub plugins: Option<&'a str>,
    /// Who made it, where its route lets users in by name and password.
    pub user: Option<&'a str>,
    /// What plugins noted about it, by key; left out where there is nothing.
    pub notes: &'a [(&'a str, &'a str)],
    /// Generation that it ran under.
    pub generation: u64,
    /// Why it ended, when not in the ordinary way.
    pub ending: Option<AccessEnding>,
}

impl<'a> AccessRecord<'a> {
    /// A record with everything unknown but these.
    #[must_use]
    pub fn new(kind: AccessKind, time: SystemTime, client: SocketAddr, listener: SocketAddr) -> AccessRecord<'a> {
        AccessRecord {
            time,
            kind,
            request_id: None,
            client,
            listener,
            protocol: "http/1.1",
            client_protocol: None,
            tls: None,
            sni: None,
            method: "-",
            host: None,
            path: "-",
            status: None,
            grpc_status: None,
            duration: Duration::ZERO,
            first_byte: None,
            bytes_in: 0,
            bytes_out: 0,
            route: None,
            cluster: None,
            endpoint: None,
            attempts: 0,
            plugins: None,
            user: None,
            notes: &[],
            generation: 0,
            ending: None,
        }
    }
}
