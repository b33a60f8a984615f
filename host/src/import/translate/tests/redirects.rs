use super::super::super::Severity;
use super::{becomes, says};

#[test]
fn redirects_keep_their_status_and_what_follows() {
    becomes("Redirect 301 /a /b\n", "[[route]]\npath = \"/a\"\nredirect = { to = \"/b\", status = 301 }");
    becomes(
        "RedirectMatch ^/a/(\\d+)$ /b/$1\n",
        "[[route]]\npath_regex = '^/a/(\\d+)$'\nredirect = { to = \"/b/$1\" }",
    );
    becomes("Redirect gone /a\n", "[[route]]\npath = \"/a\"\nrespond = { status = 410 }");
    becomes(
        "RewriteEngine On\nRewriteRule ^/old/(.*)$ /new/$1 [R=301,L]\n",
        "[[route]]\npath = \"/old/\"\nredirect = { to = \"/new/\", status = 301 }",
    );
    becomes(
        "RewriteEngine On\nRewriteRule ^/x$ http://%{HTTP_HOST}/y [R]\n",
        "[[route]]\npath_regex = \"^/x$\"\nredirect = { to = \"http://$host/y\" }",
    );
}

#[test]
fn rules_that_answer_themselves() {
    becomes("RewriteEngine On\nRewriteRule ^/x/ - [F]\n", "[[route]]\npath = \"/x/\"\nrespond = { status = 403 }");
    becomes(
        "RewriteEngine On\nRewriteRule ^/x$ - [G]\n",
        "[[route]]\npath_regex = \"^/x$\"\nrespond = { status = 410 }",
    );
    becomes(
        "RewriteEngine On\nRewriteCond %{HTTP_USER_AGENT} (bot|spider) [NC]\nRewriteRule ^ - [F]\n",
        "[[route]]\npath = \"/\"\nwhen = { headers = { User-Agent = { regex = \"(?i)(bot|spider)\" } } }\n\
         respond = { status = 403 }",
    );
}

