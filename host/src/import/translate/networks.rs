//! Networks of clients: as Apache writes them, and what several lists of them come to.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Clients by their addresses: those of `allow`, or everybody, without those of `deny`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Networks {
    /// `None`: everybody.
    pub(super) allow: Option<Vec<IpNet>>,
    pub(super) deny: Vec<IpNet>,
}

impl Networks {
    pub(super) fn everybody() -> Self {
        Self::default()
    }

    pub(super) fn nobody() -> Self {
        Self::of(Vec::new())
    }

    /// Those of these networks.
    pub(super) fn of(networks: Vec<IpNet>) -> Self {
        Self { allow: Some(simplified(networks)), deny: Vec::new() }
    }

    pub(super) fn is_everybody(&self) -> bool {
        self.allow.is_none() && self.deny.is_empty()
    }

    pub(super) fn is_nobody(&self) -> bool {
        self.listed().is_some_and(|list| list.is_empty())
    }

    /// How many networks it takes to write them down.
    pub(super) fn len(&self) -> usize {
        self.allow.as_ref().map_or(0, Vec::len).saturating_add(self.deny.len())
    }

    /// Who is in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let allow = match (&self.allow, &other.allow) {
            (Some(one), Some(another)) => Some(common(one, another)),
            (Some(list), None) | (None, Some(list)) => Some(list.clone()),
            (None, None) => None,
        };
        let deny: Vec<IpNet> = self.deny.iter().chain(&other.deny).copied().collect();
        let deny = match &allow {
            // What is not let in need not be kept out.
            Some(allow) => deny.into_iter().filter(|net| allow.iter().any(|known| overlap(known, net))).collect(),
            None => deny,
        };
        Self { allow, deny: simplified(deny) }
    }

    /// Who is in one of them.
    pub(super) fn or(&self, other: &Self) -> Self {
        if self.is_everybody() || other.is_everybody() {
            return Self::everybody();
        }
        match (self.listed(), other.listed()) {
            (Some(one), Some(another)) => Self::of(one.into_iter().chain(another).collect()),
            (Some(list), None) => Self { allow: None, deny: without(&other.deny, &list) },
            (None, Some(list)) => Self { allow: None, deny: without(&self.deny, &list) },
            (None, None) => Self { allow: None, deny: common(&self.deny, &other.deny) },
        }
    }

    /// Everybody else.
    pub(super) fn not(&self) -> Self {
        match self.listed() {
            Some(list) => Self { allow: None, deny: list },
            None => Self::of(self.deny.clone()),
        }
    }

    /// All of them, where they are a list.
    pub(super) fn listed(&self) -> Option<Vec<IpNet>> {
        self.allow.as_ref().map(|allow| without(allow, &self.deny))
    }
}

/// Whether some address is in both.
fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// Without networks that others hold.
fn simplified(networks: Vec<IpNet>) -> Vec<IpNet> {
    let mut kept: Vec<IpNet> = Vec::with_capacity(networks.len());
    for net in networks {
        if !kept.iter().any(|known| known.contains(&net)) {
            kept.retain(|known| !net.contains(known));
            kept.push(net);
        }
    }
    kept
}

fn common(one: &[IpNet], other: &[IpNet]) -> Vec<IpNet> {
    let pairs = one.iter().flat_map(|net| other.iter().map(move |another| (net, another)));
    let both = pairs.filter_map(|(net, another)| match (net.contains(another), another.contains(net)) {
        (true, _) => Some(*another),
        (false, true) => Some(*net),
        (false, false) => None,
    });
    simplified(both.collect())
}

/// What is left of `networks` without `holes`.
fn without(networks: &[IpNet], holes: &[IpNet]) -> Vec<IpNet> {
    let mut left = networks.to_vec();
    for hole in holes {
        left = left.into_iter().flat_map(|net| around(net, hole)).collect();
    }
    simplified(left)
}

/// What is left of `net` without `hole`: halves, halves of halves, as many as it takes.
fn around(net: IpNet, hole: &IpNet) -> Vec<IpNet> {
    let mut left = Vec::new();
    let mut rest = Some(net);
    while let Some(net) = rest.take() {
        if hole.contains(&net) {
            break;
        }
        let halves = net.subnets(net.prefix_len().saturating_add(1)).ok().filter(|_halves| net.contains(hole));
        let Some(halves) = halves else {
            left.push(net);
            break;
        };
        for half in halves {
            if overlap(&half, hole) { rest = Some(half) } else { left.push(half) }
        }
    }
    left
}

