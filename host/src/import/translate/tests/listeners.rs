use super::super::super::Severity;
use super::{becomes, imported, says};

const CERTIFICATE: &str = "SSLEngine On\nSSLCertificateFile a.pem\nSSLCertificateKeyFile a-key.pem\n";

fn text(apache: &str) -> String {
    imported(apache).0
}

#[test]
fn ports_come_from_virtual_hosts_and_from_listen() {
    assert!(text("ProxyPass / http://127.0.0.1:1/\n").starts_with("[[listen]]\naddress = \"0.0.0.0:80\"\n"));
    let listen = text("Listen 127.0.0.1:8080\nListen [::1]:8081\nProxyPass / http://127.0.0.1:1/\n");
    assert!(listen.contains("address = \"127.0.0.1:8080\"") && listen.contains("address = \"[::1]:8081\""), "{listen}");
    let virtual_host = text("<VirtualHost 192.0.2.1:8443>\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n");
    assert!(virtual_host.starts_with("[[listen]]\naddress = \"192.0.2.1:8443\""), "{virtual_host}");
}

#[test]
fn the_first_virtual_host_answers_for_every_other_name() {
    becomes(
        "<VirtualHost *:80>\nServerName a.example\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n\
         <VirtualHost *:80>\nServerName b.example\nServerAlias *.b.example\nProxyPass /x http://127.0.0.1:2/x\n\
         </VirtualHost>\n",
        r#"
            [[route]]
            path = "/x"
            hosts = ["b.example", "*.b.example"]
            to = "http://127.0.0.1:2/x"
            [[route]]
            path = "/"
            hosts = ["b.example", "*.b.example"]
            to = "!"
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn certificates_of_several_names_stand_on_one_listener() {
    let second = CERTIFICATE.replace("a.pem", "b.pem").replace("a-key", "b-key");
    let apache = format!(
        "<VirtualHost *:443>\nServerName a.example\n{CERTIFICATE}SSLProtocol -all +TLSv1.3\nSSLHonorCipherOrder on\n\
         ProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n<VirtualHost *:443>\nServerName b.example\n{second}\
         ProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n"
    );

    let text = text(&apache);

    let expected = "[listen.tls]\ncertificate = \"a.pem\"\nkey = \"a-key.pem\"\nmin_version = \"1.3\"\n\
                    cipher_order = \"server\"\nmore = [\n  { names = [\"b.example\"], certificate = \"b.pem\", key = \"b-key.pem\" },\n]";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn clients_are_asked_for_certificates() {
    let apache = format!(
        "<VirtualHost *:443>\n{CERTIFICATE}SSLCACertificateFile ca.pem\nSSLVerifyClient optional\n\
         ProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n"
    );

    assert!(text(&apache).contains("client_ca = \"ca.pem\"\nclient_certificate = \"optional\""), "{}", text(&apache));
}

#[test]
fn a_port_for_tls_without_a_certificate_is_refused_and_can_be_filled_in() {
    let apache = "<VirtualHost *:443>\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n";

    assert!(text(apache).contains("certificate = \"cert.pem\""), "{}", text(apache));
    says(apache, 1, Severity::Refused, "without a certificate");
}

#[test]
fn a_server_that_only_redirects_is_a_key_of_its_listener() {
    let redirects = [
        "Redirect permanent / https://a.example/",
        "Redirect / https://a.example/",
        "RedirectPermanent / https://a.example/",
        "RedirectMatch 301 ^/(.*)$ https://a.example/$1",
        "RewriteEngine On\nRewriteCond %{HTTPS} off\nRewriteRule ^(.*)$ https://%{HTTP_HOST}$1 [R=301,L]",
        "RewriteEngine On\nRewriteCond %{HTTPS} !=on\nRewriteRule ^/?(.*) https://%{SERVER_NAME}/$1 [R,L]",
        "RewriteEngine On\nRewriteRule .* https://%{HTTP_HOST}%{REQUEST_URI} [R=301]",
        "RewriteEngine On\nRewriteCond %{SERVER_PORT} 80\nRewriteRule ^(.*)$ https://a.example$1 [R,L]",
        "RewriteEngine On\nRewriteCond %{SERVER_NAME} =a.example\n\
         RewriteRule ^ https://%{SERVER_NAME}%{REQUEST_URI} [END,NE,R=permanent]",
    ];
    for redirect in redirects {
        let apache = format!(
            "<VirtualHost *:80>\nServerName a.example\n{redirect}\n</VirtualHost>\n<VirtualHost *:443>\n\
             ServerName a.example\n{CERTIFICATE}ProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n"
        );

        let text = text(&apache);

        let listen =
            "[[listen]]\naddress = \"0.0.0.0:80\"\nredirect_to_tls = true\n[[listen]]\naddress = \"0.0.0.0:443\"";
        assert!(text.starts_with(listen), "{redirect}:\n{text}");
        assert_eq!(text.matches("[[route]]").count(), 1, "{redirect}:\n{text}");
    }
}

#[test]
fn a_server_that_redirects_and_does_something_else_has_routes_of_its_scheme() {
    let apache = format!(
        "<VirtualHost *:80>\nServerName a.example\nProxyPass /.well-known http://127.0.0.1:2/.well-known\n\
         Redirect / https://a.example/\n</VirtualHost>\n<VirtualHost *:443>\nServerName a.example\n{CERTIFICATE}\
         ProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n"
    );

    becomes(
        &apache,
        r#"
            [[route]]
            path = "/.well-known"
            scheme = "http"
            to = "http://127.0.0.1:2/.well-known"
            [[route]]
            path = "/"
            scheme = "http"
            redirect = { to = "https://a.example" }
            [[route]]
            path = "/"
            scheme = "https"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn the_same_on_two_ports_is_said_once() {
    becomes(
        "<VirtualHost *:80>\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n\
         <VirtualHost *:8080>\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n",
        "[[route]]\npath = \"/\"\nto = \"http://127.0.0.1:1\"",
    );
}

#[test]
fn ports_that_differ_have_routes_of_their_own() {
    becomes(
        "<VirtualHost *:80>\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n\
         <VirtualHost *:8080>\nProxyPass / http://127.0.0.1:2/\n</VirtualHost>\n",
        r#"
            [[route]]
            path = "/"
            listen = ["http-80"]
            to = "http://127.0.0.1:1"
            [[route]]
            path = "/"
            listen = ["http-8080"]
            to = "http://127.0.0.1:2"
        "#,
    );
}

#[test]
fn of_two_virtual_hosts_with_one_name_the_first_is_served() {
    let apache = "<VirtualHost *:80>\nServerName a.example\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n\
                  <VirtualHost *:80>\nServerName a.example\nProxyPass / http://127.0.0.1:2/\n</VirtualHost>\n";

    says(apache, 5, Severity::Dropped, "site.conf:1 has the name a.example already");
    let served = text(apache);
    assert!(served.contains("127.0.0.1:1") && !served.contains("127.0.0.1:2"), "{served}");

    // Of the second one, only the name that it has alone.
    let more = apache.replacen(
        "ServerName a.example\nProxyPass / http://127.0.0.1:2",
        "ServerName b.example\nServerAlias a.example\nProxyPass / http://127.0.0.1:2",
        1,
    );
    let served = text(&more);
    assert!(served.contains("hosts = [\"b.example\"]") && !served.contains("hosts = [\"a.example"), "{served}");
}

#[test]
fn names_of_the_first_virtual_host_come_before_a_wildcard_of_another() {
    let apache = "<VirtualHost *:80>\nServerName www.example\nServerAlias example\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n\
                  <VirtualHost *:80>\nServerName x.example\nServerAlias *.example\nProxyPass / http://127.0.0.1:2/\n</VirtualHost>\n";

    let served = text(apache);

    let place = |part: &str| served.find(part).unwrap_or_else(|| panic!("no {part} in {served}"));
    assert!(place("hosts = [\"www.example\"]") < place("\"*.example\""), "{served}");

    // And the other way round, nothing is left of a name that a wildcard before it has.
    let apache = "<VirtualHost *:80>\nServerName example\nServerAlias *.example\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n\
                  <VirtualHost *:80>\nServerName www.example\nProxyPass / http://127.0.0.1:2/\n</VirtualHost>\n";
    assert!(!text(apache).contains("127.0.0.1:2"), "{}", text(apache));
}

#[test]
fn names_that_hosts_cannot_hold_are_refused() {
    let apache = "<VirtualHost *:80>\nServerName a.example\nServerAlias a*.example\n\
                  ProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n";

    says(apache, 3, Severity::Refused, "wildcard inside a label");
}

#[test]
fn a_port_that_is_not_known_is_refused_and_leaves_a_listener() {
    let apache = "<VirtualHost *:${NOWHERE_SET}>\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n";

    assert!(text(apache).contains("address = \"0.0.0.0:80\""), "{}", text(apache));
    says(apache, 1, Severity::Refused, "no address");
}

#[test]
fn an_address_of_ipv6_is_none_of_those_that_a_port_alone_stands_for() {
    let apache = "Listen 80\nListen [::1]:80\nListen 127.0.0.1:80\n<VirtualHost *:80 [::1]:80>\n\
                  ProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n";

    let text = text(apache);

    let addresses: Vec<_> = text.lines().filter(|line| line.starts_with("address = ")).collect();
    assert_eq!(addresses, ["address = \"0.0.0.0:80\"", "address = \"[::1]:80\""], "{text}");
    says(apache, 1, Severity::Note, "by IPv4 alone");
}

/// What is imported is accepted, which a name that two listeners have would not be.
#[test]
fn two_addresses_with_one_port_have_names_of_their_own() {
    let host =
        |ip: &str, port: u16| format!("<VirtualHost {ip}:80>\nProxyPass / http://127.0.0.1:{port}/\n</VirtualHost>\n");
    let text = text(&[host("192.0.2.1", 1), host("192.0.2.2", 2)].concat());

    assert!(text.contains("name = \"http-80\"") && text.contains("name = \"http-80-1\""), "{text}");
}
