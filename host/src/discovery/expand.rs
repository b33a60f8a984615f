//! Names laid out as the endpoints that they stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::{FoundAddress, KnownNames, name_of};
use crate::config::{Changes, Config, EndpointAddress, EndpointConfig};

/// Weights are kept in hundredths, 1 to 10,000.
const WEIGHTS: (f64, f64) = (1.0, 10_000.0);
/// Highest group.
const LAST_GROUP: u32 = 99;

/// `config` with each name replaced by its addresses, in the name's place. A name without any stays as it is: it is
/// dialled by name. An address that an endpoint before it has already is left out.
///
/// Addresses inherit everything of their name, but what `changes` say of them.
#[must_use]
pub fn expand(config: &Config, known: &KnownNames, changes: &Changes) -> Config {
    let mut expanded = config.clone();
    for cluster in &mut expanded.clusters {
        let mut taken: BTreeSet<String> = cluster.endpoints.iter().map(|endpoint| endpoint.url.clone()).collect();
        let mut members = Vec::with_capacity(cluster.endpoints.len());
        for endpoint in &cluster.endpoints {
            let found = name_of(endpoint.discover, &endpoint.address).and_then(|name| known.get(&name));
            let Some(found) = found.filter(|found| !found.is_empty()) else {
                members.push(endpoint.clone());
                continue;
            };
            for member in addresses_of(endpoint, found) {
                if taken.insert(member.url.clone()) {
                    members.push(changes.of_found(&cluster.name, member));
                }
            }
        }
        // All of a name's addresses may be configured on their own; a cluster is never empty.
        if !members.is_empty() {
            cluster.endpoints = members;
        }
    }
    expanded
}

fn addresses_of(name: &EndpointConfig, found: &[FoundAddress]) -> impl Iterator<Item = EndpointConfig> {
    let shares = Shares::of(found);
    found.iter().map(move |found| {
        let own = match &name.address {
            EndpointAddress::Tcp(_, port) => *port,
            EndpointAddress::Unix(_) => 0,
        };
        let port = found.port.unwrap_or(own);
        let (weight, group) = match found.port {
            Some(_service) => (shares.weight(name, found), shares.group(name, found)),
            None => (name.weight, name.group),
        };
        EndpointConfig {
            url: url(name, found.address, port),
            address: EndpointAddress::Tcp(found.address.to_string(), port),
            weight,
            group,
            discover: crate::config::Discover::Off,
            found_by: Some(name.url.clone()),
            ..name.clone()
        }
    })
}

