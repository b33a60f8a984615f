//! Members that operators change while the gateway runs.

mod kept;
mod members;
mod refused;

use serde_json::Value;
use tidegate_tests::{Admin, Gateway, Origin, Setup};

/// Two members of one cluster, and an admin server.
pub(crate) const PAIR: &str = r#"
[admin]
address = "127.0.0.1:0"
[[route]]
path = "/"
to = "balancer://pair"
[cluster.pair]
endpoints = ["ws://{a}", "ws://{b}"]
"#;

/// Where members of the pair are changed.
pub(crate) const MEMBERS: &str = "/api/v1/clusters/pair/endpoints";

pub(crate) async fn origins<const N: usize>(names: [&str; N]) -> [Origin; N] {
    let mut origins = Vec::new();
    for name in names {
        origins.push(Origin::named(name).start().await);
    }
    origins.try_into().unwrap()
}

pub(crate) fn pair(a: &Origin, b: &Origin) -> Setup {
    Gateway::configure(PAIR).origin(a).origin(b)
}

/// Path of one member of the pair.
pub(crate) fn member(origin: &Origin) -> String {
    format!("{MEMBERS}?url=ws://{}", origin.address())
}

/// `state` of every member that is configured, by its URL.
pub(crate) async fn states(admin: &Admin) -> Vec<(String, String)> {
    let members = admin.good("GET", MEMBERS, &Value::Null).await;
    let one = |member: &Value| (text(&member["url"]), text(&member["state"]));
    members.as_array().unwrap().iter().map(one).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
