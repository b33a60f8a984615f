//! The two that are compared, as far as a scene needs them.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tidegate::cluster::Live;
use tidegate_tests::{Admin, BoxedIo, Gateway, eventually, within};
use tokio::time::Instant;

use super::httpd::Httpd;
use super::scene::{LETTERS, State, letter};
use crate::running::{held, plain};

/// A proxy, and the operator's access to it. Clusters are `scene0` and up.
pub(super) trait Side {
    /// A connection of a client.
    async fn connect(&self) -> BoxedIo;
    /// Waits until it counts so many connections and requests.
    async fn counted(&self, open: usize);
    /// Puts a member into a state.
    async fn put(&self, cluster: &str, member: SocketAddr, state: State);
    /// Puts a member into a group.
    async fn group(&self, cluster: &str, member: SocketAddr, group: u32);
    /// Gives a member a weight.
    async fn weigh(&self, cluster: &str, member: SocketAddr, weight: u32);
    /// Whether it leaves a member alone because that has failed.
    async fn is_down(&self, member: SocketAddr) -> bool;
    /// Has the failure of a member forgotten with the next request.
    async fn forget(&self, cluster: &str, member: SocketAddr);
    /// That request is through.
    async fn forgotten(&self, cluster: &str, member: SocketAddr);
}

/// Ours.
pub(super) struct Ours {
    gateway: Gateway,
    admin: Admin,
}

impl Ours {
    pub(super) async fn start(text: &str) -> Self {
        let gateway = Gateway::configure(&format!("[admin]\naddress = \"127.0.0.1:0\"\n{text}")).start().await;
        let admin = Admin::of(gateway.inner());
        Self { gateway, admin }
    }

    async fn change(&self, cluster: &str, member: SocketAddr, change: &Value) {
        let path = format!("/api/v1/clusters/{cluster}/endpoints?url=ws://{member}");
        self.admin.good("PATCH", &path, change).await;
    }
}

impl Side for Httpd {
    async fn connect(&self) -> BoxedIo {
        plain(self.address()).await
    }

    async fn counted(&self, open: usize) {
        // It counts a close when its thread gets there.
        within("Apache's counts", async { while self.busy().await != open {} }).await;
    }

    async fn put(&self, cluster: &str, member: SocketAddr, state: State) {
        let letters = LETTERS.map(|each| (each, letter(state) == Some(each)));
        self.flag(cluster, member, &letters).await;
    }

    async fn group(&self, cluster: &str, member: SocketAddr, group: u32) {
        self.manage(cluster, member, &format!("w_ls={group}")).await;
    }

    async fn weigh(&self, cluster: &str, member: SocketAddr, weight: u32) {
        self.manage(cluster, member, &format!("w_lf={weight}")).await;
    }

    async fn is_down(&self, member: SocketAddr) -> bool {
        self.condition(member).await.contains("Err")
    }

    /// Its manager cannot take back an error flag. A member that ignores errors loses it when it is looked at next.
    async fn forget(&self, cluster: &str, member: SocketAddr) {
        self.flag(cluster, member, &[('I', true)]).await;
    }

    async fn forgotten(&self, cluster: &str, member: SocketAddr) {
        self.flag(cluster, member, &[('I', false)]).await;
    }
}

impl Side for Ours {
    async fn connect(&self) -> BoxedIo {
        self.gateway.connect().await
    }

    async fn counted(&self, open: usize) {
        eventually("the counts", || held(&self.gateway) == open).await;
    }

    async fn put(&self, cluster: &str, member: SocketAddr, state: State) {
        self.change(cluster, member, &json!({ "state": state.as_str() })).await;
    }

    async fn group(&self, cluster: &str, member: SocketAddr, group: u32) {
        self.change(cluster, member, &json!({ "group": group })).await;
    }

    async fn weigh(&self, cluster: &str, member: SocketAddr, weight: u32) {
        self.change(cluster, member, &json!({ "weight": weight })).await;
    }

    async fn is_down(&self, member: SocketAddr) -> bool {
        let all = self.gateway.inner().registry().all();
        let is_it = |live: &&Arc<Live>| live.url().ends_with(&format!("/{member}"));
        let live = all.iter().flat_map(|(_, lives)| lives).find(is_it).expect("a member");
        !live.admits(Instant::now())
    }

    async fn forget(&self, cluster: &str, member: SocketAddr) {
        let path = format!("/api/v1/clusters/{cluster}/endpoints/reset?url=ws://{member}");
        self.admin.good("POST", &path, &Value::Null).await;
    }

    async fn forgotten(&self, _cluster: &str, _member: SocketAddr) {}
}
