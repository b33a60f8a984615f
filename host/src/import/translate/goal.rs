//! Where a request is to go, as Apache's URLs say it.

/// A server, a socket or a balancer, and the path there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Goal {
    pub(super) at: GoalPlace,
    /// Empty, or from the first `/` on; may hold `$1`.
    pub(super) path: String,
}

/// Who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GoalPlace {
    Server {
        scheme: &'static str,
        host: String,
        port: Option<u16>,
    },
    Socket {
        file: String,
        host: String,
    },
    /// A cluster, by its name in lower case.
    Balancer(String),
}

/// Why a URL is no goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoGoal {
    pub(super) what: String,
    pub(super) remedy: &'static str,
}

impl NoGoal {
    fn new(what: impl Into<String>, remedy: &'static str) -> Self {
        Self { what: what.into(), remedy }
    }
}

/// Schemes with their default ports.
const SCHEMES: [(&str, u16); 6] = [("http", 80), ("https", 443), ("ws", 80), ("wss", 443), ("h2c", 80), ("h2", 443)];

/// Reads a URL of ProxyPass, a member or a rewrite rule.
pub(super) fn goal(url: &str) -> Result<Goal, NoGoal> {
    let lower = url.to_ascii_lowercase();
    if lower.starts_with("unix:") {
        return socket(url.get(5..).unwrap_or_default());
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(NoGoal::new(format!("`{url}` is no URL"), "write http://HOST:PORT/PATH"));
    };
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find(['/', '?', '$', '%']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.is_empty() || path.starts_with(['$', '%']) && !is_path_like(path) || authority.ends_with(':') {
        return Err(NoGoal::new(
            format!("the server of `{url}` comes from the request"),
            "write a route for each server that may be asked, or a router plugin with the list of them",
        ));
    }
    if path.contains('?') {
        return Err(NoGoal::new(
            format!("`{url}` has a query: Apache puts it before the client's"),
            "let the server do without it, or a router plugin",
        ));
    }
    let path = path.to_owned();
    if scheme == "balancer" {
        return Ok(Goal { at: GoalPlace::Balancer(balancer_name(authority)), path });
    }
    let Some((scheme, _port)) = SCHEMES.into_iter().find(|(name, _port)| *name == scheme) else {
        return Err(other_scheme(&scheme));
    };
    let (host, port) = host_and_port(authority)
        .ok_or_else(|| NoGoal::new(format!("`{authority}` is no host with a port"), "write HOST:PORT"))?;
    Ok(Goal { at: GoalPlace::Server { scheme, host, port }, path })
}

/// `$1` right behind the host stands for a path when its group begins with one, which the caller sees to.
fn is_path_like(path: &str) -> bool {
    path.starts_with("$1") || path.starts_with("%{REQUEST_URI}") || path.starts_with("$0")
}

fn socket(rest: &str) -> Result<Goal, NoGoal> {
    let (file, url) = rest.split_once('|').unwrap_or((rest, "http://localhost"));
    let (scheme, rest) = url.split_once("://").or_else(|| url.split_once(':')).unwrap_or(("http", ""));
    if !["http", "ws"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(other_scheme(&scheme.to_ascii_lowercase()));
    }
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let file = file.trim_start_matches('/');
    let host = if host.is_empty() { "localhost" } else { host };
    Ok(Goal { at: GoalPlace::Socket { file: format!("/{file}"), host: host.to_owned() }, path: path.to_owned() })
}

fn other_scheme(scheme: &str) -> NoGoal {
    let remedy = match scheme {
        "ajp" => "Tomcat's HTTP connector: http://HOST:8080",
        "uwsgi" => "uWSGI's http-socket: http://HOST:PORT",
        "fcgi" | "scgi" => "a web server in front of it, and its address here",
        _ => "http, https, ws, wss, h2, h2c, unix or balancer",
    };
    NoGoal::new(format!("`{scheme}` is no protocol that servers are spoken to in"), remedy)
}

/// `host`, `host:port`, `[v6]:port`.
pub(super) fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    if authority.contains(['@', '<', '>', '{', '}', ' ', '$', '%']) {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let plain = host.starts_with('[') || !host.contains(':');
    (!host.is_empty() && plain).then(|| (host.to_ascii_lowercase(), port))
}

/// Names do not differ by case, and lose what our names may not have.
pub(super) fn balancer_name(written: &str) -> String {
    of_name(written).collect()
}

fn of_name(written: &str) -> impl Iterator<Item = char> {
    let lower = written.trim_end_matches('/').chars().map(|c| c.to_ascii_lowercase());
    lower.map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
}

impl Goal {
    /// The same place for comparisons: http and ws are one, localhost is 127.0.0.1.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        self.at.key() == other.at.key()
    }

    /// As it stands in `to`.
    pub(super) fn url(&self) -> String {
        format!("{}{}", self.at.origin(), self.path)
    }
}

