//! What an operator writes, and what it means.

use std::collections::HashMap;

use serde::Deserialize;
use tidegate_plugin::{Config, ConfigError, RequestLine, config, request};

/// As written.
#[derive(Debug, Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Header that names the tenant. Either this or `domain`.
    header: Option<String>,
    /// Domain whose subdomains are tenants: with `gateway.example`, the host `blue.gateway.example` is the tenant `blue`.
    domain: Option<String>,
    /// Status for tenants that the table does not know.
    #[config(range = 400..=499)]
    unknown: u32,
    /// Cluster for tenants that the table does not know, in place of a status.
    cluster: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { header: None, domain: None, unknown: 404, cluster: None }
    }
}

/// Who says which tenant it is.
#[derive(Debug)]
pub(crate) enum Witness {
    /// The header of this name.
    Header(String),
    /// The label before this, which begins with a dot.
    Host(String),
}

/// What becomes of other tenants.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unknown {
    /// They get this status.
    Respond(u32),
    /// They go to this cluster.
    Forward(u32),
}

impl Settings {
    pub(crate) fn understood(self, clusters: &HashMap<String, u32>) -> Result<(Witness, Unknown), Vec<ConfigError>> {
        let mut faults = Vec::new();
        let witness = match (self.header, self.domain) {
            (Some(name), None) if name.is_empty() => {
                Err(config::fault("/header", "expected the name of a header, found it empty"))
            }
            (Some(name), None) => Ok(Witness::Header(name)),
            (None, Some(domain)) => suffix(&domain).map(Witness::Host),
            (None, None) => {
                Err(config::fault("", "expected `header` or `domain`, found neither: say what names the tenant"))
            }
            (Some(_), Some(_)) => {
                Err(config::fault("/domain", "expected `header` or `domain`, found both: leave one out"))
            }
        };
        let unknown = match &self.cluster {
            None => Ok(Unknown::Respond(self.unknown)),
            Some(name) => clusters.get(name).map(|cluster| Unknown::Forward(*cluster)).ok_or_else(|| {
                config::fault(
                    "/cluster",
                    format!("expected the name of a cluster, found {name:?}: write a [cluster] for it"),
                )
            }),
        };
        match (witness, unknown) {
            (Ok(witness), Ok(unknown)) => return Ok((witness, unknown)),
            (witness, unknown) => faults.extend(witness.err().into_iter().chain(unknown.err())),
        }
        Err(faults)
    }
}

/// What a tenant's host ends with.
fn suffix(domain: &str) -> Result<String, ConfigError> {
    let is_label = |label: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !label.is_empty() && label.bytes().all(is_part)
    };
    if domain.split('.').all(is_label) {
        return Ok(format!(".{}", domain.to_ascii_lowercase()));
    }
    let message = format!("expected a domain such as gateway.example, found {domain:?}");
    Err(config::fault("/domain", message))
}

impl Witness {
    /// The tenant that a request says it is of; nobody where it names none or several.
    pub(crate) fn tenant(&self, line: &RequestLine) -> Option<String> {
        match self {
            Self::Header(name) => match <[String; 1]>::try_from(request::values(name)) {
                Ok([tenant]) => Some(tenant),
                Err(_) => None,
            },
            Self::Host(suffix) => {
                // One dot more at the end says that the name is whole, and means the same host.
                let host = line.host.strip_suffix('.').unwrap_or(&line.host);
                let label = host.strip_suffix(suffix)?;
                (!label.is_empty() && !label.contains('.')).then(|| label.to_owned())
            }
        }
    }
}