#[test]
fn names_in_conditions_are_hosts() {
    becomes(
        "RewriteEngine On\nRewriteCond %{HTTP_HOST} ^www\\.a\\.example$ [NC]\n\
         RewriteRule ^(.*)$ http://a.example$1 [R=301]\nProxyPass / http://127.0.0.1:1/\n",
        r#"
            [[route]]
            path = "/"
            hosts = ["www.a.example"]
            redirect = { to = "http://a.example", status = 301 }
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
    becomes(
        "<VirtualHost *:80>\nServerName a.example\nServerAlias www.a.example\nRewriteEngine On\n\
         RewriteCond %{HTTP_HOST} !^a\\.example$ [NC]\nRewriteRule ^(.*)$ http://a.example$1 [R=301]\n\
         ProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n",
        r#"
            [[route]]
            path = "/"
            hosts = ["www.a.example"]
            redirect = { to = "http://a.example", status = 301 }
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn conditions_without_a_counterpart_refuse_their_rule() {
    let apache = "RewriteEngine On\nRewriteCond %{TIME_HOUR} >18\nRewriteRule ^ - [F]\n";

    says(apache, 2, Severity::Refused, "%{TIME_HOUR}");
}

#[test]
fn files_are_refused_once_and_not_where_nothing_gets_to_them() {
    says("DocumentRoot /srv\nProxyPass /a http://127.0.0.1:1/a\n", 1, Severity::Refused, "files are not served");
    says("DocumentRoot /srv\nProxyPass / http://127.0.0.1:1/\n", 1, Severity::Dropped, "never looked at");
    becomes("Alias /a /srv/a\n", "[[route]]\npath = \"/a\"\nto = \"!\"");
}

#[test]
fn a_reverse_of_its_own_is_told_where_the_default_says_too_little() {
    becomes(
        "ProxyPass /a http://127.0.0.1:1/\nProxyPassReverse /a http://127.0.0.1:1/\n",
        r#"
        [[route]]
        path = "/a"
        to = "http://127.0.0.1:1/"
    "#,
    );
    becomes(
        "ProxyPass /a http://127.0.0.1:1\nProxyPassReverse /a http://inside.example/\nProxyPassReverse /a /\n",
        r#"
        [[route]]
        path = "/a"
        to = "http://127.0.0.1:1"
        reverse = { origins = ["http://inside.example"], paths = true }
    "#,
    );
    becomes(
        "ProxyPass /a http://127.0.0.1:1\nProxyPassReverseCookiePath / /a\nProxyPassReverseCookieDomain in.example a.example\n",
        r#"
            [[route]]
            path = "/a"
            to = "http://127.0.0.1:1"
            reverse = { cookie_domains = { "in.example" = "a.example" } }
        "#,
    );
    says(
        "ProxyPass / http://127.0.0.1:1/\nProxyPassReverse ^/x/(.*) http://127.0.0.2/$1\n",
        2,
        Severity::Dropped,
        "takes no pattern",
    );
}

#[test]
fn the_scheme_that_a_proxy_in_front_says_is_no_scheme_of_the_server() {
    let apache = "<VirtualHost *:80>\nRewriteEngine On\nRewriteCond %{HTTP:X-Forwarded-Proto} !https\n\
                  RewriteRule ^(.*)$ https://%{HTTP_HOST}$1 [R=302,L]\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n";

    becomes(
        apache,
        r#"
            [[route]]
            path = "/"
            scheme = "http"
            redirect = { to = "https://$host" }
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
    says(apache, 3, Severity::Changed, "X-Forwarded-Proto is believed");
}

#[test]
fn a_part_of_a_redirect_to_tls_keeps_its_path() {
    becomes(
        "Listen 80\nListen 443\nRewriteEngine On\nRewriteCond %{HTTP_HOST} ^www\\.a\\.example$\n\
         RewriteRule ^/(.*)$ https://a.example/$1 [R=301,L]\n<Location /x>\nHeader always set A 1\n</Location>\n",
        r#"
            [[route]]
            path = "/x"
            hosts = ["www.a.example"]
            redirect = { to = "https://a.example/x", status = 301 }
            response_headers = { set = { A = "1" } }
            [[route]]
            path = "/"
            hosts = ["www.a.example"]
            redirect = { to = "https://a.example", status = 301 }
        "#,
    );
}

/// As Apache was seen to do it: a flag decides over the client's query, and a Location's own redirect has one target.
#[test]
fn what_follows_a_redirect_is_what_apache_puts_there() {
    let rule = |line: &str| format!("RewriteEngine On\nRewriteRule {line}\n");
    for (line, to) in [
        ("^/k$ /n [R,QSA]", "/n"),
        ("^/k$ /n?a=1 [R,QSA]", "/n?a=1&$query"),
        ("^/k$ /n? [R,QSA]", "/n"),
        ("^/k$ /n? [R]", "/n?"),
        ("^/k$ /n [R,QSD]", "/n?"),
        ("^/k$ /n?a=1 [R,QSD]", "/n?a=1"),
        ("^/k$ /n#x [R,NE,QSD]", "/n?#x"),
        ("^/k$ /n?%{QUERY_STRING} [R]", "/n"),
        ("^/k$ /n?a=1&%{QUERY_STRING} [R]", "/n?a=1&$query"),
    ] {
        becomes(&rule(line), &format!("[[route]]\npath_regex = \"^/k$\"\nredirect = {{ to = \"{to}\" }}"));
    }
    says(&rule("^/k$ /n?%{QUERY_STRING}&a=1 [R]"), 2, Severity::Refused, "comes from the request");
    becomes(
        "<Location /a.b>\nRedirect 301 https://b.example/$x\n</Location>\n",
        "[[route]]\npath_regex = '^/a\\.b(/|$)'\nredirect = { to = \"https://b.example/$$x\", status = 301 }",
    );
}
