//! The same file and the same fields for a real Apache httpd.

use hyper::Request;
use tidegate_tests::{Gateway, Http, Origin, get};

use super::{USERS, basic};
use crate::apache::httpd::{self, Httpd};
use crate::running::plain;

const MODULES: [&str; 4] = ["auth_basic", "authn_core", "authn_file", "authz_user"];

#[tokio::test]
async fn the_same_logins_are_let_in_and_endpoints_see_the_same() {
    let (Some(program), Some(_)) = (httpd::found(), httpd::found_with(&MODULES)) else { return };
    let a = Origin::named("a").start().await;
    let users = USERS.to_owned()
        + "twice:{SHA}KvPXpIScDQubdcQXyPXUdUCmoqA=\ntwice:$apr1$LXC1ne6I$F5B2GHN8skXPog5.NrhHK0\n\
                 more:{SHA}KvPXpIScDQubdcQXyPXUdUCmoqA=:of:it\n";
    let text = "[[route]]\npath = \"/few\"\nto = \"http://{a}\"\nbasic_auth = { file = \"users\", realm = \"Team\", users = [\"ann\", \"cid\"] }\n\
                [[route]]\npath = \"/\"\nto = \"http://{a}\"\nbasic_auth = { file = \"users\", realm = \"Team\" }\n";
    let ours = Gateway::configure(text).origin(&a).file("users", &users).start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    std::fs::write(&file, &users).unwrap();
    // Apache's children read it as another user.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), readable).unwrap();
    let auth = |path: &str, require: &str| {
        format!(
            "<Location {path}>\nAuthType Basic\nAuthName Team\nAuthUserFile {}\nRequire {require}\n</Location>\n",
            file.display()
        )
    };
    let directives =
        format!("{}{}ProxyPass / http://{}/\n", auth("/", "valid-user"), auth("/few", "user ann cid"), a.address());
    let apache = Httpd::start_with(program, &MODULES, &directives).await;

    let good = basic("ann:open sesame");
    let table: [(&str, Option<String>); 28] = [
        ("/", None),
        ("/", Some(good.clone())),
        ("/", Some(good.replace("Basic", "basic"))),
        ("/", Some(good.replace("Basic ", "Basic    "))),
        ("/", Some(good.replace('=', ""))),
        ("/", Some(good.replace("Basic ", "Bearer "))),
        ("/", Some(good.replace("Basic ", "Basic"))),
        ("/", Some(good.replace("Basic ", ""))),
        ("/", Some("Basic".into())),
        ("/", Some("Basic !!!!".into())),
        ("/", Some(basic("ann"))),
        ("/", Some(basic("ann:"))),
        ("/", Some(basic(":open sesame"))),
        ("/", Some(basic("ann:open sesame:"))),
        ("/", Some(basic("ANN:open sesame"))),
        ("/", Some(basic("bob:p:ä ß"))),
        ("/", Some(basic("cid:sha pass"))),
        ("/", Some(basic("dan:five"))),
        ("/", Some(basic("eve:six"))),
        ("/", Some(basic("ä:"))),
        ("/", Some(basic("zoe:x"))),
        ("/", Some(basic("twice:sha pass"))),
        ("/", Some(basic("twice:"))),
        ("/", Some(basic("more:sha pass"))),
        ("/few", Some(basic("ann:open sesame"))),
        ("/few", Some(basic("bob:p:ä ß"))),
        ("/few", Some(basic("cid:sha pass"))),
        ("/few", Some(basic("cid:x"))),
    ];
    for (path, field) in table {
        let ask = |mut request: Request<_>| {
            if let Some(field) = &field {
                request.headers_mut().insert("authorization", field.parse().unwrap());
            }
            request
        };
        let theirs = Http::new(plain(apache.address()).await).await.send(ask(get(path))).await;
        let ours = ours.send(ask(get(path))).await;

        assert_eq!(ours.status, theirs.status, "{path} {field:?}");
        assert_eq!(ours.header("www-authenticate").is_empty(), theirs.header("www-authenticate").is_empty());
        if ours.status == 200 {
            let (ours, theirs) = (ours.seen(), theirs.seen());
            assert_eq!(ours.header("authorization"), theirs.header("authorization"), "{path} {field:?}");
            assert_eq!(ours.header("authorization"), field.as_deref());
        } else {
            assert_eq!(theirs.header("www-authenticate"), "Basic realm=\"Team\"");
            assert_eq!(ours.header("www-authenticate"), "Basic realm=\"Team\", charset=\"UTF-8\"");
        }
    }
}
