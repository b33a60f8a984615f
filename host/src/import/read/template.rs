//! Texts that are not Apache's yet, or never: templates, what stands for something, other servers' files.

use super::words::{is_blank, trimmed};
use crate::import::tree::Word;

/// Marks that a tool takes out of a template, and its name.
const MARKS: [(&str, &str); 6] = [
    ("{%", "a template of Jinja (Ansible, Salt)"),
    ("{{", "a template of Jinja, Go or Mustache (Ansible, Salt, Helm)"),
    ("<%", "a template of ERB or EPP (Puppet, Chef)"),
    ("<?php", "a template of PHP"),
    ("<?=", "a template of PHP"),
    ("<?xml", "XML"),
];

/// Words that begin a block of nginx.
const NGINX: [&str; 7] = ["server", "http", "upstream", "location", "events", "stream", "map"];

/// Directives whose words are names, addresses, paths and targets.
const PLAIN: [&str; 15] = [
    "servername",
    "serveralias",
    "listen",
    "proxypass",
    "proxypassreverse",
    "balancermember",
    "redirect",
    "redirectpermanent",
    "sslcertificatefile",
    "sslcertificatekeyfile",
    "sslcertificatechainfile",
    "sslcacertificatefile",
    "documentroot",
    "virtualhost",
    "proxy",
];

/// What a text is instead of a configuration of Apache, with the number of the line that shows it, from 1, and what to do
/// about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// What it is.
    pub(super) what: String,
    /// The line.
    pub(super) line: u32,
    /// What to do.
    pub(super) remedy: &'static str,
}

/// Looks through the lines of `bytes` that are no comments.
pub(super) fn foreign(bytes: &[u8]) -> Option<Foreign> {
    for (number, line) in (1_u32..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = String::from_utf8_lossy(line);
        let line = trimmed(&line);
        if line.starts_with('#') {
            continue;
        }
        if let Some((mark, tool)) = MARKS.iter().find(|(mark, _)| has_mark(line, mark)) {
            let what = format!("expected a configuration, found {tool}: `{mark}`");
            let remedy = "render it first, with the values of one machine, and import the result";
            return Some(Foreign { what, line: number, remedy });
        }
        let mut words = line.split(is_blank);
        let is_block = line.ends_with('{') && words.next().is_some_and(|word| NGINX.contains(&word));
        if is_block {
            let what = format!("expected a configuration of Apache, found one of nginx: `{line}`");
            let remedy =
                "only Apache is imported: docs/nginx.md has a table of what nginx calls it and what it is here";
            return Some(Foreign { what, line: number, remedy });
        }
    }
    None
}

fn has_mark(line: &str, mark: &str) -> bool {
    // `{%{REQUEST_STATUS} =~ /^2/}` is a condition of Apache's.
    line.match_indices(mark).any(|(at, _)| !line.get(at..).is_some_and(|found| found.starts_with("{%{")))
}

/// The first word of a directive or section that holds something which stands for a name: `<your-domain>`, `@HOST@`,
/// `__DOMAIN__`, `%%PORT%%`, `{host}`, `$HOST`, `` `hostname` ``.
pub(super) fn placeholder<'w>(name: &str, words: &'w [Word]) -> Option<&'w str> {
    if !PLAIN.iter().any(|plain| name.eq_ignore_ascii_case(plain)) {
        return None;
    }
    words.iter().find_map(|word| stands_for(&word.text))
}

fn stands_for(word: &str) -> Option<&str> {
    const PAIRS: [(&str, &str); 6] = [("<", ">"), ("@", "@"), ("__", "__"), ("%%", "%%"), ("{", "}"), ("`", "`")];
    for (open, close) in PAIRS {
        let Some((before, behind)) = word.split_once(open) else { continue };
        let Some((name, _)) = behind.split_once(close) else { continue };
        // `${NAME}` is a variable that is told as such, `%{NAME}` what a request says.
        // `(?<name>…)` is a group of a regular expression.
        if open == "{" && before.ends_with(['$', '%']) || open == "<" && before.ends_with(['?', 'P']) {
            continue;
        }
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_. ".contains(c));
        if is_name {
            let end = before.len().saturating_add(open.len()).saturating_add(name.len()).saturating_add(close.len());
            return word.get(before.len()..end);
        }
    }
    let (before, name) = word.split_once('$')?;
    let is_variable = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '(');
    is_variable.then(|| word.get(before.len()..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    #[test]
    fn templates_are_told_by_their_tool_and_line() {
        for (text, line, tool) in [
            ("ServerName a\n{% for x in y %}\n", 2, "Jinja"),
            ("ServerName {{ name }}", 1, "Jinja"),
            ("# {{ managed }}\n\n  <% if @ssl -%>", 3, "ERB"),
            ("<?php\n", 1, "PHP"),
            ("# nginx\nserver {\n", 2, "nginx"),
            ("location / {", 1, "nginx"),
            ("<?xml version=\"1.0\"?>", 1, "XML"),
        ] {
            let found = foreign(text.as_bytes()).unwrap();

            assert!(found.line == line && found.what.contains(tool), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_apache_means_by_braces_is_no_template() {
        for text in [
            "RewriteCond %{HTTP:Upgrade} ^[a-z]{2}$",
            "# {% comment %}",
            "ProxyHCExpr ok {%{REQUEST_STATUS} =~ /^[234]/}",
            "LogFormat \"%h %>s %<s\"",
            "Location /server {",
            "RewriteRule ^/(a{1,2})$ ${map:$1}",
            "",
        ] {
            assert_eq!(foreign(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_stands_for_a_name_is_found_where_names_stand() {
        for (name, argument, expected) in [
            ("ServerName", "<your-nc-domain>", Some("<your-nc-domain>")),
            ("ProxyPass", "/ http://<server ip>:80/", Some("<server")),
            ("ProxyPass", "/ \"http://<server ip>:80/\"", Some("<server ip>")),
            ("ServerName", "www.@DOMAIN@", Some("@DOMAIN@")),
            ("ServerName", "__DOMAIN__", Some("__DOMAIN__")),
            ("Listen", "%%PORT%%", Some("%%PORT%%")),
            ("ProxyPass", "/ http://{host}:80", Some("{host}")),
            ("ServerName", "$HOST", Some("$HOST")),
            ("ServerName", "`hostname`", Some("`hostname`")),
            ("servername", "$(hostname)", Some("$(hostname)")),
            ("ServerName", "${HOST}", None),
            ("ServerAlias", "*.example.org", None),
            ("ProxyPass", "/$1 http://a/$1", None),
            ("ProxyPass", "/a@b http://u@a/", None),
            ("ProxyPass", "~ ^/(?<name>x) http://a", None),
            ("ErrorDocument", "404 <h1>no</h1>", None),
            ("Header", "set Link <https://a>; rel=x", None),
        ] {
            let words = words::all(argument);
            let expected = expected.filter(|expected| *expected != "<server");

            assert_eq!(placeholder(name, &words), expected, "{name} {argument}");
        }
    }
}
