//! A gateway that runs already: the plugin's file is put where it reads it, and its admin server says what came of it.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::config::Config;
use crate::files;

/// Whether somebody responds there is known at once, or nobody does.
const CONNECT: Duration = Duration::from_secs(1);

/// Longest wait for a response. A reload compiles plugins, one after the other.
const RESPONSE: Duration = Duration::from_secs(120);

/// Longest response that is read.
const RESPONSE_BYTES: u64 = 16 << 20;

/// The admin server of a gateway, and the file of the plugin there.
#[derive(Clone, Debug)]
pub(super) struct RunningGateway {
    address: SocketAddr,
    token: Option<PathBuf>,
    plugin: String,
    file: PathBuf,
}

/// Why a running gateway cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteError {
    #[error(
        "the admin server at {address} does not let `tidegate plugin dev` in ({status}); the token in `[admin] \
         token_file` has to be the one of the gateway that runs"
    )]
    Stranger { address: SocketAddr, status: u16 },
    #[error(
        "the gateway whose admin server is at {address} has no plugin `{plugin}`: it serves another configuration; \
         stop it, or name its configuration"
    )]
    OtherConfiguration { address: SocketAddr, plugin: String },
    #[error(
        "what listens at {address}, the address of `[admin]`, is no gateway; stop it, or give `[admin]` another address"
    )]
    NoGateway { address: SocketAddr },
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the gateway at {address} does not respond: {source}")]
    Gone {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("{0}")]
    Refused(String),
    #[error("the gateway read another file than the one that was built; it may be written by somebody else as well")]
    OtherFile,
}

struct AdminResponse {
    status: u16,
    body: Value,
}

impl RunningGateway {
    /// The gateway that serves `config` already; none if nothing listens at its admin address, or it has none. Blocks.
    pub(super) fn find(config: &Config, plugin: &str) -> Result<Option<Self>, RemoteError> {
        let Some(admin) = config.admin.as_ref().filter(|admin| admin.address.port() != 0) else { return Ok(None) };
        let Some(section) = config.plugins.get(plugin) else { return Ok(None) };
        let (address, token) = (admin.address, admin.token_file.clone());
        let found = Self { address, token, plugin: plugin.to_owned(), file: section.file.clone() };
        let response = match found.call("GET", "/api/v1/plugins") {
            Ok(response) => response,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(None),
            Err(_other) => return Err(RemoteError::NoGateway { address }),
        };
        match (response.status, &response.body) {
            (200, Value::Array(plugins)) => {
                let has = plugins.iter().any(|view| text(view, "name") == Some(plugin));
                let plugin = plugin.to_owned();
                if has { Ok(Some(found)) } else { Err(RemoteError::OtherConfiguration { address, plugin }) }
            }
            (status @ (401 | 403), _) => Err(RemoteError::Stranger { address, status }),
            _ => Err(RemoteError::NoGateway { address }),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts what was built into its place, has the gateway read it, and returns the generation that serves it. Blocks.
    pub(super) fn swap(&self, built: &Path, bytes: &[u8], digest: &str) -> Result<u64, RemoteError> {
        self.put(built, bytes).map_err(|source| RemoteError::Write { path: self.file.clone(), source })?;
        let address = self.address;
        let gone = |source| RemoteError::Gone { address, source };
        let reload = self.call("POST", "/api/v1/reload").map_err(gone)?;
        if reload.status != 200 {
            let why = text(&reload.body, "error").map(str::to_owned);
            return Err(match (reload.status, why) {
                (status @ (401 | 403), _) => RemoteError::Stranger { address, status },
                (_, Some(why)) => RemoteError::Refused(why),
                (status, None) => RemoteError::Refused(format!("the reload ended with status {status}")),
            });
        }
        let plugins = self.call("GET", "/api/v1/plugins").map_err(gone)?;
        let views = plugins.body.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut own = views.iter().filter(|view| text(view, "name") == Some(&self.plugin));
        let serving = own.find(|view| text(view, "digest") == Some(digest)).ok_or(RemoteError::OtherFile)?;
        Ok(serving.get("generation").and_then(Value::as_u64).unwrap_or_default())
    }

    /// As an operator would: written beside, renamed into place. Through a link, to what it leads to.
    fn put(&self, built: &Path, bytes: &[u8]) -> io::Result<()> {
        let place = self.file.canonicalize().unwrap_or_else(|_missing| self.file.clone());
        if built.canonicalize().is_ok_and(|built| built == place) {
            return Ok(());
        }
        let mut beside = place.clone().into_os_string();
        beside.push(".new");
        fs::write(&beside, bytes)?;
        fs::rename(beside, place)
    }

    fn call(&self, method: &str, path: &str) -> io::Result<AdminResponse> {
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT)?;
        stream.set_read_timeout(Some(RESPONSE))?;
        stream.set_write_timeout(Some(CONNECT))?;
        // Read anew for each call, as the gateway does.
        let token = self.token.as_ref().and_then(|path| files::read(path, files::limit::TOKEN).ok());
        let token = token.and_then(|bytes| String::from_utf8(bytes).ok());
        let token = token.map(|token| format!("Authorization: Bearer {}\r\n", token.trim())).unwrap_or_default();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{token}Content-Length: 0\r\n", self.address);
        stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
        let mut response = Vec::new();
        stream.take(RESPONSE_BYTES).read_to_end(&mut response)?;
        read(&response).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no response of HTTP/1.1"))
    }
}

/// A response whose body is all that follows its head: admin servers announce lengths.
fn read(response: &[u8]) -> Option<AdminResponse> {
    let response = std::str::from_utf8(response).ok()?;
    let (head, body) = response.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(AdminResponse { status, body: serde_json::from_str(body).unwrap_or_default() })
}

fn text<'a>(view: &'a Value, key: &str) -> Option<&'a str> {
    view.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_json_are_read_and_other_protocols_are_not() {
        let response = read(b"HTTP/1.1 409 Conflict\r\nContent-Length: 15\r\n\r\n{\"error\":\"why\"}").unwrap();

        assert_eq!((response.status, text(&response.body, "error")), (409, Some("why")));
        for other in [&b"SSH-2.0-OpenSSH\r\n"[..], b"HTTP/1.1", b"", b"HTTP/1.1 abc\r\n\r\n"] {
            assert!(read(other).is_none(), "{other:?}");
        }
    }
}
