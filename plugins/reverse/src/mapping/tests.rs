//! The way back, by examples.

use super::*;

const FRONT: Client<'static> = Client { secure: false, host: "front.example" };

fn mapping(path: &str, to_path: &str, origins: &[&str]) -> Mapping {
    let origins = origins.iter().map(|url| (*url).to_owned()).collect();
    let route = Route { path: path.to_owned(), to_path: to_path.to_owned(), origins, ..Route::default() };
    Mapping::new(route, "/routes/0").unwrap()
}

fn read(json: &str) -> Mapping {
    Mapping::new(tidegate_plugin::config::parse_or_default(json).unwrap(), "/routes/0").unwrap()
}

#[test]
fn further_origins_stand_for_the_clients_path() {
    let mapping = read(
        r#"{"path":"/app","to_path":"/in","origins":["http://a:8080"],"further":["http://old.example/was/","ws://a:8080","https://bare.example"]}"#,
    );
    for (url, expected) in [
        ("http://a:8080/in/x", Some("http://front.example/app/x")),
        ("http://old.example/was/x?y", Some("http://front.example/app/x?y")),
        ("http://old.example/was", Some("http://front.example/app")),
        ("http://old.example/wasx", None),
        ("https://bare.example/x", Some("http://front.example/app/x")),
        ("http://bare.example/x", None),
        ("http://a:8080/x", Some("http://front.example/app/x")),
    ] {
        assert_eq!(mapping.location(url, FRONT, "http://a:8080").as_deref(), expected, "{url}");
    }
    assert_eq!(mapping.cookie_domain("OLD.example", FRONT).as_deref(), Some("front.example"));
    assert_eq!(
        mapping.cookie_path("/was/x", "http://a:8080").as_deref(),
        Some("/app/was/x"),
        "as said by one of the endpoints"
    );
}

