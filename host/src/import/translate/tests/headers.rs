use super::super::super::Severity;
use super::{becomes, is_clean, says};

const ROUTE: &str = "[[route]]\npath = \"/\"\nto = \"http://127.0.0.1:1\"\n";

fn with(lines: &str, expected: &str) {
    becomes(&format!("ProxyPass / http://127.0.0.1:1/\n{lines}\n"), &format!("{ROUTE}{expected}"));
}

#[test]
fn constant_headers_are_carried_over() {
    with(
        "RequestHeader set X-Scheme https\nRequestHeader unset X-Debug\nHeader always set Strict-Transport-Security \"max-age=1\"",
        "request_headers = { set = { X-Scheme = \"https\" }, remove = [\"X-Debug\"] }\n\
         response_headers = { set = { Strict-Transport-Security = \"max-age=1\" } }",
    );
    with("RequestHeader set A 1\nRequestHeader set a 2", "request_headers = { set = { a = \"2\" } }");
    with(
        "RequestHeader append A 1\nRequestHeader setifempty B 2",
        "request_headers = { append = { A = \"1\" }, set_if_absent = { B = \"2\" } }",
    );
}

#[test]
fn values_of_the_request_are_variables() {
    with(
        "RequestHeader set X-Real-IP %{REMOTE_ADDR}s\nRequestHeader set X-Scheme expr=%{REQUEST_SCHEME}",
        "request_headers = { set = { X-Real-IP = \"$client_ip\", X-Scheme = \"$scheme\" } }",
    );
    with("RequestHeader set X-Price \"5$\"", "request_headers = { set = { X-Price = \"5$$\" } }");
    says(
        "ProxyPass / http://127.0.0.1:1/\nRequestHeader set X-User %{REMOTE_USER}s\n",
        2,
        Severity::Refused,
        "%{REMOTE_USER}",
    );
}

#[test]
fn what_is_sent_anyway_is_left_out() {
    with("RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}\nRequestHeader unset X-Forwarded-For", "");
    let secure = "<VirtualHost *:443>\nSSLEngine On\nSSLCertificateFile a.pem\nProxyPass / http://127.0.0.1:1/\n\
                  RequestHeader set X-Forwarded-Proto https\nRequestHeader set X-Forwarded-Port 443\n</VirtualHost>\n";
    becomes(secure, ROUTE);
    is_clean(secure);
    // A proxy in front speaks TLS.
    let plain = "<VirtualHost *:80>\nProxyPass / http://127.0.0.1:1/\nRequestHeader set X-Forwarded-Proto https\n</VirtualHost>\n";
    becomes(plain, &format!("{ROUTE}request_headers = {{ set = {{ X-Forwarded-Proto = \"https\" }} }}"));
}

#[test]
fn the_gateways_own_are_left_alone() {
    with("RequestHeader set Upgrade %{HTTP:Upgrade}e\nRequestHeader set Connection upgrade", "");
    says(
        "ProxyPass / http://127.0.0.1:1/\nRequestHeader set Host a.example\n",
        2,
        Severity::Refused,
        "Host is the gateway",
    );
}

#[test]
fn edits_by_pattern_and_under_conditions_are_refused() {
    let proxied = "ProxyPass / http://127.0.0.1:1/\n";
    says(&format!("{proxied}RequestHeader edit Referer ^https http\n"), 2, Severity::Refused, "by a pattern");
    says(&format!("{proxied}Header set X-A 1 env=FOO\n"), 2, Severity::Refused, "env=FOO");
}

#[test]
fn headers_of_a_location_are_for_its_paths() {
    becomes(
        "ProxyPass / http://127.0.0.1:1/\n<Location /a>\nRequestHeader set X-A 1\n</Location>\n",
        r#"
            [[route]]
            path = "/a"
            to = "http://127.0.0.1:1/a"
            request_headers = { set = { X-A = "1" } }
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn trusted_proxies_are_the_gateways() {
    let (text, _findings) = super::imported(
        "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 10.0.0.0/8 192.0.2.1\nProxyPass / http://127.0.0.1:1/\n",
    );

    assert!(text.starts_with("[gateway.forwarded]\ntrusted = [\"10.0.0.0/8\", \"192.0.2.1\"]"), "{text}");
    says(
        "RemoteIPHeader X-Forwarded-For\nProxyPass / http://127.0.0.1:1/\n",
        1,
        Severity::Changed,
        "believes everybody",
    );
}

#[test]
fn noise_is_not_mentioned() {
    is_clean(
        "ServerAdmin a@b.example\nErrorLog /var/log/x\nProxyRequests Off\nProxyVia Off\nLogLevel warn\nKeepAlive On\n\
         <Proxy *>\nOrder deny,allow\nAllow from all\n</Proxy>\nProxyPass / http://127.0.0.1:1/ nocanon keepalive=On\n\
         <Directory /srv>\nRequire all denied\n</Directory>\n",
    );
    says("ProxyRequests On\nProxyPass / http://127.0.0.1:1/\n", 1, Severity::Refused, "forward proxy");
}
