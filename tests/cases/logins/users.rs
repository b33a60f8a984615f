//! Who is let in, by whatever protocol, and what endpoints and operators see of it.

use std::process::Command;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use tidegate_tests::guests::ACTS_FILE;
use tidegate_tests::{Gateway, Origin, eventually, get};
use tokio_tungstenite::tungstenite::Error;

use super::{USERS, asking, basic, handshake};
use crate::running::Running;

const TEXT: &str = r#"
    [log]
    access = "access.log"
    [[route]]
    path = "/team"
    to = "http://{a}"
    basic_auth = { file = "users.htpasswd", realm = "The team" }
    response_headers = { set = { X-Route = "team" } }
    request_headers = { set = { X-User = "$user" } }
    [[route]]
    path = "/few"
    to = "http://{a}"
    basic_auth = { file = "users.htpasswd", users = ["bob", "nobody"] }
    request_headers = { set = { X-User = "$user" }, remove = ["Authorization"] }
    [[route]]
    path = "/here"
    respond = { status = 200, body = "secret" }
    basic_auth = { file = "users.htpasswd" }
    [[route]]
    path = "/away"
    redirect = { to = "/secret" }
    basic_auth = { file = "users.htpasswd" }
    [[route]]
    path = "/"
    to = "http://{a}"
    request_headers = { set = { X-User = "$user" } }
"#;

async fn gateway(a: &Origin) -> Gateway {
    Gateway::configure(TEXT).origin(a).file("users.htpasswd", USERS).start().await
}