/// The name's URL with an address in the name's place, normalised.
fn url(name: &EndpointConfig, address: IpAddr, port: u16) -> String {
    let scheme = name.url.split_once("://").map_or("http", |(scheme, _)| scheme);
    let usual = if name.tls { 443 } else { 80 };
    let host = match address {
        _ if port != usual => SocketAddr::new(address, port).to_string(),
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    format!("{scheme}://{host}{}", name.base_path)
}

/// Priorities and weights of SRV records as groups and weights.
///
/// A priority is a group: the lowest is the name's own, the next one higher. Weights are shares among those of one
/// priority, so that their mean is the name's weight: `_chat._tcp` beside another endpoint of the cluster does not
/// weigh less because its records say 1 and not 100.
struct Shares {
    /// Priority by priority: sum of weights, and how many.
    by_priority: BTreeMap<u16, (u64, u32)>,
}

impl Shares {
    fn of(found: &[FoundAddress]) -> Self {
        let mut by_priority: BTreeMap<u16, (u64, u32)> = BTreeMap::new();
        for one in found {
            let (sum, count) = by_priority.entry(one.priority).or_default();
            *sum += u64::from(one.weight);
            *count += 1;
        }
        Self { by_priority }
    }

    fn group(&self, name: &EndpointConfig, found: &FoundAddress) -> u32 {
        let before = self.by_priority.range(..found.priority).count();
        name.group.saturating_add(u32::try_from(before).unwrap_or(LAST_GROUP)).min(LAST_GROUP)
    }

    fn weight(&self, name: &EndpointConfig, found: &FoundAddress) -> u32 {
        let (sum, count) = self.by_priority.get(&found.priority).copied().unwrap_or_default();
        if sum == 0 {
            return name.weight;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 1,024 weights of 16 bits")]
        let share = f64::from(found.weight) * f64::from(count) / sum as f64;
        let weight = (f64::from(name.weight) * share).round().clamp(WEIGHTS.0, WEIGHTS.1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 1..=10,000 and rounded"
        )]
        let weight = weight as u32;
        weight
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Name, Records};
    use super::*;
    use crate::config::parse;

    fn config(endpoints: &str) -> Config {
        let text = format!("[[listen]]\naddress = \"127.0.0.1:0\"\n[cluster.c]\nendpoints = {endpoints}\n");
        parse(&text, Path::new("/x/t.toml")).unwrap()
    }

    fn plain(last: &[u8]) -> Vec<FoundAddress> {
        last.iter()
            .map(|last| FoundAddress { priority: 0, address: [10, 0, 0, *last].into(), port: None, weight: 0 })
            .collect()
    }

    fn known(host: &str, records: Records, found: Vec<FoundAddress>) -> KnownNames {
        KnownNames::from([(Name { host: host.to_owned(), records }, found)])
    }

    fn members(config: &Config, known: &KnownNames) -> Vec<EndpointConfig> {
        expand(config, known, &Changes::default()).clusters[0].endpoints.clone()
    }

    #[test]
    fn addresses_stand_in_the_place_of_their_name_and_inherit_from_it() {
        let config = config(
            r#"["ws://10.0.0.9", { url = "ws://app:8080/base", weight = 2, group = 3, labels = { a = "b" }, max_connections = 7 }, "ws://10.0.0.8"]"#,
        );

        let members = members(&config, &known("app", Records::Addresses, plain(&[1, 2])));

        let urls: Vec<_> = members.iter().map(|member| member.url.as_str()).collect();
        let expected = ["ws://10.0.0.9", "ws://10.0.0.1:8080/base", "ws://10.0.0.2:8080/base", "ws://10.0.0.8"];
        assert_eq!(urls, expected);
        let found = &members[1];
        assert_eq!((found.weight, found.group, found.max_connections), (200, 3, Some(7)));
        assert_eq!(found.labels, [("a".to_owned(), "b".to_owned())]);
        assert_eq!(found.authority.as_str(), "app:8080", "Host and TLS know the name");
        assert_eq!(found.known_as(), "ws://app:8080/base");
        assert_eq!(found.found_by.as_deref(), Some("ws://app:8080/base"));
        assert_eq!(found.address, EndpointAddress::Tcp("10.0.0.1".to_owned(), 8080));
    }

    #[test]
    fn a_name_that_is_not_known_is_an_endpoint_itself() {
        let config = config(r#"["ws://app:8080"]"#);

        assert_eq!(members(&config, &KnownNames::default()), config.clusters[0].endpoints);
    }

    #[test]
    fn an_address_is_one_endpoint_however_often_it_is_found() {
        let config = config(r#"["ws://a", "ws://b", "ws://10.0.0.2"]"#);
        let mut all = known("a", Records::Addresses, plain(&[1, 2]));
        all.extend(known("b", Records::Addresses, plain(&[1, 3])));

        let urls: Vec<_> = members(&config, &all).into_iter().map(|member| member.url).collect();

        assert_eq!(urls, ["ws://10.0.0.1", "ws://10.0.0.3", "ws://10.0.0.2"]);
    }

    #[test]
    fn urls_are_normalised() {
        let v6 = FoundAddress { priority: 0, address: "2001:db8::1".parse().unwrap(), port: None, weight: 0 };
        for (url, expected) in [
            ("wss://app", "wss://[2001:db8::1]"),
            ("wss://app:80", "wss://[2001:db8::1]:80"),
            ("http://app:8080/x", "http://[2001:db8::1]:8080/x"),
        ] {
            let config = config(&format!("[{url:?}]"));

            let members = members(&config, &known("app", Records::Addresses, vec![v6]));

            assert_eq!(members[0].url, expected);
            assert_eq!(crate::config::parse_endpoint(expected).unwrap().url, expected, "as the configuration has it");
        }
    }

    #[test]
    fn priorities_become_groups_and_weights_shares() {
        let config = config(r#"[{ url = "wss://_chat._tcp.example.com", weight = 2, group = 1 }]"#);
        let record = |last: u8, priority, weight| FoundAddress {
            priority,
            address: [10, 0, 0, last].into(),
            port: Some(9000 + u16::from(last)),
            weight,
        };
        type Said = &'static [(u32, u32)];
        let table: [(Vec<FoundAddress>, Said); 4] = [
            (vec![record(1, 10, 10), record(2, 10, 30)], &[(100, 1), (300, 1)]),
            (vec![record(1, 10, 0), record(2, 10, 0)], &[(200, 1), (200, 1)]),
            (vec![record(1, 0, 0), record(2, 0, 65_535)], &[(1, 1), (400, 1)]),
            (vec![record(1, 5, 1), record(2, 7, 9), record(3, 60_000, 0)], &[(200, 1), (200, 2), (200, 3)]),
        ];
        for (records, expected) in table {
            let found = known("_chat._tcp.example.com", Records::Services, records);

            let members = members(&config, &found);

            let said: Vec<_> = members.iter().map(|member| (member.weight, member.group)).collect();
            assert_eq!(said, expected);
            assert_eq!((&*members[0].url, members[0].authority.as_str()), ("wss://10.0.0.1:9001", "example.com"));
        }
    }
}
