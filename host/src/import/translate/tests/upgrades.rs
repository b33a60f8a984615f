use super::super::super::Severity;
use super::{becomes, imported, is_clean, says};

const ONE_ROUTE: &str = r#"
    [[route]]
    path = "/"
    to = "http://127.0.0.1:3000"
"#;

#[test]
fn a_rule_for_upgrades_beside_a_proxy_pass_is_one_route() {
    let rules = [
        "RewriteRule /(.*) ws://127.0.0.1:3000/$1 [P,L]",
        "RewriteRule ^/?(.*) ws://127.0.0.1:3000/$1 [P,L]",
        "RewriteRule ^/(.*)$ ws://localhost:3000/$1 [P,L]",
        "RewriteRule ^(.*)$ ws://127.0.0.1:3000$1 [P,L]",
        "RewriteRule .* ws://127.0.0.1:3000%{REQUEST_URI} [P]",
        "RewriteRule ^/(ws/[a-z]+)$ ws://127.0.0.1:3000/$1 [P,L]",
        "RewriteRule ^/api/websocket$ ws://127.0.0.1:3000/api/websocket [P,L]",
    ];
    for rule in rules {
        for condition in [
            "RewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteCond %{HTTP:Connection} upgrade [NC]",
            "RewriteCond %{HTTP:Upgrade} =websocket [NC]",
            "RewriteCond %{HTTP:Connection} Upgrade$ [NC]",
            "RewriteCond %{REQUEST_URI} ^/socket.io [NC]\nRewriteCond %{QUERY_STRING} transport=websocket [NC]",
        ] {
            let condition = if rule.contains("ws/") || rule.contains("/api/") {
                "RewriteCond %{HTTP:Upgrade} websocket [NC]"
            } else {
                condition
            };
            let apache = format!("RewriteEngine On\n{condition}\n{rule}\nProxyPass / http://127.0.0.1:3000/\n");
            becomes(&apache, ONE_ROUTE);
            is_clean(&apache);
        }
    }
}

#[test]
fn a_pair_of_rules_takes_everything() {
    let pair = "RewriteEngine On\nProxyPass /static !\nRewriteCond %{HTTP:Upgrade} =websocket [NC]\n\
                RewriteRule /(.*) ws://127.0.0.1:3000/$1 [P,L]\nRewriteCond %{HTTP:Upgrade} !=websocket [NC]\n\
                RewriteRule /(.*) http://127.0.0.1:3000/$1 [P,L]\n";

    becomes(pair, ONE_ROUTE);
    says(pair, 2, Severity::Dropped, "dead: site.conf:6");
}

#[test]
fn upgrades_to_another_server_stay_apart() {
    becomes(
        "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} websocket [NC]\n\
         RewriteRule /(.*) ws://127.0.0.1:3001/$1 [P,L]\nProxyPass / http://127.0.0.1:3000/\n",
        r#"
            [[route]]
            path = "/"
            when = { upgrade = true }
            to = "ws://127.0.0.1:3001"
            [[route]]
            path = "/"
            to = "http://127.0.0.1:3000"
        "#,
    );
}

#[test]
fn a_line_for_websockets_before_the_rest_of_the_same_server_says_nothing_new() {
    becomes(
        "ProxyPass /ws ws://127.0.0.1:3000/ws\nProxyPass / http://localhost:3000/\n",
        r#"
        [[route]]
        path = "/"
        to = "http://localhost:3000"
    "#,
    );
    becomes(
        "ProxyPass /ws ws://127.0.0.1:3001/ws\nProxyPass / http://127.0.0.1:3000/\n",
        r#"
        [[route]]
        path = "/ws"
        to = "ws://127.0.0.1:3001/ws"
        [[route]]
        path = "/"
        to = "http://127.0.0.1:3000"
    "#,
    );
}

#[test]
fn other_protocols_are_named() {
    becomes(
        "ProxyPass / http://127.0.0.1:3000/ upgrade=any\n",
        r#"
        [[route]]
        path = "/"
        to = "http://127.0.0.1:3000"
        upgrade = ["any"]
    "#,
    );
    becomes("ProxyPass / http://127.0.0.1:3000/ upgrade=websocket\n", ONE_ROUTE);
}

#[test]
fn a_condition_on_a_map_that_is_not_there_never_holds() {
    let apache = "RewriteEngine On\nRewriteCond ${HTTP:Upgrade} websocket\nRewriteRule /(.*) ws://127.0.0.1:1/$1 [P]\n\
                  ProxyPass / http://127.0.0.1:3000/\n";

    becomes(apache, ONE_ROUTE);
    says(apache, 3, Severity::Dropped, "never holds");
}

#[test]
fn a_missing_caret_and_a_missing_boundary_are_told() {
    let condition = "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} websocket\n";
    let rest = "\nProxyPass /chat http://127.0.0.1:3000/chat\n";
    says(
        &format!("{condition}RewriteRule /chat/(.*) ws://127.0.0.1:3000/chat/$1 [P]{rest}"),
        3,
        Severity::Changed,
        "without ^",
    );
    says(
        &format!("{condition}RewriteRule ^/chat(.*) ws://127.0.0.1:3000/chat$1 [P]{rest}"),
        3,
        Severity::Changed,
        "/chatx",
    );
}

#[test]
fn rules_do_not_run_without_an_engine() {
    let apache = "RewriteRule /(.*) http://127.0.0.1:1/$1 [P]\nProxyPass / http://127.0.0.1:3000/\n";

    becomes(apache, ONE_ROUTE);
    says(apache, 1, Severity::Dropped, "RewriteEngine is off");
}

#[test]
fn a_server_that_the_request_names_is_refused() {
    let (text, findings) = imported("RewriteEngine On\nRewriteRule ^/([0-9]+)/(.*) http://127.0.0.1:$1/$2 [P]\n");

    assert!(!text.contains("[[route]]"), "{text}");
    assert!(findings.iter().any(|finding| finding.severity == Severity::Refused), "{findings:#?}");
}

#[test]
fn a_pattern_without_regard_to_case_is_tried_too() {
    becomes(
        "RewriteEngine On\nRewriteCond %{REQUEST_URI} ^/api/v[0-9]+/(users/)?websocket [NC]\n\
         RewriteCond %{HTTP:Upgrade} ^WebSocket$ [NC]\nRewriteRule .* ws://127.0.0.1:1%{REQUEST_URI} [P,QSA,L]\n\
         <Location />\nProxyPass http://127.0.0.1:1/\n</Location>\n",
        "[[route]]\npath = \"/\"\nto = \"http://127.0.0.1:1\"",
    );
}
