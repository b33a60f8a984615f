//! Flags of a RewriteRule.

/// The flags behind a rule.
#[derive(Debug, Default)]
pub(super) struct RewriteFlags {
    pub(super) proxy: bool,
    pub(super) redirect: Option<u16>,
    pub(super) answer: Option<u16>,
    pub(super) pass_through: bool,
    pub(super) last: bool,
    /// What follows depends on whether the rule has run, or a cookie is set.
    pub(super) strange: bool,
    pub(super) ignores_case: bool,
    /// The client's query follows that of the target.
    pub(super) appends_query: bool,
    /// The client's query is left out.
    pub(super) discards_query: bool,
}

impl RewriteFlags {
    /// The target of a redirect with what becomes of the client's query, as `redirect` says it: without a query of its
    /// own it has the client's.
    pub(super) fn with_query(&self, to: &str) -> String {
        if let Some(path) = to.strip_suffix("?%{QUERY_STRING}") {
            return path.to_owned();
        }
        if let Some(own) = to.strip_suffix("&%{QUERY_STRING}") {
            return format!("{own}&$query");
        }
        let (head, fragment) = to.find('#').map_or((to, ""), |at| to.split_at(at));
        match head.split_once('?') {
            Some((path, "")) if self.appends_query => format!("{path}{fragment}"),
            Some(_) if self.appends_query => format!("{head}&$query{fragment}"),
            None if self.discards_query => format!("{head}?{fragment}"),
            _ => to.to_owned(),
        }
    }
}

/// Reads `[P,L]`.
pub(super) fn flags(written: &str) -> RewriteFlags {
    let mut flags = RewriteFlags::default();
    for flag in written.trim_matches(['[', ']']).split(',') {
        let (name, value) = flag.trim().split_once('=').unwrap_or((flag.trim(), ""));
        match name.to_ascii_lowercase().as_str() {
            "p" | "proxy" => flags.proxy = true,
            "f" | "forbidden" => flags.answer = Some(403),
            "g" | "gone" => flags.answer = Some(410),
            "pt" | "passthrough" => flags.pass_through = true,
            "qsa" | "qsappend" => flags.appends_query = true,
            "qsd" | "qsdiscard" => flags.discards_query = true,
            "l" | "last" | "end" => flags.last = true,
            "nc" | "nocase" => flags.ignores_case = true,
            "r" | "redirect" => match value.to_ascii_lowercase().as_str() {
                "" | "temp" => flags.redirect = Some(302),
                "permanent" => flags.redirect = Some(301),
                "seeother" => flags.redirect = Some(303),
                code => match code.parse::<u16>() {
                    Ok(code) if (300..400).contains(&code) => flags.redirect = Some(code),
                    Ok(code) => flags.answer = Some(code),
                    Err(_no_number) => flags.redirect = Some(302),
                },
            },
            "s" | "skip" | "c" | "chain" | "n" | "next" | "co" | "cookie" => flags.strange = true,
            _ => {}
        }
    }
    flags
}
