//! How connections spread over the worker threads.

use futures_util::future::join_all;
use tidegate_tests::{Gateway, Origin, Websocket, eventually};

use crate::running::allow_files;

const WORKERS: usize = 4;

/// Connections that are opened at a time.
const BATCH: usize = 50;

#[tokio::test]
async fn no_worker_holds_more_than_a_quarter_above_its_share_of_64_tunnels() {
    spread(64).await;
}

#[tokio::test]
async fn no_worker_holds_more_than_a_quarter_above_its_share_of_2000_tunnels() {
    allow_files(9000);
    spread(2000).await;
}

async fn spread(count: usize) {
    let a = Origin::named("a").start().await;
    let text = "[gateway]\nworkers = {workers}\n[[route]]\npath = \"/\"\nto = \"ws://{a}\"\n";
    let gateway = Gateway::configure(text).put("workers", WORKERS).origin(&a).start().await;

    let mut tunnels = Vec::new();
    while tunnels.len() < count {
        tunnels.extend(join_all((0..BATCH.min(count - tunnels.len())).map(|_| gateway.websocket("/"))).await);
    }

    let loads = gateway.inner().loads();
    assert_eq!((loads.len(), loads.iter().sum::<usize>()), (WORKERS, count), "{loads:?}");
    let most = loads.iter().max().unwrap();
    assert!(most * WORKERS * 4 <= count * 5, "{most} of {count} on one of {WORKERS} workers: {loads:?}");
    join_all(tunnels.into_iter().map(Websocket::close)).await;
    eventually("no load", || gateway.inner().loads() == [0; WORKERS]).await;
}
