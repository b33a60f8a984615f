//! The `to` of a `redirect`: a path or an absolute URL, in which names and groups stand for what is asked for.

use ::http::Uri;

use super::super::schema::Text;
use super::Resolver;
use super::matcher::Matcher;
use crate::diagnose::closest;

/// What may stand behind a `$`, beside the number of a group and another `$`.
const NAMES: [&str; 3] = ["host", "path", "query"];

impl Resolver<'_, '_> {
    /// Checks where a redirect leads.
    pub(super) fn redirect_to(&mut self, written: &Text, matcher: Option<&Matcher>) {
        let to = written.get_ref();
        let outline = match outline(to) {
            Ok(outline) => outline,
            Err(name) => {
                let message = format!(
                    "unknown `${name}` in `redirect`, expected one of `$host`, `$path`, `$query`, `$1` to `$9`, and `$$` for \
                     a `$`"
                );
                match closest(name, NAMES) {
                    Some(meant) => self.report.fault_meant(written.span(), message, Some(&format!("${meant}"))),
                    None => self.report.fault_hint(written.span(), message, format!("write \"$${name}\" for the text")),
                }
                return;
            }
        };
        let is_absolute = outline.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.authority().is_some());
        let is_clean = !to.chars().any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii());
        if !is_clean || !(to.starts_with('/') || is_absolute) {
            let message = format!("bad `to` \"{to}\" in `redirect`, expected a path or an absolute URL");
            self.report.fault_hint(written.span(), message, "for example \"/new\" or \"https://example.org/new\"");
        }
        if authority(&outline).contains('$') {
            let message =
                format!("bad `to` \"{to}\" in `redirect`: a group may not name the server, only what follows it");
            self.report.fault_hint(
                written.span(),
                message,
                "for example \"https://example.org/$1\" or \"https://$host/$1\"",
            );
        }
        if let Some(Matcher::Prefix(from)) = matcher
            && !names_path(to)
        {
            self.redirect_ends(from, &outline, written);
        }
    }

    /// Warns where what is left of a path does not fit behind a redirect's target. A server alone is given a slash.
    fn redirect_ends(&mut self, from: &str, outline: &str, written: &Text) {
        let (to, server) = (written.get_ref(), authority(outline));
        let is_path = !outline.contains(['?', '#']) && (server.is_empty() || !outline.ends_with(server));
        let (ends, does_not, between) = match (from.ends_with('/'), outline.ends_with('/')) {
            (true, false) if is_path => ("path", "to", ""),
            (false, true) if is_path => ("to", "path", "/"),
            _ => return,
        };
        let message = format!(
            "`{ends}` ends with `/` and `{does_not}` does not: clients would be sent to {to}{between}x for \
             {from}{between}x; end both with `/` or neither"
        );
        self.report.warn(written.span(), message);
    }
}

/// Whether the path that is asked for is what a redirect leads to, at the same host by TLS: for clients with TLS a circle.
pub(super) fn leads_to_tls_alone(to: &str) -> bool {
    let rest = to.strip_prefix("https://$host");
    rest.is_some_and(|rest| {
        let path = rest.strip_prefix(':').map_or(rest, |port| port.trim_start_matches(|c: char| c.is_ascii_digit()));
        path.strip_prefix("$path").is_some_and(|rest| !rest.starts_with(is_of_name))
    })
}

/// Whether the client's path stands in it.
fn names_path(to: &str) -> bool {
    let (mut found, mut rest) = (false, to);
    while let Some((_, behind)) = rest.split_once('$') {
        let (name, _) = behind.split_at(behind.find(|c| !is_of_name(c)).unwrap_or(behind.len()));
        found |= name == "path";
        rest = behind.strip_prefix('$').unwrap_or(behind);
    }
    found
}

/// What a target looks like, as far as that says where the server ends: `$` stands for what may be anything.
///
/// # Errors
/// A name that is none.
fn outline(to: &str) -> Result<String, &str> {
    let (mut outline, mut rest) = (String::new(), to);
    while let Some((before, behind)) = rest.split_once('$') {
        outline.push_str(before);
        let (name, after) = behind.split_at(behind.find(|c| !is_of_name(c)).unwrap_or(behind.len()));
        let begins_with_digit = name.starts_with(|c: char| c.is_ascii_digit());
        (outline, rest) = match name {
            "host" => (outline + "host", after),
            "path" => (outline + "/", after),
            "query" => (outline + "$", after),
            "" => (outline + "$", behind.strip_prefix('$').unwrap_or(behind)),
            _ if begins_with_digit => (outline + "$", behind.get(1..).unwrap_or_default()),
            unknown => return Err(unknown),
        };
    }
    Ok(outline + rest)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What names the server in a redirect's target, read as browsers do: any run of `/` and `\` begins it. Empty for a
/// path.
fn authority(to: &str) -> &str {
    let rest = match to.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => rest,
        _ => return "",
    };
    rest.trim_start_matches(['/', '\\']).split(['/', '?', '#', '\\']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_shows_where_the_server_ends() {
        let table = [
            ("https://$host$path?$query", Ok("https://host/?$")),
            ("https://$host:8443/$1x", Ok("https://host:8443/$x")),
            ("/cost$/x$", Ok("/cost$/x$")),
            ("/$$path/$$$path", Ok("/$path/$/")),
            ("/a/$uri", Err("uri")),
            ("/$path2", Err("path2")),
            ("/$12", Ok("/$2")),
        ];

        for (to, expected) in table {
            assert_eq!(outline(to).as_deref(), expected.as_deref(), "{to}");
        }
    }

    #[test]
    fn the_whole_path_is_named_or_it_is_not() {
        for (to, named, to_tls) in [
            ("https://$host$path", true, true),
            ("https://$host:8443$path?$query", true, true),
            ("https://www.$host$path", true, false),
            ("https://$host/new", false, false),
            ("/$$path", false, false),
            ("/$$$path", true, false),
            ("https://$host/x$path", true, false),
        ] {
            assert_eq!((names_path(to), leads_to_tls_alone(to)), (named, to_tls), "{to}");
        }
    }
}
