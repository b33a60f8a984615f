use super::super::super::Severity;
use super::{becomes, says};

#[test]
fn a_balancer_is_a_cluster_with_apaches_own_method() {
    becomes(
        "<Proxy balancer://Chat>\nBalancerMember http://127.0.0.1:1 route=a loadfactor=3\n\
         BalancerMember http://127.0.0.1:2 route=b status=+H lbset=1 redirect=a max=20\n\
         ProxySet lbmethod=bybusyness stickysession=JSESSIONID|jsessionid nofailover=On failonstatus=500,503\n</Proxy>\n\
         ProxyPass / balancer://chat/\n",
        r#"
            [[route]]
            path = "/"
            to = "balancer://chat"
            [cluster.chat]
            balancer = "bybusyness"
            fail_on = [500, 503]
            sticky = { cookie = "JSESSIONID", parameter = "jsessionid", failover = false }
            endpoints = [
            { url = "http://127.0.0.1:1", weight = 3, route = "a" },
            { url = "http://127.0.0.1:2", route = "b", redirect = "a", group = 1, state = "standby", max_connections = 20 },
            ]
        "#,
    );
    becomes(
        "<Proxy balancer://a>\nBalancerMember http://127.0.0.1:1\n</Proxy>\nProxyPass / balancer://a/\n",
        r#"
            [[route]]
            path = "/"
            to = "balancer://a"
            [cluster.a]
            balancer = "byrequests"
            endpoints = ["http://127.0.0.1:1"]
        "#,
    );
}

#[test]
fn twins_for_websockets_and_for_the_rest_are_one_cluster() {
    becomes(
        "<Proxy balancer://http>\nBalancerMember http://127.0.0.1:1 route=a\nBalancerMember http://127.0.0.1:2 route=b\n\
         ProxySet stickysession=ROUTEID\n</Proxy>\n\
         <Proxy balancer://ws>\nBalancerMember ws://127.0.0.1:1 route=a\nBalancerMember ws://127.0.0.1:2 route=b\n\
         ProxySet stickysession=ROUTEID\n</Proxy>\nRewriteEngine On\nRewriteCond %{HTTP:Upgrade} =websocket\n\
         RewriteRule /(.*) balancer://ws/$1 [P,L]\nRewriteCond %{HTTP:Upgrade} !=websocket\n\
         RewriteRule /(.*) balancer://http/$1 [P,L]\n\
         Header add Set-Cookie \"ROUTEID=.%{BALANCER_WORKER_ROUTE}e; path=/\" env=BALANCER_ROUTE_CHANGED\n",
        r#"
            [[route]]
            path = "/"
            to = "balancer://http"
            [cluster.http]
            balancer = "byrequests"
            sticky = { cookie = "ROUTEID", issue = {} }
            endpoints = [
            { url = "http://127.0.0.1:1", route = "a" },
            { url = "http://127.0.0.1:2", route = "b" },
            ]
        "#,
    );
}

#[test]
fn health_checks_of_members_are_those_of_the_cluster() {
    let member = "hcmethod=GET hcuri=/ping hcinterval=10 hcpasses=2 hcfails=3 hcexpr=ok";
    becomes(
        &format!(
            "ProxyHCExpr ok {{%{{REQUEST_STATUS}} =~ /^[234]/}}\n<Proxy balancer://a>\n\
             BalancerMember http://127.0.0.1:1 {member}\nBalancerMember http://127.0.0.1:2 {member}\n</Proxy>\n\
             ProxyPass / balancer://a/\n"
        ),
        r#"
            [[route]]
            path = "/"
            to = "balancer://a"
            [cluster.a]
            balancer = "byrequests"
            health = { probe = "http", path = "/ping", expect = ["200-499"], interval = "10s", rise = 2, fall = 3 }
            endpoints = [
            "http://127.0.0.1:1",
            "http://127.0.0.1:2",
            ]
        "#,
    );
    let apart = "<Proxy balancer://a>\nBalancerMember http://127.0.0.1:1 hcmethod=TCP\nBalancerMember http://127.0.0.1:2\n\
                 </Proxy>\nProxyPass / balancer://a/\n";
    says(apart, 3, Severity::Refused, "checked in different ways");
}

