//! `discover`, `count`, `resolver` and files that are written: who the members of a cluster are.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;

use super::super::membership::{Counting, Discover};
use super::super::model::{EndpointAddress, EndpointConfig};
use super::super::schema::Text;
use super::url::EndpointUrl;
use super::{Resolver, defaults};
use crate::net::Authority;

pub(crate) const DISCOVER: [(&str, Discover); 3] =
    [("addresses", Discover::Addresses), ("srv", Discover::Srv), ("off", Discover::Off)];
const COUNT: [(&str, Counting); 2] = [("cluster", Counting::Cluster), ("address", Counting::Address)];

/// What a host stands for when nothing is said: a name for its addresses, a service (`_chat._tcp.example.com`) for its
/// SRV records. `localhost` is this machine, however many addresses that has.
pub(super) fn usual(url: &EndpointUrl) -> Discover {
    let EndpointAddress::Tcp(host, _) = &url.address else { return Discover::Off };
    if host.parse::<IpAddr>().is_ok() || host == "localhost" || host.ends_with(".localhost") {
        return Discover::Off;
    }
    if service_of(host).is_some() && url.authority.port().is_none() { Discover::Srv } else { Discover::Addresses }
}

/// What is sent as Host. A service's records belong to its domain, and so does the certificate (RFC 6125 §6.2.1).
pub(super) fn authority(url: &EndpointUrl, discover: Discover) -> Authority {
    let domain = service_of(url.authority.as_str()).filter(|_| discover == Discover::Srv);
    domain.and_then(|domain| domain.parse().ok()).unwrap_or_else(|| url.authority.clone())
}

/// The domain behind `_service._proto.`
fn service_of(host: &str) -> Option<&str> {
    let mut parts = host.splitn(3, '.');
    let mut label = || parts.next().filter(|label| label.len() > 1 && label.starts_with('_'));
    label()?;
    label()?;
    parts.next().filter(|domain| !domain.is_empty())
}

/// Why `discover` cannot be said of this endpoint, and the remedy.
pub(crate) fn misfit(endpoint: &EndpointConfig, discover: Discover) -> Option<(String, &'static str)> {
    let url = &endpoint.url;
    let word = discover.as_str();
    let host = match &endpoint.address {
        EndpointAddress::Tcp(host, _) if host.parse::<IpAddr>().is_err() => host,
        _ if discover == Discover::Off => return None,
        _ => return Some((format!("`discover` is \"{word}\", but {url} names no host"), "leave it out")),
    };
    if discover != Discover::Srv {
        return None;
    }
    if service_of(host).is_none() {
        let message = format!("`discover` is \"srv\", but `{host}` is no service");
        return Some((message, "write the name that has the records: \"ws://_SERVICE._tcp.DOMAIN\""));
    }
    let after_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    let written = after_scheme.split('/').next().and_then(|authority| authority.parse::<Authority>().ok());
    written
        .is_some_and(|authority| authority.port().is_some())
        .then(|| ("`discover` is \"srv\", and the URL has a port".to_owned(), "leave it out: the records have ports"))
}

/// `endpoint` with what was said of it.
pub(crate) fn discovering(endpoint: EndpointConfig, discover: Discover) -> EndpointConfig {
    let domain = match &endpoint.address {
        EndpointAddress::Tcp(host, _) if discover == Discover::Srv => service_of(host),
        _ => None,
    };
    let name = match (&endpoint.address, endpoint.discover) {
        // It was taken for a service, and is none.
        (EndpointAddress::Tcp(host, _), Discover::Srv) => domain.or(Some(host)),
        _ => domain,
    };
    let authority = name.and_then(|name| name.parse().ok()).unwrap_or_else(|| endpoint.authority.clone());
    EndpointConfig { discover, authority, ..endpoint }
}

