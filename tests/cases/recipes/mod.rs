//! The recipes of `docs/recipes.md`: each with the configuration that the page shows, before the real application.
//!
//! Nothing is installed here. `.ci/recipes` puts what PyPI and npm have into `target/recipes`; a case whose application is
//! not here says that it is skipped, and why.

mod app;
mod events;
mod jupyterlab;
mod mosquitto;
mod socket_io;
mod tools;
mod vite;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hyper::Request;
use tidegate_tests::{Ca, Gateway, Process, Setup, upgrade_request};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What `config/recipes/NAME.toml` configures, on a free port and with a certificate for `localhost`. `edits` are made
/// before: those of addresses of the application, and whatever else a case leaves out to see that it matters.
fn setup(name: &str, edits: &[(&str, &str)]) -> Setup {
    let mut text = fs::read_to_string(Path::new(ROOT).join(format!("config/recipes/{name}.toml"))).unwrap();
    for (from, to) in [("\"0.0.0.0:443\"", "\"127.0.0.1:0\""), ("\"key.pem\"", "\"cert-key.pem\"")].iter().chain(edits)
    {
        assert!(text.contains(from), "{name} has no {from:?}");
        text = text.replace(from, to);
    }
    Gateway::configure(&text).tls(&Ca::new(), &["localhost"])
}

/// `localhost:PORT`, as who asks that gateway calls it.
fn host(gateway: &Gateway) -> String {
    format!("localhost:{}", gateway.address().port())
}

/// A request as a browser makes it that has a page of this gateway open.
fn asking(gateway: &Gateway, path: &str) -> Request<http_body_util::Full<bytes::Bytes>> {
    let host = host(gateway);
    Request::get(path)
        .header("origin", format!("https://{host}"))
        .header("host", host)
        .body(Default::default())
        .unwrap()
}

/// The handshake of a websocket, made by a page from `origin`.
fn handshake(gateway: &Gateway, path: &str, origin: &str) -> Request<()> {
    let mut request = upgrade_request(path);
    request.headers_mut().insert("host", host(gateway).parse().unwrap());
    request.headers_mut().insert("origin", origin.parse().unwrap());
    request
}

/// The same, by a page of this gateway.
fn own_handshake(gateway: &Gateway, path: &str) -> Request<()> {
    handshake(gateway, path, &format!("https://{}", host(gateway)))
}

/// The status that a handshake of a page from somewhere else gets.
async fn refusal(gateway: &Gateway, path: &str) -> u16 {
    match gateway.try_websocket(handshake(gateway, path, "https://evil.example")).await {
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

/// An edit of a configuration: the application is where it said that it is.
fn at(address: SocketAddr) -> String {
    address.to_string()
}

fn recipes() -> Vec<PathBuf> {
    let files = fs::read_dir(Path::new(ROOT).join("config/recipes")).unwrap();
    files.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_recipe_is_shown_as_it_is_and_has_a_case() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/recipes.md")).unwrap();
    let recipes = recipes();

    for file in &recipes {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(file).unwrap();
        let case = Path::new(ROOT).join(format!("tests/cases/recipes/{}.rs", name.replace('-', "_")));
        assert!(page.contains(&format!("```toml\n{text}```\n")), "recipes.md does not show {name}.toml as it is");
        assert!(page.contains(&format!("](../config/recipes/{name}.toml)")), "recipes.md does not lead to {name}.toml");
        assert!(case.is_file(), "{name} has no case: {}", case.display());
    }

    assert_eq!(recipes.len(), 5);
}

#[tokio::test]
async fn nothing_is_wrong_with_the_configuration_of_any_recipe() {
    for file in recipes() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let setup = setup(name, &[]);
        let mut process = Process::start(&["check", setup.write().to_str().unwrap()]);

        let status = process.ended().await;

        // Keys of tests may be read by everybody, and there is a warning for that.
        let said: Vec<_> = process.stderr().into_iter().filter(|line| !line.contains("private key")).collect();
        assert!(status.success() && said.is_empty(), "{name}: {said:?}");
    }
}
