use super::super::super::{ImportOptions, Severity};
use super::{becomes, imported_with, says};

const PROXIED: &str = "ProxyPass / http://127.0.0.1:1/\n";

fn closed(lines: &str) {
    let apache = format!("{PROXIED}<Location /a>\n{lines}\n</Location>\n");
    becomes(
        &apache,
        r#"
            [[route]]
            path = "/a"
            respond = { status = 403 }
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

fn open(lines: &str) {
    becomes(
        &format!("{PROXIED}<Location /a>\n{lines}\n</Location>\n"),
        "[[route]]\npath = \"/\"\nto = \"http://127.0.0.1:1\"",
    );
}

fn limited(lines: &str, limits: &str) {
    becomes(
        &format!("{PROXIED}<Location /a>\n{lines}\n</Location>\n"),
        &format!(
            "[[route]]\npath = \"/a\"\nto = \"http://127.0.0.1:1/a\"\n{limits}\n[[route]]\npath = \"/\"\nto = \"http://127.0.0.1:1\""
        ),
    );
}

#[test]
fn what_limits_access_in_a_way_that_no_route_has_closes_the_path() {
    for lines in [
        "Require all denied",
        "Require host example.org",
        "Require not ip 10.0.0.1",
        "Require ip 10.0.0.0/0",
        "Require ip 10.0.0.1\nRequire host example.org",
        "Require env LET_IN",
        "Deny from all",
        "Order allow,deny",
        "Order deny,allow\nDeny from env=BAD",
        "Order allow,deny\nAllow from .example.org",
        "Order Allow, Deny\nAllow from all",
        "Order deny,allow\nDeny from all\nRequire all granted",
        "Order deny,allow\nDeny from all\nAllow from 10.0.0.1\nRequire ldap-group x\nSatisfy Any",
        "AuthType Basic\nAuthName x",
        "AuthType Digest\nAuthUserFile /x\nRequire valid-user",
        "AuthType Basic\nRequire valid-user",
        "AuthUserFile /x\nRequire valid-user",
        "AuthType Basic\nAuthUserFile /x\nAuthBasicProvider ldap\nRequire valid-user",
        "AuthType Basic\nAuthUserFile /x\nRequire group staff",
        "AuthType openid-connect\nRequire valid-user",
        "AuthType Basic\nAuthUserFile /x\n<RequireAll>\nRequire valid-user\nRequire not user eve\n</RequireAll>",
        "<RequireAll>\nRequire not ip 10.0.0.1\n</RequireAll>",
        "<RequireNone>\nRequire ip 10.0.0.1\n</RequireNone>",
        "<RequireAny>\n</RequireAny>",
        "<Limit POST>\nRequire ip 10.0.0.1\n</Limit>",
        "SSLVerifyClient require",
        "Use Login",
        "Use Login\nRequire all granted",
    ] {
        closed(lines);
    }
}

#[test]
fn limits_by_address_are_those_of_the_route() {
    for (lines, limits) in [
        ("Require ip 10.0.0.0/8", r#"allow = ["10.0.0.0/8"]"#),
        ("Require ip 10 192.168.1\nRequire ip ::1", r#"allow = ["10.0.0.0/8", "192.168.1.0/24", "::1"]"#),
        ("Require local", r#"allow = ["127.0.0.0/8", "::1"]"#),
        ("<RequireAny>\nRequire ip 10.0.0.0/255.0.0.0\n</RequireAny>", r#"allow = ["10.0.0.0/8"]"#),
        (
            "<RequireAll>\nRequire all granted\nRequire not ip 10.1 10.2.0.1\n</RequireAll>",
            r#"deny = ["10.1.0.0/16", "10.2.0.1"]"#,
        ),
        (
            "<RequireAll>\nRequire ip 10\n<RequireNone>\nRequire ip 10.1\n</RequireNone>\n</RequireAll>",
            "allow = [\"10.0.0.0/8\"]\ndeny = [\"10.1.0.0/16\"]",
        ),
        ("Order deny,allow\nDeny from all\nAllow from 10.0.0.1", r#"allow = ["10.0.0.1"]"#),
        ("Order allow,deny\nAllow from 10.0.0.1", r#"allow = ["10.0.0.1"]"#),
        ("Order allow,deny\nAllow from all\nDeny from 10.0.0.1", r#"deny = ["10.0.0.1"]"#),
        ("Deny from 10\nAllow from 10.128.0.0/9", r#"deny = ["10.0.0.0/9"]"#),
        ("Order allow,deny\nAllow from 10\nDeny from 10.1", "allow = [\"10.0.0.0/8\"]\ndeny = [\"10.1.0.0/16\"]"),
        ("Order deny,allow\nDeny from all\nAllow from 10.0.0.1\nRequire all granted", r#"allow = ["10.0.0.1"]"#),
        ("Order allow,deny\nAllow from 10.0.0.1\nRequire all denied\nSatisfy any", r#"allow = ["10.0.0.1"]"#),
    ] {
        limited(lines, limits);
    }
}

#[test]
fn what_lets_everybody_in_does_not() {
    for lines in [
        "Require all granted",
        "Require all granted\nRequire host example.org",
        "Order allow,deny\nAllow from all",
        "Order deny,allow\nAllow from all",
        "AuthType None",
        "AuthType Basic\nRequire valid-user\nSatisfy Any",
        "<RequireAll>\nRequire all granted\n</RequireAll>",
        "<Limit GET>\nOrder allow,deny\nAllow from all\n</Limit>",
    ] {
        open(lines);
    }
}

#[test]
fn it_is_told_why_and_can_be_left_out_by_the_users_word() {
    let apache = format!("{PROXIED}<Location />\nRequire host example.org\n</Location>\n");
    says(&apache, 3, Severity::Refused, "limited by name");
    says(&format!("{PROXIED}<Location />\nRequire local\n</Location>\n"), 3, Severity::Changed, "from the address");

    let (text, findings) = imported_with(&apache, ImportOptions { without_access_control: true });

    assert!(text.contains("to = \"http://127.0.0.1:1\""), "{text}");
    assert!(findings.iter().any(|finding| finding.severity == Severity::Changed), "{findings:#?}");
}

#[test]
fn each_module_of_apache_is_replaced_by_its_own_lines_alone() {
    becomes(
        &format!(
            "{PROXIED}<Location />\nOrder allow,deny\nAllow from 10\nRequire ip 10.1\n</Location>\n\
             <Location /a>\nRequire all granted\n</Location>\n\
             <Location /b>\nAuthMerging And\nRequire ip 10.1.2\n</Location>\n\
             <Location /c>\nSatisfy Any\n</Location>\n"
        ),
        r#"
            [[route]]
            path = "/a"
            to = "http://127.0.0.1:1/a"
            allow = ["10.0.0.0/8"]
            [[route]]
            path = "/b"
            to = "http://127.0.0.1:1/b"
            allow = ["10.1.2.0/24"]
            [[route]]
            path = "/c"
            to = "http://127.0.0.1:1/c"
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
            allow = ["10.1.0.0/16"]
        "#,
    );
}

#[test]
fn addresses_that_are_not_apaches_limit_nobody() {
    let limited = "<Location />\nRequire ip 10.0.0.0/8\n</Location>\nProxyPass / http://127.0.0.1:1/\n";
    let closed = "[[route]]\npath = \"/\"\nrespond = { status = 403 }";

    becomes(&format!("RemoteIPHeader X-Forwarded-For\n{limited}"), closed);
    becomes(&format!("RemoteIPHeader X-Client-IP\nRemoteIPInternalProxy 192.0.2.1\n{limited}"), closed);
    let known = format!("RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 192.0.2.1\n{limited}");
    becomes(&known, "[[route]]\npath = \"/\"\nto = \"http://127.0.0.1:1\"\nallow = [\"10.0.0.0/8\"]");
}

#[test]
fn what_stands_outside_of_locations_is_for_all_of_them() {
    let apache = format!("Require ip 10.0.0.0/8\n{PROXIED}");

    becomes(&apache, "[[route]]\npath = \"/\"\nto = \"http://127.0.0.1:1\"\nallow = [\"10.0.0.0/8\"]");
    says(&apache, 1, Severity::Refused, "outside of every Location");
    becomes(
        &format!(
            "<VirtualHost *:80>\n{PROXIED}<If \"%{{HTTP_HOST}} == 'x'\">\nRequire all denied\n</If>\n</VirtualHost>"
        ),
        "[[route]]\npath = \"/\"\nrespond = { status = 403 }",
    );
}

#[test]
fn a_pattern_beside_a_route_stays_closed_for_all() {
    let apache = format!("{PROXIED}<LocationMatch \"\\.php$\">\nRequire ip 10.0.0.0/8\n</LocationMatch>\n");
    let (text, _findings) = imported_with(&apache, ImportOptions::default());

    assert!(text.contains("php") && (text.contains("allow") || text.contains("403")), "{text}");
}

#[test]
fn the_last_location_that_says_something_counts() {
    becomes(
        &format!(
            "{PROXIED}<Location />\nRequire all denied\n</Location>\n<Location /open>\nRequire all granted\n</Location>\n"
        ),
        r#"
            [[route]]
            path = "/open"
            to = "http://127.0.0.1:1/open"
            [[route]]
            path = "/"
            respond = { status = 403 }
        "#,
    );
}

#[test]
fn a_location_within_one_that_is_closed_may_be_open() {
    becomes(
        &format!(
            "{PROXIED}<Location /a>\nRequire all denied\n</Location>\n<Location /a/open>\nRequire all granted\n</Location>\n"
        ),
        r#"
            [[route]]
            path = "/a/open"
            to = "http://127.0.0.1:1/a/open"
            [[route]]
            path = "/a"
            respond = { status = 403 }
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn access_to_a_server_closes_its_routes() {
    becomes(
        "<Proxy http://127.0.0.1:1>\nRequire all denied\n</Proxy>\nProxyPass /a http://127.0.0.1:1/\nProxyPass /b http://127.0.0.1:2/\n",
        r#"
            [[route]]
            path = "/a"
            respond = { status = 403 }
            [[route]]
            path = "/b"
            to = "http://127.0.0.1:2/"
        "#,
    );
}

#[test]
fn what_nobody_may_use_stays_closed_whatever_else_is_asked_for() {
    let apache = format!(
        "{PROXIED}<Location />\nMellonEnable auth\nRequire valid-user\n</Location>\n<Location /ssh/>\nDeny from all\n</Location>\n"
    );

    let (text, _findings) = imported_with(&apache, ImportOptions { without_access_control: true });

    assert!(text.contains("path = \"/ssh/\"\nrespond = { status = 403 }"), "{text}");
}

#[test]
fn files_that_are_not_served_need_no_limits() {
    becomes(
        "ProxyPass /db !\nProxyPassMatch /hooks !\nProxyPass / http://127.0.0.1:1/\n\
         <LocationMatch \"^/db/(manager|selector)\">\nRequire ip 10.0.0.0/8\n</LocationMatch>\n\
         <Location /web>\nRequire ip 10.0.0.0/8\n</Location>\n",
        r#"
            [[route]]
            path = "/db"
            to = "!"
            [[route]]
            path_regex = "/hooks"
            to = "!"
            [[route]]
            path = "/web"
            to = "http://127.0.0.1:1/web"
            allow = ["10.0.0.0/8"]
            [[route]]
            path_regex = "^/db/(manager|selector)"
            to = "http://127.0.0.1:1"
            allow = ["10.0.0.0/8"]
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

const BASIC: &str = "AuthType Basic\nAuthName \"Staff only\"\nAuthBasicProvider file\nAuthUserFile /etc/htpasswd\n";

#[test]
fn logins_by_a_file_of_users_are_those_of_the_route() {
    let all = r#"basic_auth = { file = "/etc/htpasswd", realm = "Staff only" }"#;
    for (lines, limits) in [
        ("Require valid-user", all.to_owned()),
        ("Require user Ann bob", all.replace(" }", ", users = [\"Ann\", \"bob\"] }")),
        ("Require user ann\nRequire user bob", all.replace(" }", ", users = [\"ann\", \"bob\"] }")),
        ("Require user ann\nRequire valid-user", all.to_owned()),
        ("<RequireAll>\nRequire ip 10\nRequire valid-user\n</RequireAll>", format!("allow = [\"10.0.0.0/8\"]\n{all}")),
        ("Deny from 10\nRequire valid-user", format!("deny = [\"10.0.0.0/8\"]\n{all}")),
    ] {
        limited(&format!("{BASIC}{lines}"), &limits);
    }
}

#[test]
fn some_log_in_and_others_come_from_networks() {
    let routes =
        |first: &str, second: &str| format!("[[route]]\npath = \"/\"\n{first}\n[[route]]\npath = \"/\"\n{second}");
    let (to, login) =
        ("to = \"http://127.0.0.1:1\"", r#"basic_auth = { file = "/etc/htpasswd", realm = "Staff only" }"#);
    for lines in [
        "Require valid-user\nRequire ip 10",
        "Order deny,allow\nDeny from all\nAllow from 10\nRequire valid-user\nSatisfy Any",
    ] {
        let apache = format!("{PROXIED}<Location />\n{BASIC}{lines}\n</Location>\n");
        becomes(&apache, &routes(&format!("when = {{ clients = [\"10.0.0.0/8\"] }}\n{to}"), &format!("{to}\n{login}")));
    }
    let apache = format!(
        "{PROXIED}<Location />\n{BASIC}<RequireAny>\nRequire valid-user\n<RequireAll>\nRequire all granted\n\
         Require not ip 10\n</RequireAll>\n</RequireAny>\n</Location>\n"
    );
    becomes(&apache, &routes(&format!("when = {{ clients = [\"10.0.0.0/8\"] }}\n{to}\n{login}"), to));
}

#[test]
fn settings_of_logins_are_inherited_one_by_one() {
    becomes(
        &format!(
            "{PROXIED}<Location />\n{BASIC}Require valid-user\n</Location>\n<Location /open>\nRequire all granted\n\
             </Location>\n<Location /b>\nAuthUserFile /b\n</Location>\n"
        ),
        r#"
            [[route]]
            path = "/open"
            to = "http://127.0.0.1:1/open"
            [[route]]
            path = "/b"
            to = "http://127.0.0.1:1/b"
            basic_auth = { file = "/b", realm = "Staff only" }
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
            basic_auth = { file = "/etc/htpasswd", realm = "Staff only" }
        "#,
    );
}

#[test]
fn the_user_is_told_to_servers_as_apache_tells_them() {
    for lines in [
        "RequestHeader set X-User %{REMOTE_USER}s",
        "RequestHeader set X-User expr=%{REMOTE_USER}",
        "RewriteEngine On\nRewriteRule .* - [E=PROXY_USER:%{LA-U:REMOTE_USER},NS]\nRequestHeader set X-User %{PROXY_USER}e",
        "RewriteEngine On\nRewriteCond %{LA-U:REMOTE_USER} (.+)\nRewriteRule . - [E=RU:%1]\nRequestHeader set X-User %{RU}e",
    ] {
        becomes(
            &format!("{PROXIED}<Location />\n{BASIC}Require valid-user\n{lines}\n</Location>\n"),
            r#"
                [[route]]
                path = "/"
                to = "http://127.0.0.1:1"
                basic_auth = { file = "/etc/htpasswd", realm = "Staff only" }
                request_headers = { set = { X-User = "$user" } }
            "#,
        );
    }
    let apache = format!("{PROXIED}RequestHeader set X-User %{{REMOTE_USER}}s\n");
    says(&apache, 2, Severity::Refused, "REMOTE_USER");
}
