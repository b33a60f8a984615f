//! Plugins, certificates and configurations that change while tunnels are open.

mod broken;
mod changes;
mod files;
mod held;
mod memory;
mod state;
mod storm;

/// A cluster of `a` and `b`, chosen by a plugin in `mine.wat`.
const MINE: &str = r#"
[[route]]
path = "/"
to = "balancer://pair"
[cluster.pair]
balancer = "mine"
endpoints = ["ws://{a}", "ws://{b}"]
[plugin.mine]
file = "mine.wat"
"#;