impl GoalPlace {
    /// Scheme, host and port, the port if it is not the usual one.
    pub(super) fn origin(&self) -> String {
        match self {
            Self::Server { scheme, host, port } => {
                let usual = SCHEMES.iter().find(|(name, _port)| name == scheme).map(|(_name, port)| *port);
                // HTTP/2 is a matter of the cluster.
                let scheme = match *scheme {
                    "h2" => "https",
                    "h2c" => "http",
                    other => other,
                };
                match port.filter(|port| Some(*port) != usual) {
                    Some(port) => format!("{scheme}://{host}:{port}"),
                    None => format!("{scheme}://{host}"),
                }
            }
            Self::Socket { file, host } if host == "localhost" => format!("unix:{file}|http://localhost"),
            Self::Socket { file, host } => format!("unix:{file}|http://{host}"),
            Self::Balancer(name) => format!("balancer://{name}"),
        }
    }

    /// The same with http for ws, which differ in name only.
    pub(super) fn plain_origin(&self) -> String {
        let origin = self.origin();
        match origin.strip_prefix("ws") {
            Some(rest) => format!("http{rest}"),
            None => origin,
        }
    }

    /// Equal where the same server is reached in the same way.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Server { scheme, host, .. } => {
                let alike = match *scheme {
                    "ws" => "http",
                    "wss" => "https",
                    other => other,
                };
                let host = if host == "localhost" { "127.0.0.1" } else { host };
                format!("{alike}://{host}:{}", self.port())
            }
            other => other.origin(),
        }
    }

    /// The same, whichever version of HTTP is spoken: how the server names itself.
    pub(super) fn plain_key(&self) -> String {
        match self {
            Self::Server { scheme: "h2", host, .. } => {
                Self::Server { scheme: "https", host: host.clone(), port: Some(self.port()) }.key()
            }
            Self::Server { scheme: "h2c", host, .. } => {
                Self::Server { scheme: "http", host: host.clone(), port: Some(self.port()) }.key()
            }
            other => other.key(),
        }
    }

    fn port(&self) -> u16 {
        match self {
            Self::Server { scheme, port, .. } => {
                port.or_else(|| SCHEMES.iter().find(|(name, _port)| name == scheme).map(|(_name, port)| *port))
            }
            _ => None,
        }
        .unwrap_or(0)
    }

    /// Whether it is spoken to by TLS.
    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Self::Server { scheme: "https" | "wss" | "h2", .. })
    }

    /// Whether it is spoken to in HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        matches!(self, Self::Server { scheme: "h2" | "h2c", .. })
    }

    /// A name for a cluster of this one server.
    pub(super) fn cluster_name(&self) -> String {
        let text = match self {
            Self::Server { host, port, .. } => port.map_or_else(|| host.clone(), |port| format!("{host}-{port}")),
            Self::Socket { file, .. } => file.rsplit('/').next().unwrap_or_default().to_owned(),
            Self::Balancer(name) => name.clone(),
        };
        balancer_name(text.trim_matches(['[', ']'])).replace('.', "-")
    }
}
