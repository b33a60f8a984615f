//! The matrix: every client × every endpoint × every situation.
//!
//! A new protocol or situation is a line here, and then is played in every cell, or has a sentence in [`cannot`].

use std::future::Future;
use std::sync::Arc;

use super::world::World;
use super::{changes, ends, requests, upgrades};

/// Declares an enum whose members have names, and the list of all of them.
macro_rules! named {
    ($(#[$about:meta])* $type:ident { $($member:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $type { $($member),* }

        impl $type {
            pub(super) const ALL: &[Self] = &[$(Self::$member),*];

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$member => $name),* }
            }
        }
    };
}

named!(
    /// What a client speaks.
    Client { Http1 = "h1", Http1Tls = "h1-tls", Http2 = "h2c", Http2Tls = "h2-tls", }
);

named!(
    /// What an endpoint speaks. `auto` is TLS, and ALPN chooses HTTP/2.
    Endpoint { Http1 = "h1", Http1Tls = "h1-tls", Http2 = "h2c", Http2Tls = "h2-tls", Auto = "auto", }
);

/// Declares the situations, and a test for each that plays it in every cell.
macro_rules! situations {
    ($(fn $test:ident(): $member:ident = $name:literal => $play:path,)*) => {
        named!(
            /// What happens between a client and an endpoint.
            Situation { $($member = $name,)* }
        );

        /// Names of the tests, in the order of the situations.
        pub(super) const TESTS: &[&str] = &[$(stringify!($test)),*];

        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                everywhere(Situation::$member, $play).await;
            }
        )*
    };
}

situations! {
    fn a_request_and_its_response_arrive_whole(): Request = "request" => requests::whole,
    fn a_streaming_request_is_passed_on_as_it_comes(): Streaming = "streaming request" => requests::streaming,
    fn trailers_arrive(): Trailers = "trailers" => requests::trailers,
    fn a_websocket_opens_and_echoes(): Upgrade = "upgrade" => upgrades::opens,
    fn a_refused_upgrade_stays_what_it_is(): Refused = "refused upgrade" => upgrades::refused,
    fn an_endpoint_that_announces_no_websockets_is_a_clear_error():
        Unannounced = "upgrade that is not announced" => upgrades::unannounced,
    fn a_client_that_is_gone_is_gone_for_the_endpoint(): ClientGone = "client gone" => ends::client_gone,
    fn an_endpoint_that_is_gone_is_broken_for_the_client(): EndpointGone = "endpoint gone" => ends::endpoint_gone,
    fn either_side_may_end_its_direction_first(): HalfClose = "half close" => ends::half_close,
    fn a_drain_closes_tunnels_politely_and_finishes_requests(): Drain = "drain" => changes::drain,
    fn a_reload_closes_nothing(): Reload = "reload" => changes::reload,
    fn a_swap_of_the_balancer_keeps_tunnels_and_counts(): Swap = "swap" => changes::swap,
}

/// One cell of a situation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) client: Client,
    pub(super) endpoint: Endpoint,
}

/// Why what a situation is about cannot be there. What happens instead is played all the same.
pub(super) const fn cannot(situation: Situation, pair: Pair) -> Option<&'static str> {
    match (situation, pair.endpoint) {
        (Situation::Unannounced, Endpoint::Http1 | Endpoint::Http1Tls) => {
            Some("HTTP/1.1 announces nothing: an endpoint without websockets refuses the upgrade")
        }
        (Situation::Unannounced, Endpoint::Auto) => {
            Some("a connection with HTTP/1.1 is opened for the websocket instead")
        }
        _ => None,
    }
}

impl Client {
    pub(super) const fn is_http2(self) -> bool {
        matches!(self, Self::Http2 | Self::Http2Tls)
    }

    pub(super) const fn is_tls(self) -> bool {
        matches!(self, Self::Http1Tls | Self::Http2Tls)
    }
}

impl Endpoint {
    pub(super) const fn is_http2(self) -> bool {
        !matches!(self, Self::Http1 | Self::Http1Tls)
    }

    pub(super) const fn is_tls(self) -> bool {
        !matches!(self, Self::Http1 | Self::Http2)
    }
}

impl Pair {
    pub(super) fn all() -> Vec<Self> {
        let clients = Client::ALL.iter();
        clients
            .flat_map(|client| Endpoint::ALL.iter().map(|endpoint| Self { client: *client, endpoint: *endpoint }))
            .collect()
    }

    /// Those that are played: all, or what `TIDEGATE_PAIRS` names, `h1/h1,h2c/auto` for example.
    fn played() -> Vec<Self> {
        let only = std::env::var("TIDEGATE_PAIRS").ok();
        let is_meant = |pair: &Self| only.as_ref().is_none_or(|only| only.split(',').any(|name| name == pair.name()));
        Self::all().into_iter().filter(is_meant).collect()
    }

    /// How many clients are played with the same endpoint.
    pub(super) fn clients(self) -> usize {
        Self::played().iter().filter(|pair| pair.endpoint == self.endpoint).count()
    }

    /// As in paths: `h2c/h1-tls`.
    pub(super) fn name(self) -> String {
        format!("{}/{}", self.client.name(), self.endpoint.name())
    }
}

/// Plays a situation in every cell at once, and then sees that nothing is held any more.
///
/// # Panics
/// With the names of all cells that fail.
async fn everywhere<F: Future<Output = ()> + Send + 'static>(situation: Situation, play: fn(Arc<World>, Pair) -> F) {
    let world = World::start(Pair::played().len()).await;
    let cells = Pair::played().into_iter().map(|pair| (pair, tokio::spawn(play(world.clone(), pair))));
    let cells: Vec<_> = cells.collect();
    let mut failed = Vec::new();
    for (pair, cell) in cells {
        let Err(error) = cell.await else { continue };
        let panic = error.into_panic();
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        failed.push(format!("{}: {}", pair.name(), text.unwrap_or("no text")));
    }
    assert!(failed.is_empty(), "{}, client/endpoint:\n{}\n", situation.name(), failed.join("\n"));
    world.holds_nothing().await;
}