#[test]
fn a_path_alone_is_the_endpoints_where_that_is_said() {
    let stripped = read(r#"{"path":"/app","to_path":"/","origins":["http://a"],"paths":true}"#);
    let deeper = read(r#"{"path":"/app","to_path":"/app/v2","origins":["http://a/base"],"paths":true}"#);
    let added = read(r#"{"path":"/","to_path":"/in","origins":["http://a"],"paths":true}"#);
    let same = read(r#"{"path":"/app","to_path":"/app","origins":["http://a"],"paths":true}"#);
    let not = mapping("/app", "/", &["http://a"]);
    for (mapping, url, expected) in [
        (&stripped, "/login?next=/", Some("/app/login?next=/")),
        (&stripped, "/", Some("/app/")),
        (&stripped, "/app/login", None),
        (&stripped, "/app", None),
        (&stripped, "/app?x", None),
        (&stripped, "/apple", Some("/app/apple")),
        (&stripped, "//elsewhere.example/x", None),
        (&stripped, "login", None),
        (&stripped, "?x", None),
        (&stripped, "", None),
        (&deeper, "/base/app/v2/x", Some("/app/x")),
        (&deeper, "/app/v2/x", None),
        (&deeper, "/base/app/v2", Some("/app")),
        (&added, "/in/x", Some("/x")),
        (&added, "/x", None),
        (&same, "/app/x", None),
        (&same, "/x", None),
        (&not, "/login", None),
    ] {
        assert_eq!(mapping.location(url, FRONT, "http://a").as_deref(), expected, "{url} of {}", mapping.path);
    }
}

#[test]
fn what_is_said_of_cookies_comes_first() {
    let mapping = read(
        r#"{"path":"/app","to_path":"/in","origins":["http://a"],"cookie_paths":{"/":"/all","/in/x/":"/x"},"cookie_domains":{".inside.example":"www.example"}}"#,
    );
    for (path, expected) in
        [("/", "/all"), ("/y", "/all/y"), ("/in/x", "/x"), ("/in/x/y", "/x/y"), ("/in/xy", "/all/in/xy")]
    {
        assert_eq!(mapping.cookie_path(path, "http://a").as_deref(), Some(expected), "{path}");
    }
    assert_eq!(mapping.cookie_domain("Inside.example", FRONT).as_deref(), Some("www.example"));
    assert_eq!(mapping.cookie_domain(".inside.example", FRONT).as_deref(), Some(".www.example"));
    assert_eq!(mapping.cookie_domain("a", FRONT).as_deref(), Some("front.example"));
}

#[test]
fn locations_map_back() {
    let app = mapping("/app", "/app", &["http://127.0.0.1:28101"]);
    let root = mapping("/", "/", &["http://root.example"]);
    let bare = mapping("/foo", "", &["http://h"]);
    let slashes = mapping("/both/", "/bar/", &["http://h"]);
    let ws = mapping("/ws", "/ws", &["ws://wsb.example:9000"]);
    let pool = mapping("/bal", "/alias", &["http://127.0.0.1:28101/m", "http://other.example:8080/foo"]);
    let socket = mapping("/sock", "/in", &["unix:/run/a|b.sock|http://inner.example:81/base", "unix:/run/c.sock"]);
    let table: &[(&Mapping, &str, Option<&str>)] = &[
        (&app, "http://127.0.0.1:28101/app/y", Some("http://front.example/app/y")),
        (&app, "http://127.0.0.1:28101/app", Some("http://front.example/app")),
        (&app, "http://127.0.0.1:28101/app?x#y", Some("http://front.example/app?x#y")),
        (&app, "HTTP://127.0.0.1:28101/app/y", Some("http://front.example/app/y")),
        (&app, "ws://127.0.0.1:28101/app/y", Some("http://front.example/app/y")),
        (&app, "http://127.0.0.1:28101/appfoo", None),
        (&app, "http://127.0.0.1:28101/APP/y", None),
        (&app, "http://127.0.0.1:28101/other", None),
        (&app, "http://127.0.0.1/app/y", None),
        (&app, "https://127.0.0.1:28101/app/y", None),
        (&app, "/app/y", None),
        (&app, "relative", None),
        (&root, "http://root.example/q", Some("http://front.example/q")),
        (&root, "http://root.example:80/", Some("http://front.example/")),
        (&root, "http://root.example", Some("http://front.example/")),
        (&root, "http://root.example?x", Some("http://front.example/?x")),
        (&bare, "http://h/q", Some("http://front.example/foo/q")),
        (&bare, "http://h/", Some("http://front.example/foo/")),
        (&bare, "http://h", Some("http://front.example/foo")),
        (&slashes, "http://h/bar/x", Some("http://front.example/both/x")),
        (&slashes, "http://h/bar/", Some("http://front.example/both/")),
        (&slashes, "http://h/bar", Some("http://front.example/both/")),
        (&ws, "ws://wsb.example:9000/ws/x", Some("http://front.example/ws/x")),
        (&ws, "http://WSB.example:9000/ws/x", Some("http://front.example/ws/x")),
        (&pool, "http://127.0.0.1:28101/m/alias/q", Some("http://front.example/bal/q")),
        (&pool, "http://OTHER.example:8080/foo/alias/z", Some("http://front.example/bal/z")),
        (&pool, "http://other.example:8080/foo/ALIAS/z", None),
        (&pool, "http://other.example:8080/m/alias/z", None),
        (&socket, "http://inner.example:81/base/in/x", Some("http://front.example/sock/x")),
        (&socket, "http://localhost/in/x", Some("http://front.example/sock/x")),
        (&socket, "http://inner.example/base/in/x", None),
    ];

    for (mapping, url, expected) in table {
        assert_eq!(mapping.location(url, FRONT, "").as_deref(), *expected, "{url}");
    }
}

#[test]
fn the_client_is_named_as_it_named_the_gateway() {
    let app = mapping("/app", "/app", &["http://h"]);
    let table = [
        (false, "front.example:8080", "http://front.example:8080/app/y"),
        (false, "front.example:80", "http://front.example/app/y"),
        (true, "front.example:443", "https://front.example/app/y"),
        (true, "front.example:80", "https://front.example:80/app/y"),
        (false, "[::1]:99", "http://[::1]:99/app/y"),
        (false, "", "/app/y"),
    ];

    for (secure, host, expected) in table {
        assert_eq!(app.location("http://h/app/y", Client { secure, host }, "").as_deref(), Some(expected));
    }
}

#[test]
fn cookies_of_the_unix_socket_that_answered_come_first() {
    let sockets = ["unix:/run/a.sock|http://a/m", "unix:/run/b.sock|http://b/m/in"];
    let mapping = mapping("/p", "/in", &sockets);

    assert_eq!(mapping.cookie_path("/m/in/in/x", sockets[0]).as_deref(), Some("/p/in/x"));
    assert_eq!(mapping.cookie_path("/m/in/in/x", sockets[1]).as_deref(), Some("/p/x"));
}

#[test]
fn faults_name_their_place() {
    let route = |path: &str, url: &str| Route {
        path: path.into(),
        to_path: "/".into(),
        origins: vec![url.into()],
        ..Route::default()
    };

    assert_eq!(Mapping::new(route("x", "ws://h"), "/routes/2").unwrap_err().path, "/routes/2/path");
    assert_eq!(Mapping::new(route("/x", "h:1"), "/routes/2").unwrap_err().path, "/routes/2/origins/0");
    let further = Route { further: vec!["/x".into()], ..route("/x", "ws://h") };
    assert_eq!(Mapping::new(further, "/routes/2").unwrap_err().path, "/routes/2/further/0");
}

#[test]
fn what_an_endpoint_says_of_itself_leads_to_no_other_server() {
    let root = read(r#"{"path":"/","to_path":"/in","origins":["http://a"],"paths":true}"#);
    let nobody = Client { secure: false, host: "" };
    for (url, client, expected) in [
        ("/in//evil.example/x", FRONT, Some("http://front.example//evil.example/x")),
        ("/in/\\evil.example/x", FRONT, Some("http://front.example/\\evil.example/x")),
        ("/in/\t/evil.example/x", FRONT, Some("http://front.example/\t/evil.example/x")),
        ("http://a/in//evil.example/x", FRONT, Some("http://front.example//evil.example/x")),
        ("/in//evil.example/x", nobody, None),
        ("http://a/in//evil.example/x", nobody, None),
        ("/\\in/x", FRONT, None),
        ("/in/x", nobody, Some("/x")),
        ("http://a/in/x", nobody, Some("/x")),
    ] {
        assert_eq!(root.location(url, client, "http://a").as_deref(), expected, "{url}");
    }
}
