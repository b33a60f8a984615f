//! Other proxies: HAProxy and Envoy before and behind a gateway, nginx before it, Apache httpd behind it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use http_body_util::Full;
use hyper::Request;
use tempfile::TempDir;
use tidegate_tests::{BoxedIo, Ending, Gateway, Http, Http2, Origin, Websocket, eventually, upgrade_request};
use tokio_tungstenite::tungstenite::Message;

use super::before;
use super::program::{Program, found, missing};
use crate::apache::httpd::loopback;
use crate::running::plain;

/// A proxy that runs, and where.
struct Proxy {
    _program: Program,
    address: SocketAddr,
    _folder: TempDir,
}

/// An address at which a proxy can be told to listen: none of them says which port it took.
fn free() -> SocketAddr {
    std::net::TcpListener::bind((loopback(), 0)).unwrap().local_addr().unwrap()
}

impl Proxy {
    /// Starts a program that reads its configuration from a file, and waits until it listens.
    async fn start(configure: impl Fn(SocketAddr, &Path) -> String, command: impl Fn(&Path) -> Command) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-proxy-").tempdir().unwrap();
        let address = free();
        let file = folder.path().join("configuration");
        std::fs::write(&file, configure(address, folder.path())).unwrap();
        let program = Program::start(command(&file).current_dir(folder.path()));
        eventually("the proxy to listen", || {
            let listens = std::net::TcpStream::connect(address).is_ok();
            assert!(listens || !program.has_ended(), "{}", program.said());
            listens
        })
        .await;
        Self { _program: program, address, _folder: folder }
    }
}

/// HAProxy, from HTTP/2 or HTTP/1.1 to `server` as `options` say.
async fn haproxy(server: &str, options: &str) -> Option<Proxy> {
    let program = found("haproxy")?;
    let text = |address: SocketAddr, _: &Path| {
        format!(
            "defaults\n  mode http\n  timeout client 60s\n  timeout server 60s\n  timeout connect 10s\n\
             frontend front\n  bind {address}\n  default_backend back\n\
             backend back\n  server s {server} {options}\n"
        )
    };
    let command = |file: &Path| {
        let mut command = Command::new(&program);
        command.arg("-db").arg("-f").arg(file);
        command
    };
    Some(Proxy::start(text, command).await)
}

/// Envoy, from either version to `server` over HTTP/2.
async fn envoy(server: SocketAddr) -> Option<Proxy> {
    let program = found("envoy")?;
    let (ip, port) = (server.ip(), server.port());
    let text = |address: SocketAddr, _: &Path| {
        format!(
            r#"
static_resources:
  listeners:
  - address: {{ socket_address: {{ address: {}, port_value: {} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: front
          codec_type: AUTO
          http2_protocol_options: {{ allow_connect: true }}
          upgrade_configs: [{{ upgrade_type: websocket }}]
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{ prefix: "/" }}
                route: {{ cluster: back }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: back
    type: STATIC
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{ http2_protocol_options: {{ allow_connect: true }} }}
    load_assignment:
      cluster_name: back
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: {ip}, port_value: {port} }} }} }}
"#,
            address.ip(),
            address.port()
        )
    };
    let command = |file: &Path| {
        // Envoy goes by the ending of the name.
        let named = file.with_extension("yaml");
        std::fs::copy(file, &named).unwrap();
        let mut command = Command::new(&program);
        command.args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "error", "--config-path"]);
        command.arg(named);
        command
    };
    Some(Proxy::start(text, command).await)
}

/// nginx, which speaks HTTP/2 with clients alone.
async fn nginx(server: SocketAddr) -> Option<Proxy> {
    let program = found("nginx")?;
    let text = |address: SocketAddr, folder: &Path| {
        let folder = folder.display();
        let mut temporary = String::new();
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            _ = writeln!(temporary, "{kind}_temp_path {folder}/{kind};");
        }
        format!(
            "daemon off; master_process off; pid {folder}/pid; error_log stderr;\nevents {{}}\n\
             http {{ access_log off; {temporary}\nserver {{ listen {address} http2;\n\
             location / {{ proxy_pass http://{server}; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }} }}\n"
        )
    };
    let command = |file: &Path| {
        let mut command = Command::new(&program);
        command.args(["-e", "stderr", "-c"]).arg(file);
        command
    };
    Some(Proxy::start(text, command).await)
}

/// Apache httpd with mod_http2, before `server` over HTTP/1.1.
async fn httpd(server: SocketAddr) -> Option<Proxy> {
    const MODULES: [&str; 5] = ["mpm_event", "authz_core", "http2", "proxy", "proxy_http"];
    let program = found("apache2")?;
    let file = |module: &str| format!("/usr/lib/apache2/modules/mod_{module}.so");
    if let Some(module) = MODULES.iter().find(|module| !Path::new(&file(module)).exists()) {
        missing(&format!("apache2 has no module {module}"));
        return None;
    }
    let text = |address: SocketAddr, folder: &Path| {
        let modules = MODULES.map(|module| format!("LoadModule {module}_module {}\n", file(module))).concat();
        let folder = folder.display();
        format!(
            "{modules}ServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile {folder}/pid\nErrorLog /dev/stderr\n\
             Mutex posixsem\nServerName localhost\nListen {address}\nProtocols h2c\nH2WebSockets on\n\
             ProxyPass / http://{server}/ upgrade=websocket\n"
        )
    };
    let command = |file: &Path| {
        let mut command = Command::new(&program);
        command.arg("-f").arg(file).arg("-DFOREGROUND");
        command
    };
    Some(Proxy::start(text, command).await)
}