#[test]
fn times_of_workers_are_those_of_routes() {
    becomes(
        "ProxyTimeout 120\nProxyPass /a http://127.0.0.1:1/ timeout=20 connectiontimeout=500ms\nProxyPass /b http://127.0.0.1:2/\n",
        r#"
        [[route]]
        path = "/a"
        to = "http://127.0.0.1:1/"
        timeouts = { connect = "500ms", response = "20s", tunnel_idle = "60s" }
        [[route]]
        path = "/b"
        to = "http://127.0.0.1:2/"
        timeouts = { response = "120s", tunnel_idle = "120s" }
    "#,
    );
}

#[test]
fn connections_that_are_not_kept_take_a_cluster() {
    becomes(
        "ProxyPass / http://127.0.0.1:1/ disablereuse=On\n",
        r#"
        [[route]]
        path = "/"
        to = "balancer://127-0-0-1-1"
        [cluster.127-0-0-1-1]
        pool = { size = 0 }
        endpoints = ["http://127.0.0.1:1"]
    "#,
    );
}

#[test]
fn servers_are_verified_as_far_as_apache_does_or_further() {
    let unverified =
        "SSLProxyEngine On\nSSLProxyVerify none\nSSLProxyCheckPeerName off\nProxyPass / https://10.0.0.1:8443/\n";
    becomes(
        unverified,
        r#"
        [[route]]
        path = "/"
        to = "balancer://10-0-0-1-8443"
        [cluster.10-0-0-1-8443]
        tls = { verify = "none" }
        endpoints = ["https://10.0.0.1:8443"]
    "#,
    );
    says(unverified, 3, Severity::Changed, "nothing of the server's certificate is verified");
    says("SSLProxyEngine On\nProxyPass / https://a.example/\n", 2, Severity::Changed, "who signed it");
    let off = "ProxyPass / https://a.example/\n";
    becomes(off, "[[route]]\npath = \"/\"\nrespond = { status = 500 }");
    says(off, 1, Severity::Refused, "SSLProxyEngine is off");
}

#[test]
fn a_balancer_without_members_answers_as_in_apache() {
    let apache = "ProxyPass / balancer://nobody/\n";

    becomes(apache, "[[route]]\npath = \"/\"\nrespond = { status = 503 }");
    says(apache, 1, Severity::Refused, "has no members");
}

#[test]
fn health_checks_at_a_balancer_are_refused_as_by_apache() {
    let apache = "<Proxy balancer://a>\nBalancerMember http://127.0.0.1:1\nProxySet hcmethod=GET hcuri=/ping\n</Proxy>\n\
                  ProxyPass / balancer://a/\n";

    says(apache, 3, Severity::Refused, "belongs to members");
}

#[test]
fn http2_is_the_protocol_of_a_cluster() {
    becomes(
        "SSLProxyEngine On\nProxyPass /a h2://a.example/\nProxyPassReverse /a https://a.example/\n\
         <Proxy balancer://set>\nBalancerMember h2c://127.0.0.1:1\nBalancerMember h2c://127.0.0.1:2\n</Proxy>\n\
         ProxyPass /b balancer://set\n",
        r#"
            [[route]]
            path = "/a"
            to = "balancer://a-example/"
            [[route]]
            path = "/b"
            to = "balancer://set"
            [cluster.a-example]
            protocol = "h2"
            endpoints = ["https://a.example"]
            [cluster.set]
            balancer = "byrequests"
            protocol = "h2"
            endpoints = [
            "http://127.0.0.1:1",
            "http://127.0.0.1:2",
            ]
        "#,
    );
    let mixed = "<Proxy balancer://set>\nBalancerMember h2c://127.0.0.1:1\nBalancerMember http://127.0.0.1:2\n</Proxy>\n\
                 ProxyPass / balancer://set/\n";
    says(mixed, 2, Severity::Refused, "a cluster speaks one of them");
}

#[test]
fn a_balancer_that_fails_on_timeouts_is_told() {
    let apache = "<Proxy balancer://a>\nBalancerMember http://127.0.0.1:1\nProxySet failontimeout=On\n</Proxy>\n\
                  ProxyPass / balancer://a/\n";

    says(apache, 3, Severity::Changed, "failontimeout");
}
