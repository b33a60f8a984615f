//! Several plugins on one route: who is asked, in which order, and what each sees of those before.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate::config;
use tidegate::gateway::Gateway as Inner;
use tidegate::plugin::Compiler;
use tidegate_tests::guests::{ACTS_FILE, FEEDBACK_FILE};
use tidegate_tests::{Gateway, Origin, eventually, get, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

const PLUGINS: &str = "[plugin.first]\nfile = {file}\nconfig = { reads = \"x-first\" }\n\
                       [plugin.second]\nfile = {file}\nconfig = { reads = \"x-second\" }\n";

/// A gateway whose route from `/` to cluster `one` asks `first` and `second`; `route` goes on in the route.
async fn chained(one: &Origin, two: &Origin, route: &str, more: &str) -> Gateway {
    let text = format!(
        "[cluster.one]\nendpoints = [\"http://{{one}}\"]\n[cluster.two]\nendpoints = [\"http://{{two}}\"]\n\
         [[route]]\npath = \"/plain\"\nto = \"balancer://two\"\n\
         [[route]]\npath = \"/\"\nto = \"balancer://one/base/\"\nplugins = [\"first\", \"second\"]\n{route}\n{PLUGINS}{more}"
    );
    let setup = Gateway::configure(&text).put("one", one.address()).put("two", two.address());
    setup.put("file", format!("{ACTS_FILE:?}")).start().await
}

/// A GET with these commands for `first` and `second`.
fn telling(path: &str, first: &[&str], second: &[&str]) -> Request<Full<Bytes>> {
    let mut request = get(path);
    for (name, commands) in [("x-first", first), ("x-second", second)] {
        for command in commands {
            request.headers_mut().append(name, command.parse().unwrap());
        }
    }
    request
}

/// Where the inner service thinks that it is.
fn moved(origin: &Origin) -> String {
    format!("http://{}/base/there", origin.address())
}

#[tokio::test]
async fn each_plugin_may_pass_and_the_last_leaves_it_to_the_route() {
    let (one, two) = (Origin::named("one").start().await, Origin::named("two").start().await);
    let gateway = chained(&one, &two, "", "").await;

    let passed = gateway.send(telling("/a?b", &["set request x-user alice", "next"], &["tell tenant"])).await;
    let ended = gateway.send(telling("/a", &["forward 1"], &["respond 401"])).await;
    let replaced = gateway.send(telling("/a", &[], &["forward 1 /else?c"])).await;
    let unasked = gateway.send(telling("/plain", &["respond 401"], &[])).await;

    let seen = passed.seen();
    assert_eq!((seen.endpoint.as_str(), seen.target.as_str()), ("one", "/base/a?b"), "where the route leads");
    assert_eq!((seen.header("x-user"), seen.header("x-noted")), (Some("alice"), Some("nothing")));
    assert_eq!((ended.seen().endpoint.as_str(), ended.seen().target.as_str()), ("two", "/base/a"), "the route's path");
    assert_eq!(replaced.seen().target, "/else?c");
    assert_eq!((unasked.status.as_u16(), unasked.seen().endpoint.as_str()), (200, "two"), "another route");
}

#[tokio::test]
async fn a_plugin_that_refuses_ends_the_chain_with_the_rules_of_the_route() {
    let (one, two) = (Origin::named("one").start().await, Origin::named("two").start().await);
    let gateway = chained(&one, &two, "response_headers = { set = { x-policy = \"strict\" } }", "").await;

    let refused = gateway.send(telling("/", &["set response x-a mine", "respond 401"], &["forward 1"])).await;
    let unmatched = gateway.send(telling("/", &["unmatched"], &[])).await;
    let faulty = gateway.send(telling("/", &["set request host x"], &[])).await;

    assert_eq!((refused.status.as_u16(), refused.text().as_str()), (401, "of a plugin\n"));
    assert_eq!((refused.header("x-a"), refused.header("x-policy")), ("mine", "strict"));
    assert_eq!((unmatched.status.as_u16(), unmatched.header("x-policy")), (404, "strict"));
    assert_eq!((faulty.status.as_u16(), faulty.header("x-policy")), (503, "strict"));
    assert_eq!(gateway.picks(&one) + gateway.picks(&two), 0, "no endpoint had any of it");
}

/// A gateway with three routes: `/open`, `/closed` and `/plain` ask `first`, `second` and nobody, and lead to `one`.
async fn leading_into_another(one: &Origin, two: &Origin) -> Gateway {
    let route = |path: &str, plugins: &str| {
        format!(
            "[[route]]\npath = \"{path}\"\nto = \"balancer://one\"\nplugins = [{plugins}]\n\
             response_headers = {{ set = {{ x-route = \"{path}\" }} }}\n"
        )
    };
    let routes = [route("/open", "\"first\""), route("/closed", "\"second\""), route("/plain", "")].concat();
    let text = format!(
        "[log]\naccess = \"access.log\"\nformat = \"json\"\n[cluster.one]\nendpoints = [\"http://{{one}}\"]\n\
         [cluster.two]\nendpoints = [\"http://{{two}}\"]\n{routes}{PLUGINS}"
    );
    let setup = Gateway::configure(&text).put("one", one.address()).put("two", two.address());
    setup.put("file", format!("{ACTS_FILE:?}")).start().await
}

#[tokio::test]
async fn who_is_led_into_another_route_meets_its_plugins() {
    let (one, two) = (Origin::named("one").start().await, Origin::named("two").start().await);
    let gateway = leading_into_another(&one, &two).await;
    let file = gateway.folder().join("access.log");
    let lines = || std::fs::read_to_string(&file).unwrap_or_default();

    let refused = gateway.send(telling("/open", &["forward 0 /a 1"], &["respond 401"])).await;
    let faulty = gateway.send(telling("/open", &["forward 0 /a 1"], &["set request host x"])).await;
    let passed = gateway.send(telling("/open?passed", &["note tenant blue", "forward 1 /a 1"], &["tell tenant"])).await;
    let replaced = gateway.send(telling("/open", &["forward 0 /a 1"], &["forward 1 /b"])).await;
    let plain = gateway.send(telling("/open", &["forward 1 /a 2"], &["respond 401"])).await;

    assert_eq!((refused.status.as_u16(), refused.header("x-route")), (401, "/closed"), "by the rules of who refuses");
    assert_eq!((faulty.status.as_u16(), faulty.header("x-route")), (503, "/closed"));
    assert_eq!((passed.header("x-route"), passed.seen().header("x-noted")), ("/closed", Some("blue")));
    assert_eq!(
        (passed.seen().endpoint.as_str(), passed.seen().target.as_str()),
        ("two", "/a"),
        "where `first` sent it"
    );
    assert_eq!((replaced.seen().endpoint.as_str(), replaced.seen().target.as_str()), ("two", "/b"));
    assert_eq!((plain.status.as_u16(), plain.header("x-route")), (200, "/plain"), "a route without plugins");
    eventually("its line", || lines().contains("/open?passed") && lines().ends_with('\n')).await;
    let lines = lines();
    let line = lines.lines().find(|line| line.contains("/open?passed")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap()["plugins"], "first,second,bybusyness");
}

#[tokio::test]
async fn routes_that_lead_into_each_other_are_asked_once_each() {
    let (one, two) = (Origin::named("one").start().await, Origin::named("two").start().await);
    let gateway = leading_into_another(&one, &two).await;
    let calls =
        |plugin: &str| gateway.metric(&format!("tidegate_plugin_calls_total{{plugin=\"{plugin}\",role=\"router\"}}"));
    let before = [calls("first"), calls("second")];

    let answer = gateway.send(telling("/open", &["forward 0 /a 1"], &["forward 1 /b 0"])).await;

    assert_eq!((answer.status.as_u16(), answer.header("x-route")), (200, "/open"));
    assert_eq!((answer.seen().endpoint.as_str(), answer.seen().target.as_str()), ("two", "/b"), "the last word");
    let asked = [calls("first") - before[0], calls("second") - before[1]];
    assert!(asked.iter().all(|calls| (calls - 1.0).abs() < 0.1), "{asked:?}");
}

/// Success would say that protocols were switched (RFC 8441 §4).
#[tokio::test]
async fn a_plugin_that_responds_is_no_switch_over_http2() {
    let (one, two) = (Origin::named("one").start().await, Origin::named("two").start().await);
    let gateway = chained(&one, &two, "response_headers = { set = { x-policy = \"strict\" } }", "").await;
    let mut client = gateway.http2().await;

    for (command, status) in [("respond 200", 501), ("respond 401", 401)] {
        let mut request = upgrade_request("/");
        request.headers_mut().append("x-first", command.parse().unwrap());
        let Err(Error::Http(refused)) = client.try_connect(request).await else { panic!("{command}") };
        assert_eq!((refused.status().as_u16(), &refused.headers()["x-policy"]), (status, &"strict".parse().unwrap()));
    }
}

#[tokio::test]
async fn notes_and_edits_reach_whoever_comes_later() {
    let (one, two) = (Origin::named("one").start().await, Origin::named("two").start().await);
    let gateway = chained(&one, &two, "", "").await;

    let first = ["note tenant blue", "set request x-user alice"];
    let answer = gateway.send(telling("/", &first, &["tell tenant"])).await;

    assert_eq!(answer.seen().header("x-noted"), Some("blue"));
    let saw: Vec<_> = answer.headers.get_all("x-rewritten").iter().map(|value| value.to_str().unwrap()).collect();
    let seen = "200 0 Some(\"alice\") Some(\"blue\")";
    assert_eq!(saw, [format!("x-second {seen}"), format!("x-first {seen}")], "responses pass in the other order");
}

#[tokio::test]
async fn responses_are_mapped_back_behind_rewriters_of_ones_own_unless_the_route_says_no() {
    for (route, is_mapped) in [("", true), ("reverse = false", false)] {
        for rewriter in
            ["", "[rewriter]\nplugin = \"own\"\n[plugin.own]\nfile = {file}\nconfig = { reads = \"own\" }\n"]
        {
            let (origin, two) = (Origin::reserved(), Origin::named("two").start().await);
            let location = format!("http://{}/base/there", origin.address());
            let head = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            let one = Origin::saying(head).on(origin).start().await;
            let gateway = chained(&one, &two, route, rewriter).await;

            let answer = gateway.get("/a").await;

            assert_eq!(location, moved(&one));
            let expected = if is_mapped { "http://gateway.test/there" } else { &*location };
            assert_eq!(answer.header("location"), expected, "{route:?} {rewriter:?}");
            let saw = answer.headers.get_all("x-rewritten").iter().map(|value| value.to_str().unwrap());
            let saw: Vec<_> = saw.map(|line| line.split(' ').next().unwrap()).collect();
            let own: &[&str] = if rewriter.is_empty() { &[] } else { &["own"] };
            assert_eq!(saw, [&["x-second", "x-first"], own].concat(), "{route:?} {rewriter:?}");
        }
    }
}

/// What is wrong with a configuration of one route and these lines.
fn wrong(plugins: &str, more: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tidegate.toml");
    let text = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\n[log]\naccess = \"off\"\n[cluster.one]\nendpoints = [\"http://127.0.0.1:1\"]\n\
         [[route]]\npath = \"/\"\nto = \"balancer://one\"\nplugins = {plugins}\n{more}[plugin.acts]\nfile = {ACTS_FILE:?}\n\
         [plugin.balances]\nfile = {FEEDBACK_FILE:?}\n"
    );
    std::fs::write(&path, text).unwrap();
    match config::load(&path) {
        Err(faults) => faults.to_string(),
        Ok(config) => Inner::check(config, Compiler::InProcess).unwrap_err().to_string(),
    }
}