/// Requests with and without bodies, some at once.
async fn requests(io: BoxedIo, origin: &Origin) {
    let mut http = Http2::new(io).await;
    let get = |path: &str| {
        let request = Request::get(format!("http://gateway.test{path}"));
        request.body(Full::<bytes::Bytes>::default()).unwrap()
    };
    assert_eq!(http.send(get("/a?b=c")).await.seen().target, "/a?b=c");
    let body = "b".repeat(300_000);
    let post = Request::post("http://gateway.test/").body(Full::from(body.clone())).unwrap();
    assert!(http.send(post).await.seen().body == body, "the whole body");
    let mut many = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (mut http, request) = (http.clone(), get(&format!("/{number}")));
        many.spawn(async move { assert_eq!(http.send(request).await.seen().target, format!("/{number}")) });
    }
    many.join_all().await;
    assert_eq!(origin.seen().len(), 52);
}

/// A websocket that `origin` has greeted: it echoes, and is closed. Others may be cut meanwhile.
async fn websocket(mut websocket: Websocket, origin: &Origin) {
    let closed = || origin.endings().iter().filter(|ending| matches!(ending, Ending::Closed(_))).count();
    let before = closed();
    websocket.echo("text").await;
    websocket.echo("long".repeat(50_000)).await;
    websocket.close().await;
    eventually("its Close frame to arrive", || closed() > before).await;
}

/// Both over HTTP/2, many tunnels on one connection, and both over HTTP/1.1.
async fn everything(address: SocketAddr, origin: &Origin) {
    requests(plain(address).await, origin).await;
    let mut http = Http2::new(plain(address).await).await;
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(http.websocket("/").await);
    }
    websocket(http.websocket("/").await, origin).await;
    for other in &mut others {
        other.echo("beside").await;
    }
    drop(others);
    websocket(Websocket::open(plain(address).await, upgrade_request("/")).await.unwrap().greeted().await, origin).await;
    let seen = Http::new(plain(address).await).await.send(tidegate_tests::get("/old")).await.seen();
    assert_eq!(seen.target, "/old");
    eventually("all tunnels to end", || origin.open() == 0).await;
}

#[tokio::test]
async fn haproxy_before_it() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let Some(proxy) = haproxy(&gateway.address().to_string(), "proto h2 ws h2").await else { return };

    everything(proxy.address, &origin).await;

    eventually("leases to be given back", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn haproxy_behind_it() {
    let origin = Origin::named("a").start().await;
    let Some(proxy) = haproxy(&origin.address().to_string(), "").await else { return };
    let gateway = before(&format!("http://{}", proxy.address), "h2", "").start().await;

    everything(gateway.address(), &origin).await;

    eventually("leases to be given back", || crate::running::held(&gateway) == 0).await;
}

#[tokio::test]
async fn envoy_before_it() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let Some(proxy) = envoy(gateway.address()).await else { return };

    everything(proxy.address, &origin).await;

    eventually("leases to be given back", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn envoy_behind_it() {
    // It makes no key of its own for an endpoint in HTTP/1.1, which a client in HTTP/2 has not sent.
    let origin = Origin::named("a").http2().start().await;
    let Some(proxy) = envoy(origin.address()).await else { return };
    let gateway = before(&format!("http://{}", proxy.address), "h2", "").start().await;

    everything(gateway.address(), &origin).await;

    eventually("leases to be given back", || crate::running::held(&gateway) == 0).await;
}

#[tokio::test]
async fn nginx_before_it() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let Some(proxy) = nginx(gateway.address()).await else { return };

    requests(plain(proxy.address).await, &origin).await;
}

#[tokio::test]
async fn apache_behind_it() {
    let origin = Origin::named("a").start().await;
    let Some(proxy) = httpd(origin.address()).await else { return };
    let gateway = before(&format!("http://{}", proxy.address), "h2", "").start().await;

    requests(plain(gateway.address()).await, &origin).await;
    let mut http = Http2::new(plain(gateway.address()).await).await;
    for mut socket in [
        http.try_websocket(upgrade_request("/")).await.unwrap(),
        gateway.try_websocket(upgrade_request("/")).await.unwrap(),
    ] {
        // What comes right behind the endpoint's 101, it hands on once the client has sent something.
        socket.send("first").await;
        let mut socket = socket.greeted().await;
        assert_eq!(socket.next().await, Some(Message::text("first")));
        socket.echo("long".repeat(50_000)).await;
        // It does not hand on that the endpoint ends: who waits for that behind both Close frames waits for long.
        socket.send(Message::Close(None)).await;
        assert_eq!(socket.next().await, Some(Message::Close(None)));
    }
    eventually("both to be closed", || origin.endings() == [Ending::Closed(None); 2]).await;
}
