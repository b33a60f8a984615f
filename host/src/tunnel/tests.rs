//! Tunnels over streams in memory: what a multiplexed protocol has on its side.

use std::io;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream as InMemory, ReadBuf};

use super::*;
use crate::lifecycle::Drain;
use crate::net::{Duplex, DuplexStream, PeerGone, ResetReason};

pub(super) const LIMITS: TunnelLimits = TunnelLimits { idle: Duration::from_secs(3600) };

/// A stream that is neither TCP nor TLS: it breaks off, and takes note of resets, on demand.
pub(super) struct Multiplexed {
    stream: InMemory,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The peer has reset the stream.
    is_broken: bool,
    /// With its connection.
    is_lost: bool,
    /// The peer has ended its direction before.
    has_ended: bool,
    /// What was written does not go out.
    holds_back: bool,
    /// The tunnel has.
    reset: Option<ResetReason>,
    is_shut: bool,
}

impl Seen {
    /// Behind what came before.
    fn breaks_off(&self) -> bool {
        self.is_broken && !self.has_ended
    }
}

impl Multiplexed {
    /// A tunnel's side, its peer, and what was seen in between.
    pub(super) fn side() -> (Side, InMemory, Arc<Mutex<Seen>>) {
        // Small: what does not fit is pending in the tunnel.
        let (near, far) = tokio::io::duplex(16);
        let seen = Arc::<Mutex<Seen>>::default();
        let stream = Duplex::Multiplexed(Box::new(Self { stream: near, seen: seen.clone() }));
        (Side { stream, early: Bytes::new() }, far, seen)
    }
}

impl DuplexStream for Multiplexed {
    fn reset(&mut self, reason: ResetReason) {
        self.seen.lock().reset = Some(reason);
    }

    fn poll_sent(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        if self.seen.lock().holds_back { Poll::Pending } else { Poll::Ready(()) }
    }

    fn poll_gone(&mut self, _cx: &mut Context<'_>) -> Poll<PeerGone> {
        let (seen, error) = (self.seen.lock(), io::ErrorKind::ConnectionReset.into());
        match seen.is_broken {
            false => Poll::Pending,
            true if seen.is_lost => Poll::Ready(PeerGone::Lost(error)),
            true if seen.has_ended => Poll::Ready(PeerGone::Ended(error)),
            true => Poll::Ready(PeerGone::Reset(error)),
        }
    }
}

impl AsyncRead for Multiplexed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.seen.lock().breaks_off() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Multiplexed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.seen.lock().is_shut = true;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Counts nothing.
struct Unmetered;

impl Meter for Unmetered {
    fn to_endpoint(&mut self, _bytes: usize) {}

    fn to_client(&mut self, _bytes: usize) {}

    fn pinged_client(&mut self) {}

    fn pinged_endpoint(&mut self) {}
}

pub(super) fn drain() -> Drain {
    Drain::new(NonZeroUsize::MIN)
}

#[tokio::test]
async fn the_end_of_a_side_shuts_the_other_and_resets_nothing() {
    let (client, mut client_peer, client_seen) = Multiplexed::side();
    let (endpoint, mut endpoint_peer, endpoint_seen) = Multiplexed::side();
    let mut relay = Relay::<Opaque>::new(client, endpoint, LIMITS);
    let drain = drain();

    let mut meter = Unmetered;
    let (end, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
        client_peer.write_all(b"a question longer than what fits").await.unwrap();
        client_peer.shutdown().await.unwrap();
        let mut asked = Vec::new();
        endpoint_peer.read_to_end(&mut asked).await.unwrap();
        assert_eq!(asked, b"a question longer than what fits");
        endpoint_peer.shutdown().await.unwrap();
    });

    assert_eq!(end, End::Complete);
    for seen in [client_seen, endpoint_seen] {
        assert!(seen.lock().is_shut);
        assert_eq!(seen.lock().reset, None);
    }
}

#[tokio::test]
async fn a_reset_of_a_side_resets_the_other_and_shuts_nothing() {
    for (breaks, end) in [(0, End::ClientGone), (1, End::EndpointGone)] {
        let (client, client_peer, client_seen) = Multiplexed::side();
        let (endpoint, endpoint_peer, endpoint_seen) = Multiplexed::side();
        let seen = [client_seen, endpoint_seen];
        let mut relay = Relay::<FrameBoundaries>::new(client, endpoint, LIMITS);
        seen[breaks].lock().is_broken = true;

        assert_eq!(relay.run(&drain(), &mut Unmetered).await, end);

        let other = seen[1 - breaks].lock();
        assert_eq!(other.reset, Some(ResetReason::PeerBroke), "{end:?}");
        assert!(!other.is_shut, "{end:?}");
        drop((client_peer, endpoint_peer));
    }
}

