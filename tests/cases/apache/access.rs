//! Who may come, by address and by login: the same clients are let in by Apache and by what is imported.

use std::net::Ipv4Addr;

use tidegate_tests::{BoxedIo, Gateway, within};
use tokio::net::TcpSocket;

use super::httpd::{self, Httpd};
use super::idioms::{ask_as, endpoint, imported};

/// What stands in Locations, each beside an open route.
const LIMITS: &[&str] = &[
    "Require ip 127.0.0.2",
    "Require ip 127.0.0 127.0.1.0/255.255.255.0",
    "Require ip 127.0.0.1\nRequire ip 127.0.0.0/29",
    "Require local",
    "Require all denied",
    "<RequireAny>\nRequire ip 127.0.1\nRequire ip 127.0.0.5\n</RequireAny>",
    "<RequireAll>\nRequire all granted\nRequire not ip 127.0.0.2 127.0.1\n</RequireAll>",
    "<RequireAll>\nRequire ip 127.0.0.0/29\n<RequireNone>\nRequire ip 127.0.0.2\n</RequireNone>\n</RequireAll>",
    "<RequireAny>\nRequire ip 127.0.1\n<RequireAll>\nRequire all granted\nRequire not ip 127.0\n</RequireAll>\n</RequireAny>",
    "Order deny,allow\nDeny from all\nAllow from 127.0.0.1",
    "Order deny,allow\nDeny from 127.0.0.0/8\nAllow from 127.0.0.0/30",
    "Order allow,deny\nAllow from 127\nDeny from 127.0.0.2",
    "Order allow,deny\nDeny from 127.0.0.2",
    "Order deny,allow\nDeny from 127.0.0.2",
    "Allow from 127.0.0.2",
    "Deny from 127.0.0.2 127.0.0.5",
    "Order mutual-failure\nAllow from 127.0.0.2 127.0.0.5\nDeny from 127.0.0.5",
    "Order deny,allow\nDeny from all\nAllow from 127.0.0.2\nRequire ip 127.0.0",
    "Order deny,allow\nDeny from all\nAllow from 127.0.0.2\nRequire ip 127.0.1\nSatisfy Any",
    "Order deny,allow\nDeny from all\nRequire all granted",
    "AuthType Basic\nAuthName x\nRequire valid-user\nSatisfy Any",
    "AuthType Basic\nAuthName x\nAuthUserFile {users}\nRequire valid-user",
    "AuthType Basic\nAuthName x\nAuthUserFile {users}\nRequire user bob ann",
    "AuthType Basic\nAuthName x\nAuthUserFile {users}\nRequire user ann",
    "AuthType Basic\nAuthName x\nAuthUserFile {users}\nRequire valid-user\nRequire ip 127.0.0.2",
    "AuthType Basic\nAuthName x\nAuthUserFile {users}\nRequire user bob\nOrder allow,deny\nAllow from 127.0.0",
    "AuthType Basic\nAuthName x\nAuthUserFile {users}\nRequire user bob\nOrder allow,deny\nAllow from 127.0.0.5\nSatisfy Any",
];

/// `bob` with `pw`, as `htpasswd -m` writes it.
const USERS: &str = "bob:$apr1$OkGW3yTn$Dt6iSmAOvOzFk1u2jHBPu0\n";
/// Nobody, bob, and bob with a wrong password.
const LOGINS: [&str; 3] = ["", "Authorization: Basic Ym9iOnB3\r\n", "Authorization: Basic Ym9iOnB4\r\n"];

const CLIENTS: [Ipv4Addr; 4] = [
    Ipv4Addr::new(127, 0, 0, 1),
    Ipv4Addr::new(127, 0, 0, 2),
    Ipv4Addr::new(127, 0, 0, 5),
    Ipv4Addr::new(127, 0, 1, 1),
];

#[tokio::test]
async fn clients_are_let_in_whom_apache_lets_in() {
    let Some(apache) = httpd::found() else { return };
    let server = endpoint("a").await;
    let folder = tempfile::Builder::new().prefix("tidegate-users-").tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let users = folder.path().join("users.htpasswd");
    std::fs::write(&users, USERS).unwrap();
    let mut lines = format!("ProxyPass / http://{}/\n", server.address());
    for (number, limits) in LIMITS.iter().enumerate() {
        let limits = limits.replace("{users}", &users.display().to_string());
        lines.push_str(&format!("<Location /{number}>\n{limits}\n</Location>\n"));
    }
    // Around one of the older manner, a Require of the newer one lifts nothing.
    lines.push_str("<Location /10/in>\nRequire all granted\n</Location>\n");
    lines.push_str("<Location /11/in>\nAuthMerging And\nRequire ip 127.0.0.1\n</Location>\n");
    lines.push_str("<Location /0/in>\nAuthMerging Or\nRequire ip 127.0.0.1\n</Location>\n");
    let theirs = Httpd::start(apache, &lines).await;
    let routes = imported(&lines);
    let gateway = Gateway::configure(&routes).start().await;

    let (mut differences, mut kept_out) = (Vec::new(), 0);
    let paths = (0..LIMITS.len()).map(|number| format!("/{number}"));
    for path in paths.chain(["/10/in", "/11/in", "/0/in"].map(str::to_owned)) {
        for (client, login) in CLIENTS.into_iter().flat_map(|client| LOGINS.map(|login| (client, login))) {
            let expected = ask_as(from(client, theirs.address()).await, &path, login).await.0;
            let found = ask_as(gateway.connect_from(client).await, &path, login).await.0;
            kept_out += usize::from(expected == 403);
            if found != expected {
                differences.push(format!("{path} from {client} with {login:?}: {found}, in Apache {expected}"));
            }
        }
    }

    assert!(differences.is_empty(), "{}\n{routes}", differences.join("\n"));
    assert!(kept_out > LIMITS.len(), "some are kept out: {kept_out}");
}

async fn from(client: Ipv4Addr, server: std::net::SocketAddr) -> BoxedIo {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((client, 0).into()).unwrap();
    Box::new(within("a connection", socket.connect(server)).await.unwrap())
}
