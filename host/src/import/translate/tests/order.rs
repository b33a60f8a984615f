use super::super::super::Severity;
use super::{becomes, imported, is_clean, says};

#[test]
fn the_last_location_that_matches_comes_first() {
    becomes(
        "ProxyPass / http://127.0.0.1:1/\n<Location /a>\nProxyPass http://127.0.0.1:2/a\n</Location>\n\
         <Location /a/b>\nProxyPass http://127.0.0.1:3/a/b\n</Location>\n",
        r#"
            [[route]]
            path = "/a/b"
            to = "http://127.0.0.1:3/a/b"
            [[route]]
            path = "/a"
            to = "http://127.0.0.1:2/a"
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn a_location_before_a_wider_one_is_dead() {
    let apache = "<Location /a/b>\nProxyPass ws://127.0.0.1:3/a/b\n</Location>\n\
                  <Location /a>\nProxyPass http://127.0.0.1:2/a\n</Location>\n";

    becomes(apache, "[[route]]\npath = \"/a\"\nto = \"http://127.0.0.1:2/a\"");
    says(apache, 2, Severity::Dropped, "dead: site.conf:5");
}

#[test]
fn the_main_servers_mappings_come_before_those_of_a_virtual_host() {
    let apache = "ProxyPass /x http://127.0.0.1:1/\n<VirtualHost *:80>\nProxyPass /x http://127.0.0.1:2/\n\
                  ProxyPass /y http://127.0.0.1:2/y\n</VirtualHost>\n";

    becomes(
        apache,
        r#"
            [[route]]
            path = "/x"
            to = "http://127.0.0.1:1/"
            [[route]]
            path = "/y"
            to = "http://127.0.0.1:2/y"
        "#,
    );
    says(apache, 3, Severity::Dropped, "dead: site.conf:1");
}

#[test]
fn a_redirect_is_hidden_by_a_mapping_and_alive_behind_an_exclusion() {
    let hidden = "Redirect /old /new\nProxyPass / http://127.0.0.1:1/\n";
    says(hidden, 1, Severity::Dropped, "dead");
    becomes(
        "<Location /old>\nRedirect /new\n</Location>\nProxyPass / http://127.0.0.1:1/\n",
        r#"
            [[route]]
            path_regex = "^/old(/|$)"
            redirect = { to = "/new" }
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn what_is_not_proxied_may_be_redirected() {
    becomes(
        "ProxyPass /old !\nProxyPass / http://127.0.0.1:1/\nRedirect 301 /old /new\n",
        r#"
            [[route]]
            path = "/old"
            redirect = { to = "/new", status = 301 }
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn what_is_behind_everything_is_dead() {
    let apache = "ProxyPass / http://127.0.0.1:1/\nProxyPass /static !\nProxyPass /x http://127.0.0.1:2/\n";

    becomes(apache, "[[route]]\npath = \"/\"\nto = \"http://127.0.0.1:1\"");
    says(apache, 2, Severity::Dropped, "dead: site.conf:1");
    says(apache, 3, Severity::Dropped, "dead: site.conf:1");
}

#[test]
fn a_slash_on_one_side_is_told() {
    says("ProxyPass /a/ http://127.0.0.1:1/b\n", 1, Severity::Changed, "Apache makes /bx of /a/x");
    says("ProxyPass /a http://127.0.0.1:1/b/\n", 1, Severity::Note, "/a/x becomes /b//x");
    says("ProxyPass / http://127.0.0.1:1\n", 1, Severity::Changed, "only / works there");
}

#[test]
fn patterns_of_proxy_pass_match_are_prefixes_where_they_can_be() {
    becomes(
        "ProxyPassMatch ^/a/(.*)$ http://127.0.0.1:1/b/$1\n",
        r#"
        [[route]]
        path = "/a/"
        to = "http://127.0.0.1:1/b/"
    "#,
    );
    becomes(
        "ProxyPassMatch ^/a(/.*)?$ http://127.0.0.1:1/b$1\n",
        r#"
        [[route]]
        path = "/a"
        to = "http://127.0.0.1:1/b"
    "#,
    );
    becomes(
        "ProxyPassMatch ^/(.*\\.gif)$ http://127.0.0.1:1/$1\n",
        r#"
        [[route]]
        path_regex = '^/(.*\.gif)$'
        to = "http://127.0.0.1:1/$1"
    "#,
    );
    // Without a group the whole path follows.
    becomes(
        "ProxyPassMatch ^/x/.*\\.gif$ http://127.0.0.1:1\n",
        r#"
        [[route]]
        path_regex = '^/x/.*\.gif$'
        to = "http://127.0.0.1:1"
    "#,
    );
}

#[test]
fn a_rewrite_with_pt_and_its_mapping_are_one_route() {
    becomes(
        "RewriteEngine On\nRewriteRule ^/search$ /plugins/search [PT]\nProxyPass / http://127.0.0.1:1/\n",
        r#"
            [[route]]
            path_regex = "^/search$"
            to = "http://127.0.0.1:1/plugins"
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
    let without = "RewriteEngine On\nRewriteRule ^/search$ /plugins/search\nProxyPass / http://127.0.0.1:1/\n";
    says(without, 2, Severity::Refused, "leads to a file");
}

#[test]
fn what_a_rule_leaves_out_goes_where_it_went() {
    becomes(
        "RewriteEngine On\nRewriteCond %{REQUEST_URI} !^/api\nRewriteRule ^/(.*)$ http://127.0.0.1:1/$1 [P]\n\
         ProxyPass /api http://127.0.0.1:2/api\n",
        r#"
            [[route]]
            path = "/api"
            to = "http://127.0.0.1:2/api"
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn a_target_that_is_not_spoken_to_does_not_leave_its_path_to_others() {
    becomes(
        "ProxyPass /a ajp://127.0.0.1:8009/a\nProxyPass / http://127.0.0.1:1/\n",
        r#"
        [[route]]
        path = "/a"
        respond = { status = 501 }
        [[route]]
        path = "/"
        to = "http://127.0.0.1:1"
    "#,
    );
    says("ProxyPass /a ajp://127.0.0.1:8009/a\n", 1, Severity::Refused, "`ajp`");
}

#[test]
fn words_behind_the_url_are_refused_as_by_apache() {
    says("ProxyPass / http://127.0.0.1:1/ # the app\n", 1, Severity::Refused, "`#`");
    says("ProxyPass / http://127.0.0.1:1/ timeoutt=5\n", 1, Severity::Refused, "`timeoutt`");
}

#[test]
fn cookies_are_mapped_back_as_their_location_says() {
    becomes(
        "<Location /a/>\nProxyPass http://127.0.0.1:1/a/\nProxyPassReverseCookiePath /a/ /\n</Location>\n\
         ProxyPass /b http://127.0.0.1:1/b\n",
        r#"
            [[route]]
            path = "/a/"
            to = "http://127.0.0.1:1/a/"
            reverse = { cookie_paths = { "/a/" = "/" } }
            [[route]]
            path = "/b"
            to = "http://127.0.0.1:1/b"
        "#,
    );
}

#[test]
fn a_location_by_a_pattern_holds_for_all_that_begins_as_it_says() {
    becomes(
        "ProxyPass /admin http://127.0.0.1:1/admin\nProxyPassMatch ^/?api(.*) http://127.0.0.1:1/api$1\n\
         ProxyPass / http://127.0.0.1:1/\n<LocationMatch \"^/(admin|metrics)\">\nRequire ip 10.0.0.0/8\n</LocationMatch>\n",
        r#"
            [[route]]
            path = "/admin"
            to = "http://127.0.0.1:1/admin"
            allow = ["10.0.0.0/8"]
            [[route]]
            path_regex = "^/?api(.*)"
            to = "http://127.0.0.1:1/api$1"
            [[route]]
            path_regex = "^/(admin|metrics)"
            to = "http://127.0.0.1:1"
            allow = ["10.0.0.0/8"]
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn flags_that_jump_are_refused() {
    let apache = "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} =websocket\nRewriteRule ^ - [S=1]\n\
                  RewriteRule ^/a$ - [F]\nProxyPass / http://127.0.0.1:1/\n";

    says(apache, 3, Severity::Refused, "have no counterpart");
}

/// A pattern without `^` is found in the middle of a path, too: there as well, nobody may come in.
#[test]
fn what_keeps_clients_out_keeps_its_pattern() {
    let closed = |pattern: &str| {
        format!("[[route]]\npath_regex = '{pattern}'\nrespond = {{ status = 403 }}\n[[route]]\npath = \"/\"\nto = \"http://127.0.0.1:1\"")
            .replace("'/private/'", "\"/private/\"")
            .replace("'/admin$'", "\"/admin$\"")
    };
    for pattern in ["/private/", "/admin$", r"/\.git"] {
        let pass = "ProxyPass / http://127.0.0.1:1/\n";
        becomes(&format!("<LocationMatch {pattern}>\nRequire all denied\n</LocationMatch>\n{pass}"), &closed(pattern));
        becomes(&format!("RewriteEngine On\nRewriteRule {pattern} - [F]\n{pass}"), &closed(pattern));
        let excluded = closed(pattern).replace("respond = { status = 403 }", "to = \"!\"");
        becomes(&format!("ProxyPassMatch {pattern} !\n{pass}"), &excluded);
    }
}

#[test]
fn a_pattern_without_a_caret_is_told() {
    let rule = |rule: &str| format!("RewriteEngine On\nRewriteRule {rule}\n");
    let here_too = "also found in the middle of a path, here too";
    for found in
        ["chat/(.*) http://127.0.0.1:1/$1 [P]", "(old|older)/x https://a.example/ [R]", "/old https://a.example/ [R]"]
    {
        says(&rule(found), 2, Severity::Note, here_too);
    }
    says(&rule("/chat/(.*) http://127.0.0.1:1/chat/$1 [P]"), 2, Severity::Changed, "taken as the prefix /chat");
    says("ProxyPassMatch (a|b)/x http://127.0.0.1:1\n", 1, Severity::Note, here_too);
    for meant in
        ["^/chat/(.*) http://127.0.0.1:1/$1 [P]", "(.*) http://127.0.0.1:1/$1 [P]", r"\.png$ http://127.0.0.1:1 [P]"]
    {
        assert!(!imported(&rule(meant)).1.iter().any(|finding| finding.what.contains("without ^")), "{meant}");
    }
}

#[test]
fn a_proxy_pass_takes_the_pattern_of_its_location_for_a_path() {
    let apache = |pattern: &str| format!("<LocationMatch {pattern}>\nProxyPass http://127.0.0.1:1\n</LocationMatch>\n");
    says(&apache("^/a(/|$)"), 2, Severity::Changed, "forwards nothing");
    is_clean(&apache("^/a/(.*)"));
    is_clean(&apache("^/a(/|$)").replace("ProxyPass", "ProxyPassMatch"));
}
