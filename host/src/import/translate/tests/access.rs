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

#[test]
fn what_limits_access_closes_the_path() {
    closed("Require all denied");
    closed("Require ip 10.0.0.0/8");
    closed("Require local");
    closed("Order deny,allow\nDeny from all\nAllow from 10.0.0.1");
    closed("Order allow,deny\nAllow from 10.0.0.1");
    closed("Deny from all");
    closed("AuthType Basic\nAuthName x\nAuthUserFile /x\nRequire valid-user");
    closed("<RequireAny>\nRequire ip 10.0.0.0/8\n</RequireAny>");
    closed("SSLVerifyClient require");
    closed("Use Login");
}

#[test]
fn what_lets_everybody_in_does_not() {
    open("Require all granted");
    open("Order allow,deny\nAllow from all");
    open("Order deny,allow\nAllow from all");
    open("AuthType None");
    open("<RequireAll>\nRequire all granted\n</RequireAll>");
}

#[test]
fn it_is_told_why_and_can_be_left_out_by_the_users_word() {
    let apache = format!("{PROXIED}<Location />\nRequire ip 10.0.0.0/8\n</Location>\n");
    says(&apache, 3, Severity::Refused, "limited by address");

    let (text, findings) = imported_with(&apache, ImportOptions { without_access_control: true });

    assert!(text.contains("to = \"http://127.0.0.1:1\""), "{text}");
    assert!(findings.iter().any(|finding| finding.severity == Severity::Changed), "{findings:#?}");
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
