//! Whether the process may open as many files as its listeners let clients in.

use crate::config::Config;
use crate::net::descriptor_limit;

/// What a client takes: its own connection, and the one to its endpoint.
const EACH: usize = 2;

/// A warning for the operator if the listeners of `config` let in more clients than this process has descriptors for.
#[must_use]
pub fn shortage_of_descriptors(config: &Config) -> Option<String> {
    shortage(config, descriptor_limit()?)
}

fn shortage(config: &Config, limit: u64) -> Option<String> {
    let connections =
        config.listeners.iter().fold(0_usize, |sum, listener| sum.saturating_add(listener.limits.connections));
    let needed = connections.saturating_mul(EACH);
    if usize::try_from(limit).is_ok_and(|limit| needed <= limit) || usize::try_from(limit).is_err() {
        return None;
    }
    Some(format!(
        "`connections` allows {connections} clients, which take {needed} file descriptors with their endpoints, and \
         this process may open {limit}: what comes beyond waits, or fails; raise the limit (`LimitNOFILE=` of a \
         systemd unit, `ulimit -Hn`), or lower `limits.connections` of the listeners to {} in all",
        limit / EACH as u64
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(limits: &[&str]) -> Config {
        let listeners: String = limits
            .iter()
            .enumerate()
            .map(|(port, limit)| format!("[[listen]]\naddress = \"127.0.0.1:{}\"\n{limit}\n", 8000 + port))
            .collect();
        let text = format!("{listeners}[[route]]\npath = \"/\"\nrespond = {{ status = 204 }}\n");
        crate::config::parse(&text, Path::new("tidegate.toml")).unwrap()
    }

    #[test]
    fn all_listeners_together_and_their_endpoints_are_counted() {
        let few = "limits = { connections = 100 }";
        for (limits, limit, expected) in [
            (&[few][..], 200, None),
            (&[few], 199, Some("lower `limits.connections` of the listeners to 99 in all")),
            (&[few, few], 399, Some("200 clients, which take 400")),
            (&[""], 20_000, None),
            (&[""], 1024, Some("this process may open 1024")),
            (&[few], u64::MAX, None),
        ] {
            let told = shortage(&config(limits), limit);

            assert_eq!(told.is_some(), expected.is_some(), "{told:?}");
            assert!(told.as_deref().unwrap_or_default().contains(expected.unwrap_or_default()), "{told:?}");
        }
    }
}
