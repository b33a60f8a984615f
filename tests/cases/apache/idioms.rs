//! Configurations as people write them, in Apache and imported: the same answers, from the same endpoint, for the same path.

use std::path::Path;

use tidegate::import::{ImportOptions, ReadOptions, Report, parse, translate, write};
use tidegate_tests::{BoxedIo, Gateway, Origin, Raw};

use super::httpd::{self, Httpd};
use crate::running::plain;

/// Lines of a virtual host, `{a}` and `{b}` being endpoints, and what is asked: a path, or `ws ` and the path of a handshake.
const IDIOMS: &[(&str, &[&str])] = &[
    (
        "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteCond %{HTTP:Connection} upgrade [NC]\n\
         RewriteRule ^/?(.*) \"ws://{a}/$1\" [P,L]\nProxyPass / http://{a}/\nProxyPassReverse / http://{a}/",
        &["/", "/x/y?q=1", "ws /", "ws /x/y?q=1", "/a%20b"],
    ),
    (
        "RewriteEngine On\nProxyPass /static !\nRewriteCond %{HTTP:Upgrade} =websocket [NC]\n\
         RewriteRule /(.*) ws://{a}/$1 [P,L]\nRewriteCond %{HTTP:Upgrade} !=websocket [NC]\n\
         RewriteRule /(.*) http://{a}/$1 [P,L]",
        &["/", "/static/x", "ws /static/x", "/a/b?c=d"],
    ),
    (
        "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteRule /(.*) ws://{b}/socket/$1 [P,L]\n\
         ProxyPass / http://{a}/",
        &["/", "/x?y", "ws /", "ws /x?y"],
    ),
    (
        "ProxyPass /ws ws://{b}/ws\nProxyPass / http://{a}/ upgrade=websocket",
        &["/ws", "/ws/x", "ws /ws", "ws /ws/x", "/wsx", "ws /wsx", "/"],
    ),
    (
        "ProxyPass / http://{a}/\n<Location /x/y>\nProxyPass http://{b}/deep\n</Location>\n\
         <Location /x>\nProxyPass http://{a}/wide\n</Location>\n<Location /z>\nProxyPass !\n</Location>",
        &["/x/y", "/x/y/z", "/x", "/x/q", "/other", "/z/nothing"],
    ),
    (
        "Redirect /hidden /new\nProxyPass /alive !\nRedirect 301 /alive /moved\nRedirectMatch ^/n/([0-9]+)$ /m/$1\n\
         <Location /first>\nRedirect permanent /second\n</Location>\nProxyPass /n !\nProxyPass / http://{a}/",
        &["/hidden/x", "/alive/x?q=1", "/alive", "/n/12?q=1", "/first", "/x"],
    ),
    (
        "RewriteEngine On\nRewriteRule ^/search/(.*)$ /plugins/search/$1 [PT]\nRewriteRule ^/gone$ - [G]\n\
         RewriteRule ^/no(/|$) - [F]\nRewriteRule ^/old/(.*)$ /new/$1 [R=301,L]\nProxyPass / http://{a}/",
        &["/search/a/b?c", "/gone", "/no", "/no/x", "/nothing", "/old/a?b=c", "/"],
    ),
    (
        "RewriteEngine On\nRewriteCond %{REQUEST_URI} !^/api\nRewriteRule ^/(.*)$ http://{a}/$1 [P]\n\
         ProxyPass /api http://{b}/v1",
        &["/", "/x", "/api", "/api/y?z"],
    ),
    (
        "ProxyPassMatch ^/a/(.*)$ http://{a}/b/$1\nProxyPassMatch ^/c/.*\\.gif$ http://{b}\n\
         ProxyPassMatch ^/d(/.*)?$ http://{b}/e$1\nProxyPassMatch \"^/(live/.*/socket)$\" ws://{a}/$1",
        &["/a/x/y?z", "/a/", "/c/x/y.gif?z", "/d", "/d/x", "ws /live/x/socket", "/c/x.png"],
    ),
    (
        "RewriteEngine On\nRewriteCond %{HTTP_USER_AGENT} badbot [NC]\nRewriteRule ^ - [F]\n\
         <Location /closed>\nRequire all denied\n</Location>\n<Location /closed/open>\nRequire all granted\n</Location>\n\
         <Location /old>\nOrder allow,deny\nDeny from all\n</Location>\nProxyPass / http://{a}/",
        &["/", "/closed", "/closed/x", "/closed/open/x", "/closedx", "/old", "ws /closed"],
    ),
    (
        "<Proxy balancer://set>\nBalancerMember http://{a} route=a loadfactor=2\nBalancerMember http://{b} route=b\n\
         ProxySet stickysession=SID\n</Proxy>\nProxyPass /app balancer://set/base\nProxyPass /nobody balancer://nobody/",
        &["/app/1", "/app/2", "/app/3", "/app/4", "/app/5", "/app/6", "/nobody/x", "/app?SID=x.b"],
    ),
    (
        "ProxyPass /one/ http://{a}/two/\nProxyPass /three http://{b}/four/\nProxyPass /five/ http://{a}/",
        &["/one", "/one/", "/one/x", "/three", "/three/x", "/five/x/y", "/nothing"],
    ),
];