/// A network as Apache's `Require ip` and `Allow from` write it: an address, the beginning of one (`10.1`), or either with `/BITS` or
/// a netmask behind (`apr_ipsubnet_create`). `None`: it is none, or its netmask has holes.
pub(super) fn network(word: &str) -> Option<IpNet> {
    let Some((address, mask)) = word.split_once('/') else {
        return match word.parse::<IpAddr>() {
            Ok(address) => Some(IpNet::from(address)),
            Err(_no_address) => beginning(word).map(IpNet::V4),
        };
    };
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => Ipv6Net::new(address, bits(mask)?).ok().map(|net| IpNet::V6(net.trunc())),
        Ok(IpAddr::V4(address)) => {
            let net = match mask.parse::<Ipv4Addr>() {
                Ok(mask) => Ipv4Net::with_netmask(address, mask).ok()?,
                Err(_no_mask) => Ipv4Net::new(address, bits(mask)?).ok()?,
            };
            Some(IpNet::V4(net.trunc()))
        }
        Err(_no_address) => None,
    }
}

/// How many bits count; Apache refuses 0.
fn bits(text: &str) -> Option<u8> {
    text.parse().ok().filter(|bits| *bits > 0)
}

/// `10`, `10.1`, `10.1.2` and these with a dot behind.
fn beginning(word: &str) -> Option<Ipv4Net> {
    let octets: Vec<&str> = word.strip_suffix('.').unwrap_or(word).split('.').collect();
    let mut address = [0_u8; 4];
    if octets.len() > 3 {
        return None;
    }
    for (octet, written) in address.iter_mut().zip(&octets) {
        *octet = written.parse().ok()?;
    }
    let bits = u8::try_from(octets.len()).ok()?.checked_mul(8)?;
    Ipv4Net::new(Ipv4Addr::from(address), bits).ok()
}

/// As `allow` and `deny` have it: a single address without its bits.
pub(super) fn written(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> Networks {
        Networks::of(words.split_whitespace().map(|word| network(word).expect(word)).collect())
    }

    fn told(networks: &Networks) -> String {
        let list = |list: &[IpNet]| list.iter().map(written).collect::<Vec<_>>().join(" ");
        let allow = networks.allow.as_ref().map_or("*".to_owned(), |allow| list(allow));
        if networks.deny.is_empty() { allow } else { format!("{allow} - {}", list(&networks.deny)) }
    }

    #[test]
    fn networks_are_read_as_apache_reads_them() {
        let table = [
            ("10.1.2.3", "10.1.2.3"),
            ("10", "10.0.0.0/8"),
            ("10.1", "10.1.0.0/16"),
            ("192.168.2.", "192.168.2.0/24"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.0.0.0/255.255.0.0", "10.0.0.0/16"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::1", "::1"),
        ];
        for (word, expected) in table {
            assert_eq!(network(word).map(|net| written(&net)).as_deref(), Some(expected), "{word}");
        }
        for word in [
            "example.org",
            "10.0.0.0/0",
            "10.0.0.0/255.0.255.0",
            "10.300",
            "10.1/16",
            "[::1]",
            "10.1,",
            "",
            "1.2.3.4.5",
        ] {
            assert_eq!(network(word), None, "{word}");
        }
    }

    #[test]
    fn lists_come_to_what_their_addresses_come_to() {
        let (ten, inner, other) = (of("10"), of("10.1 10.2.0.1"), of("192.168 10.9"));

        assert_eq!(told(&ten.or(&inner)), "10.0.0.0/8");
        assert_eq!(told(&inner.or(&other)), "10.1.0.0/16 10.2.0.1 192.168.0.0/16 10.9.0.0/16");
        assert_eq!(told(&ten.and(&other)), "10.9.0.0/16");
        assert_eq!(told(&ten.and(&inner.not())), "10.0.0.0/8 - 10.1.0.0/16 10.2.0.1");
        assert_eq!(told(&other.and(&of("172.16").not())), "192.168.0.0/16 10.9.0.0/16", "nobody of it is let in");
        assert_eq!(told(&ten.not().or(&of("10.128.0.0/9"))), "* - 10.0.0.0/9");
        assert_eq!(told(&ten.not().or(&inner.not())), "* - 10.1.0.0/16 10.2.0.1");
        assert_eq!(
            told(&of("10.0.0.0/30").and(&of("10.0.0.1").not()).or(&of("11"))),
            "10.0.0.2/31 10.0.0.0 11.0.0.0/8"
        );
        assert_eq!(told(&ten.not().not()), "10.0.0.0/8");
        assert!(ten.and(&ten.not()).is_nobody() && ten.or(&Networks::everybody()).is_everybody());
        assert!(Networks::everybody().not().is_nobody() && Networks::nobody().not().is_everybody());
    }
}