#[tokio::test]
async fn users_of_the_file_are_let_in_by_every_protocol_and_others_are_asked() {
    let a = Origin::named("a").start().await;
    let gateway = gateway(&a).await;
    let mut http2 = gateway.http2().await;

    let table: [(&str, Option<&str>, u16); 24] = [
        ("/team", None, 401),
        ("/team", Some("ann:open sesame"), 200),
        ("/team", Some("ann:open sesame"), 200),
        ("/team", Some("ann:open sesame "), 401),
        ("/team", Some("Ann:open sesame"), 401),
        ("/team", Some("ann:"), 401),
        ("/team", Some("ann"), 401),
        ("/team", Some(":"), 401),
        ("/team", Some("bob:p:ä ß"), 200),
        ("/team", Some("bob:open sesame"), 401),
        ("/team", Some("cid:sha pass"), 200),
        ("/team", Some("dan:five"), 200),
        ("/team", Some("eve:six"), 200),
        ("/team", Some("eve:five"), 401),
        ("/team", Some("ä:"), 200),
        ("/team", Some("zoe:open sesame"), 401),
        ("/team", Some("# users:x"), 401),
        ("/few", Some("bob:p:ä ß"), 200),
        ("/few", Some("ann:open sesame"), 401),
        ("/few", Some("nobody:"), 401),
        ("/here", None, 401),
        ("/here", Some("ann:open sesame"), 200),
        ("/away", Some("ann:open sesame "), 401),
        ("/away", Some("ann:open sesame"), 302),
    ];
    for (path, login, status) in table {
        let field = login.map(basic);
        let field = field.as_deref();
        let (one, two) = (gateway.send(asking(path, field)).await, http2.send(asking(path, field)).await);

        for answer in [one, two] {
            assert_eq!(answer.status, status, "{path} {login:?}");
            assert_eq!(answer.text().contains("secret"), path == "/here" && status == 200, "{path} {login:?}");
            let realm = if path == "/team" { "The team" } else { "Restricted" };
            let challenge = format!("Basic realm=\"{realm}\", charset=\"UTF-8\"");
            let expected = if status == 401 { challenge.as_str() } else { "" };
            assert_eq!(answer.header("www-authenticate"), expected, "{path} {login:?}");
            assert_eq!(answer.header("x-route"), if path == "/team" { "team" } else { "" });
        }
        if matches!(path, "/team" | "/few") {
            for tried in
                [gateway.try_websocket(handshake(path, field)).await, http2.try_websocket(handshake(path, field)).await]
            {
                match tried {
                    Ok(websocket) => {
                        assert_eq!(status, 200, "{path} {login:?}");
                        websocket.greeted().await.echo("hello").await;
                    }
                    Err(Error::Http(refused)) => assert_eq!(refused.status(), status, "{path} {login:?}"),
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    }
    assert_eq!(gateway.get("/else").await.status, 200, "other routes ask nobody");
    let refused = gateway.get("/team").await;
    assert_eq!(refused.header("cache-control"), "no-store");
    assert_eq!(refused.text(), "401 Unauthorized: a name and a password are asked for here\n");
}

#[tokio::test]
async fn several_fields_and_other_schemes_are_no_login() {
    let a = Origin::named("a").start().await;
    let gateway = gateway(&a).await;
    let good = basic("ann:open sesame");

    for (fields, status) in [
        (vec![good.as_str()], 200),
        (vec![&good.replace("Basic", "bASIC")], 200),
        (vec![good.as_str(), good.as_str()], 401),
        (vec!["Bearer abc", good.as_str()], 401),
        (vec![&good.replace("Basic ", "Bearer ")], 401),
        (vec![&good.replace("Basic ", "")], 401),
    ] {
        let mut request = get("/team");
        for field in &fields {
            request.headers_mut().append("authorization", field.parse().unwrap());
        }
        assert_eq!(gateway.send(request).await.status, status, "{fields:?}");
    }
}

/// As behind Apache (`beside_apache`), unless the operator takes it off.
#[tokio::test]
async fn endpoints_see_the_login_and_a_user_that_no_client_can_claim() {
    let a = Origin::named("a").start().await;
    let gateway = gateway(&a).await;
    let login = basic("bob:p:ä ß");
    let forged = |path: &str, field: Option<&str>| {
        let mut request = asking(path, field);
        request.headers_mut().insert("x-user", "root".parse().unwrap());
        request.headers_mut().insert("x.user", "root".parse().unwrap());
        request
    };

    let team = gateway.send(forged("/team", Some(&login))).await.seen();
    let few = gateway.send(forged("/few", Some(&login))).await.seen();
    let open = gateway.send(forged("/open", Some(&login))).await.seen();

    assert_eq!((team.header("authorization"), team.all("x-user")), (Some(login.as_str()), vec!["bob"]));
    assert_eq!((few.header("authorization"), few.all("x-user")), (None, vec!["bob"]));
    assert_eq!((open.header("authorization"), open.all("x-user")), (Some(login.as_str()), vec![]));
    assert!([team, few, open].iter().all(|seen| seen.header("x.user").is_none()));
}

#[tokio::test]
async fn a_body_comes_whole_behind_a_login_that_was_not_known() {
    let a = Origin::named("a").start().await;
    let gateway = gateway(&a).await;
    let body = "0123456789abcdef".repeat(16 << 10);

    for (login, status) in [("ann:wrong", 401), ("ann:open sesame", 200), ("ann:open sesame", 200)] {
        let request = Request::builder().method(Method::POST).uri("/team").header("host", "gateway.test");
        let request = request.header("authorization", basic(login));
        let answer = gateway.send(request.body(Full::new(Bytes::from(body.clone()))).unwrap()).await;

        assert_eq!(answer.status, status, "{login}");
        assert!(status != 200 || answer.seen().body == body);
    }
}

#[tokio::test]
async fn users_stand_in_the_access_line_and_passwords_nowhere() {
    let a = Origin::named("a").start().await;
    let running = Running::start(Gateway::configure(TEXT).origin(&a).file("users.htpasswd", USERS)).await;
    let send = async |login: Option<&str>| {
        let mut raw = running.raw().await;
        let field = login.map(|login| format!("Authorization: {}\r\n", basic(login))).unwrap_or_default();
        raw.write(format!("GET /team HTTP/1.1\r\nHost: gateway.test\r\n{field}\r\n").as_bytes()).await;
        raw.read_answer().await.unwrap().status.as_u16()
    };

    let statuses = [
        send(None).await,
        send(Some("a\u{202e}nn:hunter2")).await,
        send(Some("ann:open sesame")).await,
        send(Some("ann:open sesame")).await,
    ];

    assert_eq!(statuses, [401, 401, 200, 200]);
    let lines = || std::fs::read_to_string(running.folder().join("access.log")).unwrap_or_default();
    eventually("four lines", || lines().lines().count() == 4 && lines().ends_with('\n')).await;
    let lines = lines();
    let said = |line: &str| ["login-missing", "login-wrong", "user=-", "user=\"ann\""].map(|part| line.contains(part));
    let let_in = [false, false, false, true];
    assert!(
        lines.lines().map(said).eq([[true, false, true, false], [false, true, true, false], let_in, let_in]),
        "{lines}"
    );
    assert!(lines.lines().all(|line| line.contains("route=\"/team\"")), "{lines}");
    let told = running.said("did not let a user in");
    assert_eq!(told.len(), 1, "{:?}", running.process.stderr());
    assert!(told[0].contains("nn") && told[0].contains("202e") && told[0].contains("127.0.0.1"), "{told:?}");
    let all = running.process.stderr().join("\n") + &lines;
    for secret in ["hunter2", "sesame", "$2y$", &basic("ann:open sesame")[6..]] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[tokio::test]
async fn what_comes_of_logins_is_counted() {
    let a = Origin::named("a").start().await;
    let gateway = gateway(&a).await;

    for login in [None, Some("ann:x"), Some("ann:open sesame"), Some("ann:open sesame"), Some("ann:open sesame")] {
        let _answer = gateway.send(asking("/team", login.map(basic).as_deref())).await;
    }
    let refused = gateway.try_websocket(handshake("/team", None)).await;

    assert!(matches!(refused, Err(Error::Http(_))));
    for (outcome, count) in [("missing", 2.0), ("wrong", 1.0), ("right", 1.0), ("known", 2.0), ("too_many", 0.0)] {
        assert_eq!(gateway.metric(&format!("tidegate_logins_total{{outcome=\"{outcome}\"}}")), count, "{outcome}");
    }
    assert_eq!(gateway.metric("tidegate_upgrades_total{outcome=\"refused\"}"), 1.0);
    assert_eq!(gateway.picks(&a), 3, "who is not let in holds no endpoint");
    assert_eq!(gateway.in_flight(&a), 0);
}

#[tokio::test]
async fn a_plugin_leads_nobody_around_a_login_and_does_not_see_who_has_none() {
    let a = Origin::named("a").start().await;
    let route = |path: &str, more: &str| format!("[[route]]\npath = \"{path}\"\nto = \"balancer://one\"\n{more}\n");
    let asks = "basic_auth = { file = \"users.htpasswd\" }\n";
    let routes = [
        route("/open", "plugins = [\"acts\"]"),
        route("/closed", asks),
        route("/asking", &format!("plugins = [\"acts\"]\n{asks}")),
    ];
    let text = format!(
        "[cluster.one]\nendpoints = [\"http://{{a}}\"]\n{}[plugin.acts]\nfile = {{file}}\nconfig = {{ reads = \"x-acts\" }}\n",
        routes.concat()
    );
    let setup = Gateway::configure(&text).origin(&a).put("file", format!("{ACTS_FILE:?}"));
    let gateway = setup.file("users.htpasswd", USERS).start().await;
    let calls = || gateway.metric("tidegate_plugin_calls_total{plugin=\"acts\",role=\"router\"}");
    let send = async |path: &str, acts: &str, login: Option<&str>| {
        let mut request = asking(path, login.map(basic).as_deref());
        request.headers_mut().insert("x-acts", acts.parse().unwrap());
        gateway.send(request).await.status.as_u16()
    };
    let before = calls();

    assert_eq!(send("/asking", "respond 200", None).await, 401);
    assert_eq!(calls(), before, "the plugin of a route sees nobody who is not let in");
    assert_eq!(send("/asking", "next", Some("ann:open sesame")).await, 200);
    assert_eq!(calls(), before + 1.0);
    for (login, status) in [(None, 401), (Some("ann:x"), 401), (Some("cid:sha pass"), 200), (Some("cid:sha pass"), 200)]
    {
        assert_eq!(send("/open", "forward 0 /a 1", login).await, status, "{login:?}");
    }
}

#[tokio::test]
async fn curl_logs_in() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("note: there is no curl");
        return;
    }
    let a = Origin::named("a").start().await;
    let gateway = gateway(&a).await;
    let curl = async |more: &[&str]| {
        let mut command = Command::new("curl");
        let url = format!("http://{}/team", gateway.address());
        command.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", &url]).args(more);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    };

    assert_eq!(curl(&[]).await, "401");
    assert_eq!(curl(&["-u", "bob:p:ä ß"]).await, "200");
    assert_eq!(curl(&["--anyauth", "-u", "ann:open sesame"]).await, "200", "it is asked, and tries again");
    assert_eq!(curl(&["--http2-prior-knowledge", "-u", "ann:open"]).await, "401");
}