#[tokio::test]
async fn an_imported_configuration_answers_as_apache_does() {
    let Some(apache) = httpd::found() else { return };
    let (a, b) = (endpoint("a").await, endpoint("b").await);
    let at = |text: &str| text.replace("{a}", &a.address().to_string()).replace("{b}", &b.address().to_string());

    let mut differences = Vec::new();
    for (lines, asked) in IDIOMS {
        let lines = at(lines);
        let theirs = Httpd::start(apache.clone(), &lines).await;
        let routes = imported(&lines);
        let gateway = Gateway::configure(&routes).start().await;
        for target in *asked {
            let expected = ask(plain(theirs.address()).await, target).await;
            let found = ask(gateway.connect().await, target).await;

            if found != expected {
                differences.push(format!("{target}: {found:?}, in Apache {expected:?}, with\n{lines}\n\n{routes}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// An endpoint that says what it was asked for, in a header and in its own name; a handshake succeeds.
pub(super) async fn endpoint(name: &'static str) -> Origin {
    let setup = Origin::raw(move |mut raw| async move {
        while let Some(head) = raw.read_head().await {
            let line = head.lines().next().unwrap_or_default().to_owned();
            let upgrade = head.to_ascii_lowercase().contains("\r\nupgrade: websocket");
            let start = if upgrade {
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket"
            } else {
                "HTTP/1.1 200 OK\r\nContent-Length: 0"
            };
            raw.write(format!("{start}\r\nX-Seen: {name} {line}\r\n\r\n").as_bytes()).await;
        }
    });
    setup.start().await
}

/// The routes and clusters that the importer makes of it.
pub(super) fn imported(lines: &str) -> String {
    let text = format!("<VirtualHost *:80>\nProxyTimeout 600\n{lines}\n</VirtualHost>\n");
    let mut report = Report::default();
    let tree = parse(text.as_bytes(), Path::new("site.conf"), &ReadOptions::default(), &mut report);
    let draft = translate(&tree.expect("a tree"), ImportOptions::default(), &mut report);
    let text = write(&draft);
    let at = text.find("# from site.conf").and_then(|first| Some(first + 1 + text.get(first + 1..)?.find("# from")?));
    text.get(at.unwrap_or_default()..).unwrap_or_default().to_owned()
}

/// Status, Location without the gateway's own name, and what the endpoint saw.
async fn ask(io: BoxedIo, target: &str) -> (u16, String, String) {
    ask_as(io, target, "").await
}

/// The same with further fields, each with its line end.
pub(super) async fn ask_as(io: BoxedIo, target: &str, fields: &str) -> (u16, String, String) {
    let (upgrade, path) = match target.strip_prefix("ws ") {
        Some(path) => (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            path,
        ),
        None => ("", target),
    };
    let mut raw = Raw::new(io);
    raw.write(format!("GET {path} HTTP/1.1\r\nHost: gateway.test\r\n{upgrade}{fields}\r\n").as_bytes()).await;
    let head = raw.read_head().await.unwrap_or_default();
    let field = |name: &str| {
        let line =
            head.lines().find_map(|line| line.split_once(": ").filter(|(known, _)| known.eq_ignore_ascii_case(name)));
        line.map(|(_name, value)| value.to_owned()).unwrap_or_default()
    };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, field("location").replace("http://gateway.test", ""), field("x-seen"))
}