#[test]
fn a_chain_that_cannot_be_asked_is_refused_at_its_line() {
    let many = format!("[{}]", vec!["\"acts\""; 17].join(", "));
    for (plugins, more, words) in [
        ("[\"acts\", \"acts\"]", "", "plugin `acts` is in `plugins` already, expected each once"),
        ("[\"nobody\"]", "", "unknown plugin `nobody`"),
        (
            "[\"bybusyness\"]",
            "",
            "plugin `bybusyness` is a balancer that ships, expected a router or rewriter of yours",
        ),
        ("[\"prefix\"]", "", "`prefix` decides before the plugins of a route, and `reverse` behind them"),
        ("[\"balances\"]", "", "plugin `balances` is a balancer, expected a router or a rewriter"),
        (
            "[\"reverse\"]",
            "[plugin.reverse]\nfile = {file}\n",
            "plugin `reverse` is shown the responses of every route already, expected each once",
        ),
        (
            "[\"acts\"]",
            "[rewriter]\nplugin = \"acts\"\n",
            "plugin `acts` is shown the responses of every route already, expected each once",
        ),
        (&many, "", "`plugins` has 17 names, expected at most 16"),
        (
            "[]",
            "[[route]]\npath = \"/b\"\nrespond = { status = 200 }\nplugins = [\"acts\"]\n",
            "`plugins` of a route that leads to no endpoint: none of them would be asked",
        ),
        (
            "[]",
            "[router]\nplugin = \"acts\"\n",
            "expected a decision of `[router]`, behind which there is nobody, found `next`: name the plugin in `plugins` of \
             a `[[route]]`",
        ),
    ] {
        let refused = wrong(plugins, &more.replace("{file}", &format!("{ACTS_FILE:?}")));

        assert!(refused.contains(words), "{plugins} {more}: {refused}");
        assert!(refused.contains("tidegate.toml:"), "with its position: {refused}");
    }
}
