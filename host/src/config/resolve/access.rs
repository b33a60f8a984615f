//! Who may use a `[[route]]`: `allow`, `deny`, `origins` and `basic_auth`.

use ipnet::IpNet;
use toml::Spanned;

use super::super::model::{AccessConfig, UpgradeConfig};
use super::super::schema::{RouteSection, Text};
use super::Resolver;
use super::action::Action;
use super::cluster::Resolved;
use crate::net::{AllowedOrigin, WebOrigin};

impl Resolver<'_, '_> {
    /// Who may use a route that does `action`, and lets protocols of `upgrade` through.
    pub(super) fn access(
        &mut self,
        written: &RouteSection,
        action: Option<&Action>,
        upgrade: &UpgradeConfig,
        clusters: &[Resolved],
    ) -> AccessConfig {
        let hint = "leave it out to let everybody in; deny = [\"0.0.0.0/0\", \"::/0\"] lets nobody in";
        let access = AccessConfig {
            allow: self.networks("allow", written.allow.as_ref(), hint),
            deny: self.networks("deny", written.deny.as_ref(), "leave it out"),
            origins: self.origins(written.origins.as_ref()),
            basic: written.basic_auth.as_ref().map(|table| self.basic_auth(table)),
            forward: written.forward_auth.as_ref().and_then(|written| self.forward_auth(written.get_ref(), clusters)),
        };
        self.networks_without_effect(written, &access);
        if matches!(action, Some(Action::Exclude)) {
            for (key, list) in [("allow", &written.allow), ("deny", &written.deny)] {
                if let Some(list) = list {
                    let message = format!("`{key}` of a route with to = \"!\": its 404 is for everybody");
                    self.report.warn(list.span(), message);
                }
            }
            if let Some(table) = &written.basic_auth {
                let message = "`basic_auth` of a route with to = \"!\": its 404 is for everybody";
                self.report.warn(table.span(), message);
            }
            if let Some(table) = &written.forward_auth {
                let message = "`forward_auth` of a route with to = \"!\": its 404 is for everybody";
                self.report.warn(table.span(), message);
            }
        }
        let switches =
            *upgrade != UpgradeConfig::Only(Vec::new()) && matches!(action, None | Some(Action::Forward { .. }));
        if let Some(list) = written.origins.as_ref().filter(|_| !switches) {
            let message = "`origins` of a route that lets no protocol be switched to: it is about websockets and other \
                           upgrades alone";
            self.report.warn(list.span(), message);
        }
        access
    }

    fn networks(&mut self, key: &str, written: Option<&Spanned<Vec<Text>>>, hint: &str) -> Vec<IpNet> {
        let Some(list) = written else { return Vec::new() };
        if list.get_ref().is_empty() {
            let message = format!("`{key}` is empty, expected at least one network");
            self.report.fault_hint(list.span(), message, hint);
        }
        list.get_ref().iter().filter_map(|net| self.network(key, net)).collect()
    }

    /// Warns of networks that change nothing: `deny` is asked first, and nobody but `allow` gets in.
    fn networks_without_effect(&mut self, written: &RouteSection, access: &AccessConfig) {
        let texts = |list: Option<&Spanned<Vec<Text>>>| list.map(|list| list.get_ref().clone()).unwrap_or_default();
        // Where one has a fault, places are others'.
        let (allow, deny) = (texts(written.allow.as_ref()), texts(written.deny.as_ref()));
        if allow.len() != access.allow.len() || deny.len() != access.deny.len() || allow.is_empty() {
            return;
        }
        for (text, net) in allow.iter().zip(&access.allow) {
            if let Some(denied) = access.deny.iter().find(|denied| denied.contains(net)) {
                let message = format!(
                    "network \"{}\" in `allow` is within {denied} of `deny`: nobody of it gets in",
                    text.get_ref()
                );
                self.report.warn(text.span(), message);
            }
        }
        for (text, net) in deny.iter().zip(&access.deny) {
            if !access.allow.iter().any(|allowed| allowed.contains(net) || net.contains(allowed)) {
                let message =
                    format!("network \"{}\" in `deny` is in none of `allow`: it is kept out already", text.get_ref());
                self.report.warn(text.span(), message);
            }
        }
    }

    fn origins(&mut self, written: Option<&Spanned<Vec<Text>>>) -> Vec<AllowedOrigin> {
        let Some(list) = written else { return Vec::new() };
        if list.get_ref().is_empty() {
            let message = "`origins` is empty, expected at least one origin";
            let hint = "leave it out to let every page in; \"same\" lets those in that are of the request's own host";
            self.report.fault_hint(list.span(), message, hint);
        }
        list.get_ref().iter().filter_map(|origin| self.origin(origin)).collect()
    }

    fn origin(&mut self, written: &Text) -> Option<AllowedOrigin> {
        let text = written.get_ref().as_str();
        match text {
            "null" => return Some(AllowedOrigin::Null),
            "same" => return Some(AllowedOrigin::Same),
            _ => {}
        }
        let (read, below) = match text.split_once("://*.") {
            Some((scheme, above)) => (format!("{scheme}://{above}").parse::<WebOrigin>(), true),
            None => (text.parse::<WebOrigin>(), false),
        };
        let Ok(origin) = read else {
            let message = format!(
                "bad origin \"{text}\" in `origins`, expected `scheme://host[:port]`, `scheme://*.host[:port]`, \"same\" \
                 or \"null\""
            );
            self.report.fault_hint(written.span(), message, remedy(text));
            return None;
        };
        if let "ws" | "wss" = origin.scheme() {
            let message = format!("origin \"{text}\" in `origins` never comes: browsers say where the page is from");
            let scheme = if origin.scheme() == "ws" { "http" } else { "https" };
            let rest = text.split_once("://").map_or("", |(_, rest)| rest);
            self.report.fault_hint(written.span(), message, format!("write \"{scheme}://{rest}\""));
        }
        Some(if below { AllowedOrigin::Below(origin) } else { AllowedOrigin::Is(origin) })
    }
}

/// What to write in place of what is no origin.
fn remedy(text: &str) -> String {
    if matches!(text, "*" | "any") {
        return "leave `origins` out to let every page in".to_owned();
    }
    if matches!(text, "self" | "'self'") {
        return "write \"same\"".to_owned();
    }
    if let Some(word) = ["same", "null"].into_iter().find(|word| word.eq_ignore_ascii_case(text)) {
        return format!("write \"{word}\"");
    }
    if !text.is_ascii() {
        return "write the host in its ASCII form (xn--…)".to_owned();
    }
    let is_origin = |text: &str| text.replacen("://*.", "://", 1).parse::<WebOrigin>().is_ok();
    let candidate = match text.split_once("://") {
        // A URL of the page.
        Some((scheme, rest)) => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            format!("{scheme}://{authority}")
        }
        None => format!("https://{text}"),
    };
    let meant = if is_origin(&candidate) { candidate.as_str() } else { "https://app.example" };
    if meant == candidate { format!("write \"{meant}\"") } else { format!("for example \"{meant}\"") }
}
