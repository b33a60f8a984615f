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

#[test]
fn headers_of_apaches_own_answers_are_those_for_always_alone() {
    becomes(
        "Header always set A 1\nHeader set B 2\nRedirect 301 /old /new\n<Location /no>\nRequire all denied\n</Location>\n\
         ProxyPass /no http://127.0.0.1:1/\n",
        r#"
            [[route]]
            path = "/no"
            respond = { status = 403 }
            response_headers = { set = { A = "1" } }
            [[route]]
            path = "/old"
            redirect = { to = "/new", status = 301 }
            response_headers = { set = { A = "1" } }
        "#,
    );
}

#[test]
fn headers_of_files_and_requests_of_redirects_make_no_routes() {
    becomes(
        "RedirectMatch 301 ^/old /new\nProxyPass /files !\n<Location /files/a>\nHeader unset ETag\n</Location>\n\
         <Location /old/a>\nRequestHeader set A 1\n</Location>\n",
        r#"
            [[route]]
            path = "/files"
            to = "!"
            [[route]]
            path_regex = "^/old"
            redirect = { to = "/new", status = 301 }
        "#,
    );
}

#[test]
fn what_the_gateway_does_not_send_or_sends_all_the_same_is_told() {
    says("ProxyVia On\nProxyPass / http://127.0.0.1:1/\n", 1, Severity::Dropped, "Via");
    says("ProxyAddHeaders Off\nProxyPass / http://127.0.0.1:1/\n", 1, Severity::Changed, "all the same");
    says("AddDefaultCharset UTF-8\nProxyPass / http://127.0.0.1:1/\n", 1, Severity::Dropped, "charset");
    is_clean("ProxyVia Off\nProxyAddHeaders On\nAddDefaultCharset Off\nProxyPass / http://127.0.0.1:1/\n");
}

#[test]
fn what_a_balancer_says_of_its_choice_is_the_endpoint_or_refused() {
    let proxied = "ProxyPass / http://127.0.0.1:1/\n";
    let (text, _findings) = super::imported(&format!("{proxied}Header set X-By %{{BALANCER_WORKER_NAME}}e\n"));
    assert!(text.contains(r#"X-By = "$endpoint""#), "{text}");
    says(&format!("{proxied}Header set X-By %{{BALANCER_SESSION_ROUTE}}e\n"), 2, Severity::Refused, "BALANCER_SESSION");
}