/// Nothing more is read of it.
#[tokio::test]
async fn a_client_that_resets_behind_its_end_ends_the_tunnel() {
    let (client, mut client_peer, client_seen) = Multiplexed::side();
    let (endpoint, endpoint_peer, endpoint_seen) = Multiplexed::side();
    let mut relay = Relay::<Opaque>::new(client, endpoint, LIMITS);
    let (drain, mut meter, mut cx) = (drain(), Unmetered, Context::from_waker(std::task::Waker::noop()));
    let mut running = std::pin::pin!(relay.run(&drain, &mut meter));
    client_peer.shutdown().await.unwrap();
    assert!(running.as_mut().poll(&mut cx).is_pending());

    client_seen.lock().is_broken = true;

    assert_eq!(running.as_mut().poll(&mut cx), Poll::Ready(End::ClientGone));
    assert_eq!(endpoint_seen.lock().reset, Some(ResetReason::PeerBroke));
    drop(endpoint_peer);
}

/// A tunnel of which one side is full, and who fills it.
struct Stuffed {
    relay: Relay<Opaque>,
    peers: [InMemory; 2],
    seen: [Arc<Mutex<Seen>>; 2],
    /// Bytes that the full side has given.
    sent: usize,
}

impl Stuffed {
    /// By the client (0) or the endpoint (1).
    fn by(side: usize) -> Self {
        let (client, client_peer, client_seen) = Multiplexed::side();
        let (endpoint, endpoint_peer, endpoint_seen) = Multiplexed::side();
        let (seen, mut peers) = ([client_seen, endpoint_seen], [client_peer, endpoint_peer]);
        let mut relay = Relay::<Opaque>::new(client, endpoint, LIMITS);
        let (drain, mut meter, mut sent) = (drain(), Unmetered, 0);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        {
            let mut running = std::pin::pin!(relay.run(&drain, &mut meter));
            while let Poll::Ready(Ok(taken)) = Pin::new(&mut peers[side]).poll_write(&mut cx, &[7; 16]) {
                sent += taken;
                assert!(running.as_mut().poll(&mut cx).is_pending());
            }
        }
        Self { relay, peers, seen, sent }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stuffed_tunnel_ends_when_who_stuffs_it_resets() {
    for (breaks, end, patience) in [(0, End::ClientGone, 0), (1, End::EndpointGone, 2)] {
        let mut stuffed = Stuffed::by(breaks);
        stuffed.seen[breaks].lock().is_broken = true;
        let began = tokio::time::Instant::now();

        assert_eq!(stuffed.relay.run(&drain(), &mut Unmetered).await, end);

        assert_eq!(began.elapsed().as_secs(), patience, "the last words of an endpoint may yet be wanted");
        assert_eq!(stuffed.seen[1 - breaks].lock().reset, Some(ResetReason::PeerBroke));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_the_end_of_a_side_that_is_reset_arrives() {
    for (breaks, is_lost) in [(0, false), (0, true), (1, false), (1, true)] {
        let mut stuffed = Stuffed::by(breaks);
        {
            let mut seen = stuffed.seen[breaks].lock();
            (seen.is_broken, seen.has_ended, seen.is_lost) = (true, true, is_lost);
        }
        stuffed.peers[breaks].shutdown().await.unwrap();
        let (drain, mut meter, mut came) = (drain(), Unmetered, 0);
        let reads = async {
            // Slowly, and never as long as the tunnel waits for who takes nothing.
            while came < stuffed.sent {
                tokio::time::advance(Duration::from_secs(1)).await;
                came += stuffed.peers[1 - breaks].read(&mut [0; 4]).await.unwrap();
            }
            // Of a client that has gone, nothing more is awaited; the client of an endpoint may yet respond.
            stuffed.peers[1 - breaks].shutdown().await.unwrap();
        };

        let (end, ()) = tokio::join!(stuffed.relay.run(&drain, &mut meter), reads);

        assert_eq!(came, stuffed.sent);
        let expected = match (breaks, is_lost) {
            (0, _) => End::ClientGone,
            (_, true) => End::EndpointGone,
            (_, false) => End::Complete,
        };
        assert_eq!(end, expected, "{breaks} {is_lost}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_gone_is_not_held_for_an_endpoint_that_takes_nothing() {
    let mut stuffed = Stuffed::by(0);
    {
        let mut seen = stuffed.seen[0].lock();
        (seen.is_broken, seen.has_ended) = (true, true);
    }
    let began = tokio::time::Instant::now();

    assert_eq!(stuffed.relay.run(&drain(), &mut Unmetered).await, End::ClientGone);

    assert_eq!(began.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_reset_waits_for_what_was_written_before_it_and_not_for_ever() {
    for is_released in [true, false] {
        let (client, client_peer, client_seen) = Multiplexed::side();
        let (endpoint, endpoint_peer, endpoint_seen) = Multiplexed::side();
        client_seen.lock().holds_back = true;
        endpoint_seen.lock().is_broken = true;
        let mut relay = Relay::<Opaque>::new(client, endpoint, LIMITS);
        let (drain, mut meter, mut cx) = (drain(), Unmetered, Context::from_waker(std::task::Waker::noop()));
        let mut running = std::pin::pin!(relay.run(&drain, &mut meter));

        assert!(running.as_mut().poll(&mut cx).is_pending());
        assert_eq!(client_seen.lock().reset, None);
        client_seen.lock().holds_back = !is_released;

        assert_eq!(running.await, End::EndpointGone);
        assert_eq!(client_seen.lock().reset, Some(ResetReason::PeerBroke));
        drop((client_peer, endpoint_peer));
    }
}

/// Close frames both ways, then one side resets: nothing can be missing (RFC 6455 §5.5.1).
#[tokio::test]
async fn a_reset_after_both_have_said_goodbye_is_a_complete_end() {
    const GOODBYE: [u8; 2] = [0x88, 0];
    for breaks in [0, 1] {
        let (client, mut client_peer, client_seen) = Multiplexed::side();
        let (endpoint, mut endpoint_peer, endpoint_seen) = Multiplexed::side();
        let seen = [client_seen, endpoint_seen];
        let mut relay = Relay::<FrameBoundaries>::new(client, endpoint, LIMITS);

        let (drain, mut meter, mut passed) = (drain(), Unmetered, [0; 2]);
        let (end, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
            client_peer.write_all(&GOODBYE).await.unwrap();
            endpoint_peer.read_exact(&mut passed).await.unwrap();
            endpoint_peer.write_all(&GOODBYE).await.unwrap();
            client_peer.read_exact(&mut passed).await.unwrap();
            seen[breaks].lock().is_broken = true;
            // Has the relay look.
            [&mut client_peer, &mut endpoint_peer][breaks].write_all(&[0]).await.unwrap();
        });

        assert_eq!(end, End::Complete);
        assert_eq!(seen[1 - breaks].lock().reset, None);
    }
}

/// As browsers close a websocket over HTTP/2: their Close frame is the end of their direction. That of the endpoint is
/// the last that is to come then, and it must not be lost to a reset.
#[tokio::test]
async fn a_goodbye_behind_the_end_of_the_other_direction_is_an_end_of_its_own() {
    const GOODBYE: [u8; 2] = [0x88, 0];
    let (client, mut client_peer, client_seen) = Multiplexed::side();
    let (endpoint, mut endpoint_peer, endpoint_seen) = Multiplexed::side();
    let mut relay = Relay::<FrameBoundaries>::new(client, endpoint, LIMITS);

    let (drain, mut meter, mut asked) = (drain(), Unmetered, Vec::new());
    let (end, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
        client_peer.write_all(&GOODBYE).await.unwrap();
        client_peer.shutdown().await.unwrap();
        endpoint_peer.read_to_end(&mut asked).await.unwrap();
        endpoint_peer.write_all(&GOODBYE).await.unwrap();
    });

    assert_eq!((end, &asked[..]), (End::Complete, &GOODBYE[..]));
    for seen in [client_seen, endpoint_seen] {
        assert!(seen.lock().is_shut);
        assert_eq!(seen.lock().reset, None);
    }
}

#[tokio::test]
async fn a_tunnel_that_is_taken_apart_within_a_frame_loses_nothing() {
    // Two whole frames, and a head and half the payload of a third.
    let frames = [&[0x82, 20][..], &[1; 20], &[0x82, 10], &[2; 10], &[0x82, 30], &[3; 15]].concat();
    let rest = [3; 15];
    let (client, mut client_peer, _) = Multiplexed::side();
    let (endpoint, mut endpoint_peer, endpoint_seen) = Multiplexed::side();
    let mut relay = Relay::<FrameBoundaries>::new(Side { early: frames.clone().into(), ..client }, endpoint, LIMITS);

    // The endpoint takes 16 bytes; the rest is pending.
    let drain = drain();
    let turn = tokio::time::timeout(Duration::ZERO, relay.run(&drain, &mut Unmetered)).await;
    assert!(turn.is_err(), "it has not ended");
    let parts = relay.into_parts().unwrap();
    assert_eq!(parts.up.unwritten, frames[16..]);
    assert!(!parts.up.inspector.at_boundary());

    let mut relay = Relay::from_parts(parts);
    let received = async {
        client_peer.write_all(&rest).await.unwrap();
        let mut received = vec![0; frames.len() + rest.len()];
        endpoint_peer.read_exact(&mut received).await.unwrap();
        // Now a frame has ended: the gateway may end the tunnel.
        drain.begin();
        let mut close = [0; 8];
        endpoint_peer.read_exact(&mut close).await.unwrap();
        assert_eq!(close, FrameBoundaries::CLOSE.unwrap().to_endpoint);
        endpoint_peer.shutdown().await.unwrap();
        client_peer.shutdown().await.unwrap();
        received
    };
    let mut meter = Unmetered;
    let (end, received) = tokio::join!(relay.run(&drain, &mut meter), received);

    assert_eq!(received, [&frames[..], &rest].concat());
    assert_eq!(end, End::Drained);
    assert_eq!(endpoint_seen.lock().reset, None);
}

/// A quiet websocket in a drain of 10 s: after how many milliseconds it ended.
async fn drained_after(drain: Drain, began: tokio::time::Instant) -> (End, u128) {
    let (client, mut client_peer, _) = Multiplexed::side();
    let (endpoint, mut endpoint_peer, _) = Multiplexed::side();
    let mut relay = Relay::<FrameBoundaries>::new(client, endpoint, LIMITS);
    let mut meter = Unmetered;
    let (end, closed) = tokio::join!(relay.run(&drain, &mut meter), async {
        let mut close = [0; 8];
        endpoint_peer.read_exact(&mut close).await.unwrap();
        let closed = began.elapsed().as_millis();
        endpoint_peer.shutdown().await.unwrap();
        client_peer.shutdown().await.unwrap();
        closed
    });
    (end, closed)
}

#[tokio::test(start_paused = true)]
async fn tunnels_end_one_after_the_other_within_the_spread() {
    let (drain, began) = (drain(), tokio::time::Instant::now());
    let tunnels: Vec<_> = (0..200).map(|_| tokio::spawn(drained_after(drain.clone(), began))).collect();

    drain.begin_over(Duration::from_secs(10));
    let mut seconds = [0; 11];
    for tunnel in tunnels {
        let (end, after) = tunnel.await.unwrap();
        assert_eq!(end, End::Drained);
        seconds[usize::try_from(after / 1000).unwrap()] += 1;
    }

    // One in 10^8 runs has a second without any; that twenty expected are more than eighty is rarer still.
    assert!(seconds[..10].iter().all(|closed| (1..80).contains(closed)), "{seconds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_goes_on_until_its_moment_and_is_cut_in_the_middle_of_waiting() {
    let (client, mut client_peer, _) = Multiplexed::side();
    let (endpoint, mut endpoint_peer, _) = Multiplexed::side();
    let mut relay = Relay::<FrameBoundaries>::new(client, endpoint, LIMITS);
    let (drain, mut meter) = (drain(), Unmetered);
    // So long that the moment is not now.
    drain.begin_over(Duration::from_secs(1 << 30));

    let (end, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
        client_peer.write_all(&[0x82, 1, 7]).await.unwrap();
        let mut came = [0; 3];
        endpoint_peer.read_exact(&mut came).await.unwrap();
        assert_eq!(came, [0x82, 1, 7]);
        drain.cut();
    });

    assert_eq!(end, End::Cut);
}

#[tokio::test(start_paused = true)]
async fn bytes_of_an_unknown_protocol_wait_for_the_deadline_of_a_spread_drain() {
    let (client, client_peer, _) = Multiplexed::side();
    let (endpoint, endpoint_peer, _) = Multiplexed::side();
    let mut relay = Relay::<Opaque>::new(client, endpoint, LIMITS);
    let (drain, mut meter) = (drain(), Unmetered);
    drain.begin_over(Duration::from_secs(1));

    let (end, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        drain.cut();
    });

    assert_eq!(end, End::Cut);
    drop((client_peer, endpoint_peer));
}