impl Resolver<'_, '_> {
    pub(super) fn discover(&mut self, written: Option<&Text>, endpoint: EndpointConfig) -> EndpointConfig {
        let Some(word) = written else { return endpoint };
        let discover = self.choice("discover", written, &DISCOVER, endpoint.discover);
        if let Some((message, hint)) = misfit(&endpoint, discover) {
            self.report.fault_hint(word.span(), message, hint);
        }
        discovering(endpoint, discover)
    }

    pub(super) fn counting(&mut self, written: Option<&Text>) -> Counting {
        self.choice("count", written, &COUNT, defaults::COUNT)
    }

    /// `ip` or `ip:port` of name servers.
    pub(super) fn resolver(&mut self, written: &[Text]) -> Vec<SocketAddr> {
        let mut servers = Vec::new();
        for server in written {
            let text = server.get_ref();
            let with_port = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)).or_else(|_no_ip| text.parse());
            match with_port {
                Ok(address) => servers.push(address),
                Err(_neither) => {
                    let message = format!("bad name server \"{text}\" in `resolver`, expected `ip` or `ip:port`");
                    self.report.fault_hint(server.span(), message, "for example \"10.0.0.2\" or \"[::1]:5353\"");
                }
            }
        }
        servers
    }

    /// A file that need not be there, in a folder that must be.
    pub(super) fn written_file(&mut self, key: &str, written: &Text, hint: &str) -> Option<PathBuf> {
        let text = written.get_ref();
        let path = self.base.join(text);
        let found = path.metadata();
        let is_socket = found.as_ref().is_ok_and(|found| found.file_type().is_socket());
        let fault = match path.parent() {
            _ if text.is_empty() || path.file_name().is_none() => "is no path of a file".to_owned(),
            _ if path.is_dir() => format!("{} is a folder", path.display()),
            _ if is_socket => format!("{} is a socket", path.display()),
            Some(folder) if folder.as_os_str().is_empty() || folder.is_dir() => match found {
                Err(error) if error.kind() != ErrorKind::NotFound => format!("{}: {error}", path.display()),
                _ => return Some(path),
            },
            folder => format!("the folder {} does not exist", folder.unwrap_or(&path).display()),
        };
        let message = format!("{key}: {fault}, expected a file that the gateway may write");
        self.report.fault_hint(written.span(), message, hint);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::endpoint::endpoint_from;
    use super::*;

    #[test]
    fn a_host_stands_for_what_it_looks_like() {
        for (url, discover, authority) in [
            ("ws://10.0.0.1:8080", Discover::Off, "10.0.0.1:8080"),
            ("ws://[::1]:8080", Discover::Off, "[::1]:8080"),
            ("ws://localhost:8080", Discover::Off, "localhost:8080"),
            ("ws://a.localhost", Discover::Off, "a.localhost"),
            ("unix:/run/app.sock", Discover::Off, "localhost"),
            ("ws://app:8080/base", Discover::Addresses, "app:8080"),
            ("wss://app.internal", Discover::Addresses, "app.internal"),
            ("wss://_chat._tcp.example.com", Discover::Srv, "example.com"),
            ("ws://_chat._tcp.example.com:8080", Discover::Addresses, "_chat._tcp.example.com:8080"),
            ("ws://_chat.example.com", Discover::Addresses, "_chat.example.com"),
        ] {
            let endpoint = endpoint_from(url, Path::new("")).unwrap();

            assert_eq!((endpoint.discover, endpoint.authority.as_str()), (discover, authority), "{url}");
            assert_eq!(misfit(&endpoint, discover), None, "{url}");
        }
    }

    #[test]
    fn an_endpoint_is_known_by_its_host() {
        let service = endpoint_from("wss://_chat._tcp.example.com/base", Path::new("")).unwrap();
        let plain = endpoint_from("ws://app:8080", Path::new("")).unwrap();
        let off = discovering(service.clone(), Discover::Off);

        assert_eq!(service.known_as(), "wss://example.com/base");
        assert_eq!(plain.known_as(), "ws://app:8080");
        assert_eq!(off.known_as(), "wss://_chat._tcp.example.com/base");
    }
}
