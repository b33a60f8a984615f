//! The same requests to a real Apache httpd and to ours.

use tidegate_tests::{BoxedIo, Gateway, Origin, Raw, eventually, within};

use crate::apache::httpd::{Httpd, found};
use crate::running::{held, plain};

/// Targets and cookies. D is disabled and redirects to b, E is disabled, N is drained; `/f` has no failover.
const REQUESTS: [(&str, &str); 24] = [
    ("/s/x", "SID=abc.b"),
    ("/s/x", "SID=.c"),
    ("/s/x", ""),
    ("/s/x", "x=1; SID=abc.b; y=2"),
    ("/s/x", "x=1,SID=abc.b,y=2"),
    ("/s/x", "SID=abc.D"),
    ("/s/x", "SID=abc.N"),
    ("/s/x;sid=abc.c", ""),
    ("/s/x;sid=abc.c", "SID=abc.b"),
    ("/s/x?sid=abc.b", ""),
    ("/s/x?y=1&sid=abc.c&z=2", ""),
    ("/s/x?sid=abc.c", "SID=abc.b"),
    ("/s/x", "sid=abc.b"),
    ("/s/x", "XSID=abc.b"),
    ("/s/x", "SID=b"),
    ("/s/x", "SID=a.b.c"),
    ("/s/x", "SID=\"abc.b\""),
    ("/s/x", "SID=abc.unknown"),
    ("/s/x?SID=abc.b", ""),
    ("/s/x?sid=abc", "SID=abc.b"),
    ("/f/x", "SID=abc.D"),
    ("/f/x", "SID=abc.E"),
    ("/f/x", "SID=abc.unknown"),
    ("/f/x", "SID=abc.c"),
];

#[tokio::test]
async fn requests_go_where_apache_sends_them() {
    let Some(apache) = found() else { return };
    let members = [
        ("a", "", ""),
        ("b", "", ""),
        ("c", "", ""),
        ("D", "status=+D redirect=b", ", state = \"maint\", redirect = \"b\""),
        ("E", "status=+D", ", state = \"maint\""),
        ("N", "status=+N", ", state = \"drain\""),
    ];
    let (mut origins, mut theirs, mut ours) = (Vec::new(), String::new(), String::new());
    for (name, apaches, tidegates) in members {
        let origin = Origin::named(name).start().await;
        theirs += &format!("BalancerMember http://{} route={name} {apaches}\n", origin.address());
        ours += &format!("{{ url = \"http://{}\", route = \"{name}\"{tidegates} }},", origin.address());
        origins.push(origin);
    }
    let (mut directives, mut text) = (String::new(), String::new());
    for (name, failover) in [("s", true), ("f", false)] {
        directives += &format!(
            "<Proxy balancer://{name}>\n{theirs}ProxySet lbmethod=bybusyness stickysession=SID|sid nofailover={}\n\
             </Proxy>\nProxyPass /{name} balancer://{name}\n",
            if failover { "Off" } else { "On" }
        );
        text += &format!(
            "[[route]]\npath = \"/{name}\"\nto = \"balancer://{name}\"\n[cluster.{name}]\nendpoints = [{ours}]\n\
             sticky = {{ cookie = \"SID\", parameter = \"sid\", failover = {failover} }}\n"
        );
    }
    let apache = Httpd::start(apache, &directives).await;
    let gateway = Gateway::configure(&text).start().await;

    for (target, cookie) in REQUESTS {
        let theirs = ask(plain(apache.address()).await, target, cookie).await;
        within("Apache's counts", async { while apache.busy().await != 0 {} }).await;
        let ours = ask(gateway.connect().await, target, cookie).await;
        eventually("the counts", || held(&gateway) == 0).await;

        if names_somebody(target, cookie) {
            assert_eq!(ours, theirs, "{target} {cookie}: ours, and Apache's");
        } else {
            // Apache counts who was named against his next turn, too.
            let balanced = |who: &str| ["a", "b", "c"].contains(&who);
            assert!(balanced(&ours) && balanced(&theirs), "{target} {cookie}: ours {ours}, Apache's {theirs}");
        }
    }
    // Ours is safer: a name is not found inside of another one.
    let theirs = ask(plain(apache.address()).await, "/s/x?xsid=abc.N", "").await;
    assert_eq!(theirs, "N", "or the documentation is out of date");
    assert_ne!(ask(gateway.connect().await, "/s/x?xsid=abc.N", "").await, "N");
}

/// By Apache's rules.
fn names_somebody(target: &str, cookie: &str) -> bool {
    let nobody = ["", "sid=abc.b", "XSID=abc.b", "SID=b", "SID=a.b.c", "SID=\"abc.b\"", "SID=abc.unknown"];
    target.contains("sid=abc.") || (!nobody.contains(&cookie) && !target.contains("sid=abc"))
}

/// The endpoint that answers, or the status without one.
async fn ask(io: BoxedIo, target: &str, cookie: &str) -> String {
    let mut raw = Raw::new(io);
    let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
    raw.write(format!("GET {target} HTTP/1.1\r\nHost: gateway.test\r\n{cookie}\r\n").as_bytes()).await;
    let answer = raw.read_answer().await.expect("an answer");
    if answer.status == 200 { answer.header("x-endpoint").to_owned() } else { answer.status.to_string() }
}
