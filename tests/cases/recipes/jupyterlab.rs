//! JupyterLab: a page, and a cell that a kernel executes over a websocket.

use std::process::Command;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};
use tidegate_tests::{Gateway, Websocket};
use tokio_tungstenite::tungstenite::Error;

use super::app::App;
use super::{asking, at, host, own_handshake, refusal, setup, tools};

/// What a server that trusts nobody else asks for.
const TOKEN: &str = "secret";

/// Cookies of somebody who has logged in with the link that the server prints.
async fn logged_in(gateway: &Gateway) -> String {
    let page = gateway.send(asking(gateway, &format!("/jupyter/lab?token={TOKEN}"))).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("JupyterLab"));
    let cookies = page.headers.get_all("set-cookie").iter();
    let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
    cookies.join("; ")
}

/// Starts a kernel, and returns where its messages go.
async fn kernel(gateway: &Gateway) -> String {
    let mut request: Request<Full<Bytes>> = asking(gateway, "/jupyter/api/kernels");
    *request.method_mut() = Method::POST;
    request.headers_mut().insert("authorization", format!("token {TOKEN}").parse().unwrap());
    let answer = gateway.send(request).await;
    let kernel: Value = serde_json::from_slice(&answer.body).unwrap();
    format!("/jupyter/api/kernels/{}/channels?session_id=", kernel["id"].as_str().unwrap())
}

/// The handshake of a page of somebody who has logged in.
fn opening(gateway: &Gateway, path: &str, cookies: &str) -> Request<()> {
    let mut request = own_handshake(gateway, path);
    request.headers_mut().insert("cookie", cookies.parse().unwrap());
    request
}

/// Has the kernel execute `code`, and returns what that printed.
async fn executed(kernel: &mut Websocket, code: &str) -> String {
    let header = json!({ "msg_id": code, "msg_type": "execute_request", "username": "", "session": "a-tab", "version": "5.3", "date": "" });
    let content = json!({ "code": code, "silent": false, "store_history": false, "user_expressions": {}, "allow_stdin": false, "stop_on_error": true });
    let cell = json!({ "channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": [] });
    kernel.send(cell.to_string()).await;
    loop {
        let message = kernel.next().await.expect("a message of the kernel");
        let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if message["msg_type"] == "stream" && message["parent_header"]["msg_id"] == code {
            return message["content"]["text"].as_str().unwrap().to_owned();
        }
    }
}

#[tokio::test]
async fn a_cell_is_executed_over_the_websocket_of_its_kernel() {
    let Some(program) = tools::of_pypi("JupyterLab", "jupyter") else { return };
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(["lab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]);
    command.args(["--ServerApp.base_url=/jupyter/", "--ServerApp.trust_xheaders=True"]);
    // For it listens on the loopback address here, which makes it refuse every other Host.
    command.arg("--ServerApp.allow_remote_access=True");
    command.arg(format!("--IdentityProvider.token={TOKEN}")).env("HOME", home.path()).current_dir(home.path());
    let mut app = App::start(&mut command);
    let address = at(app.address().await);
    let edit = ("10.0.0.1:8888", address.as_str());
    let gateway = setup("jupyterlab", &[edit]).start().await;

    let cookies = logged_in(&gateway).await;
    let path = kernel(&gateway).await;
    let mut tunnel = gateway.try_websocket(opening(&gateway, &format!("{path}tab-1"), &cookies)).await.unwrap();
    // As browsers do it where a listener has TLS.
    let mut request = opening(&gateway, &format!("{path}tab-2"), &cookies);
    *request.uri_mut() = format!("wss://{}{path}tab-2", host(&gateway)).parse().unwrap();
    let mut beside = gateway.http2().await.try_websocket(request).await.unwrap();

    assert_eq!(executed(&mut tunnel, "print(6 * 7)").await, "42\n");
    assert_eq!(executed(&mut beside, "print(6 * 8)").await, "48\n", "over HTTP/2");
    assert_eq!(refusal(&gateway, &path).await, 403, "a page of another site");
    let redirect = gateway.send(asking(&gateway, "/jupyter")).await;
    assert_eq!((redirect.status.as_u16(), redirect.header("location").trim_end_matches('?')), (302, "/jupyter/lab"));

    let without = setup("jupyterlab", &[edit, ("preserve_host = true", "preserve_host = false")]).start().await;
    let cookies = logged_in(&without).await;
    let refused = without.try_websocket(opening(&without, &path, &cookies)).await;

    assert!(matches!(&refused, Err(Error::Http(answer)) if answer.status() == 403), "Origin is not Host: {refused:?}");
}
