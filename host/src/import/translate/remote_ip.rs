//! `RemoteIP…`: which proxies in front are believed.

use super::super::report::{Report, Severity};
use super::sites::Sites;

/// Who is believed.
pub(super) struct FrontProxies {
    /// `[gateway.forwarded] trusted`.
    pub(super) trusted: Vec<String>,
    /// Whether clients have the addresses here that they have in Apache.
    pub(super) are_known: bool,
}

/// Reads the lines of all servers.
pub(super) fn read(sites: &Sites<'_>, report: &mut Report) -> FrontProxies {
    let mut are_known = true;
    let mut trusted: Vec<String> = Vec::new();
    let scopes = std::iter::once(&sites.main).chain(sites.sites.iter().map(|site| &site.scope));
    let mut header = None;
    let mut listed = false;
    for line in scopes.flat_map(|scope| scope.remote_ip.iter()) {
        if line.is("RemoteIPHeader") {
            let name = line.word(0).unwrap_or_default();
            if !["x-forwarded-for", "forwarded"].contains(&name.to_ascii_lowercase().as_str()) {
                let what = format!("the client's address is read from X-Forwarded-For and Forwarded, not from {name}");
                report.refuse(&line.place, what, "let the proxy in front send X-Forwarded-For");
                are_known = false;
            }
            header = Some(&line.place);
        } else if line.is("RemoteIPInternalProxyList") || line.is("RemoteIPTrustedProxyList") {
            (listed, are_known) = (true, false);
            let what = format!("the list in {} is not read", line.word(0).unwrap_or_default());
            report.refuse(&line.place, what, "forwarded = { trusted = [ … ] } in [gateway] with its addresses");
        } else if line.is("RemoteIPInternalProxy") || line.is("RemoteIPTrustedProxy") {
            listed = true;
            for word in &line.words {
                let text = word.text.as_str();
                if text.parse::<ipnet::IpNet>().is_err() && text.parse::<std::net::IpAddr>().is_err() {
                    let what = format!("`{text}` is no address and no network");
                    are_known = false;
                    report.refuse(
                        &line.place,
                        what,
                        "forwarded = { trusted = [ … ] } in [gateway] takes \"IP\" and \"IP/BITS\"",
                    );
                } else if !trusted.iter().any(|known| known == text) {
                    trusted.push(text.to_owned());
                }
            }
        }
    }
    if let Some(place) = header.filter(|_place| !listed) {
        are_known = false;
        let what =
            "without RemoteIPInternalProxy Apache believes everybody's header; here nobody's until they are named";
        report.add(
            place,
            Severity::Changed,
            what,
            Some("forwarded = { trusted = [ … ] } in [gateway] with the proxies in front"),
        );
    }
    FrontProxies { trusted, are_known }
}
