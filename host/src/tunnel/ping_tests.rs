//! Websockets that are pinged, over streams in memory and with a clock that stands still while there is something to do.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream as InMemory};
use tokio::time::Instant;

use super::tests::{LIMITS, Multiplexed, drain};
use super::*;

const EVERY: Duration = Duration::from_secs(30);

/// Counts pings.
#[derive(Default)]
struct Pings {
    to_client: usize,
    to_endpoint: usize,
    bytes: usize,
}

impl Meter for Pings {
    fn to_endpoint(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    fn to_client(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    fn pinged_client(&mut self) {
        self.to_client += 1;
    }

    fn pinged_endpoint(&mut self) {
        self.to_endpoint += 1;
    }
}

/// A pinged websocket, and the peers of client and endpoint.
fn pinged(limits: TunnelLimits) -> (Relay<PingedFrames>, InMemory, InMemory) {
    let (client, client_peer, _) = Multiplexed::side();
    let (endpoint, endpoint_peer, _) = Multiplexed::side();
    (Relay::pinging(client, endpoint, limits, EVERY), client_peer, endpoint_peer)
}

async fn read<const N: usize>(peer: &mut InMemory) -> [u8; N] {
    let mut bytes = [0; N];
    peer.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// What a client sends in response to a ping.
fn masked_pong(ping: [u8; 10]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let payload = ping[2..].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    [0x8a, 0x88].into_iter().chain(mask).chain(payload).collect()
}

/// What an endpoint sends.
fn pong(ping: [u8; 14]) -> Vec<u8> {
    let payload = ping[6..].iter().zip(ping[2..6].iter().cycle()).map(|(byte, mask)| byte ^ mask);
    [0x8a, 8].into_iter().chain(payload).collect()
}

#[tokio::test(start_paused = true)]
async fn a_quiet_websocket_is_pinged_on_both_sides_and_neither_sees_the_others_pong() {
    let (mut relay, mut client, mut endpoint) = pinged(LIMITS);
    let (drain, mut meter, began) = (drain(), Pings::default(), Instant::now());

    let (end, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
        let mut masks = Vec::new();
        for round in 1..=3 {
            let (to_client, to_endpoint) = (read::<10>(&mut client).await, read::<14>(&mut endpoint).await);
            assert_eq!(began.elapsed(), EVERY * round);
            assert_eq!((to_client[..2].to_vec(), to_endpoint[..2].to_vec()), (vec![0x89, 8], vec![0x89, 0x88]));
            masks.push(to_endpoint[2..6].to_vec());
            // In two pieces, as the network may cut it.
            let pong = masked_pong(to_client);
            client.write_all(&pong[..9]).await.unwrap();
            tokio::task::yield_now().await;
            client.write_all(&pong[9..]).await.unwrap();
            endpoint.write_all(&self::pong(to_endpoint)).await.unwrap();
        }
        assert!(masks[0] != masks[1] || masks[1] != masks[2], "{masks:?}");
        // A Pong that nobody has asked for is between the two.
        client.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await.unwrap();
        assert_eq!(read(&mut endpoint).await, [0x8a, 0x80, 0, 0, 0, 0], "and nothing before it");
        endpoint.write_all(&[0x8a, 1, 7]).await.unwrap();
        assert_eq!(read(&mut client).await, [0x8a, 1, 7]);
        client.shutdown().await.unwrap();
        endpoint.shutdown().await.unwrap();
    });

    assert_eq!(end, End::Complete);
    assert_eq!((meter.to_client, meter.to_endpoint, meter.bytes), (3, 3, 9), "what the gateway says is no traffic");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_ends_the_websocket_and_both_sides_are_told() {
    for (silent, expected) in [(0, End::ClientSilent), (1, End::EndpointSilent)] {
        let (mut relay, mut client, mut endpoint) = pinged(LIMITS);
        let (drain, mut meter, began) = (drain(), Pings::default(), Instant::now());

        let (end, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
            let (to_client, to_endpoint) = (read(&mut client).await, read(&mut endpoint).await);
            match silent {
                0 => endpoint.write_all(&pong(to_endpoint)).await.unwrap(),
                _ => client.write_all(&masked_pong(to_client)).await.unwrap(),
            }
            assert_eq!(read(&mut client).await, [0x88, 2, 3, 0xe9]);
            assert_eq!(read(&mut endpoint).await, [0x88, 0x82, 0, 0, 0, 0, 3, 0xe9]);
            assert_eq!(began.elapsed(), 2 * EVERY, "at the time of the next");
        });

        assert_eq!(end, expected);
        assert_eq!(began.elapsed(), 2 * EVERY + Duration::from_secs(2), "who is there may answer the Close frame");
    }
}

#[tokio::test(start_paused = true)]
async fn any_byte_of_a_side_shows_that_it_is_there_and_starts_the_clock_anew() {
    let (mut relay, mut client, mut endpoint) = pinged(LIMITS);
    let (drain, mut meter, began) = (drain(), Pings::default(), Instant::now());

    let (_, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
        let (_, to_endpoint) = (read::<10>(&mut client).await, read(&mut endpoint).await);
        endpoint.write_all(&pong(to_endpoint)).await.unwrap();
        tokio::time::sleep(EVERY / 2).await;
        // RFC 6455 §5.5.3: a Pong for the last Ping is enough, and this one is the endpoint's.
        client.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await.unwrap();
        read::<6>(&mut endpoint).await;

        read::<10>(&mut client).await;
        assert_eq!(began.elapsed(), EVERY + EVERY / 2 + EVERY);
        client.shutdown().await.unwrap();
        endpoint.shutdown().await.unwrap();
    });
}

#[tokio::test(start_paused = true)]
async fn nothing_is_put_inside_a_frame_and_between_the_frames_of_a_message_it_is() {
    let (mut relay, mut client, mut endpoint) = pinged(LIMITS);
    let (drain, mut meter) = (drain(), Pings::default());

    let (_, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
        // The first of two frames of a message from the endpoint, and half a frame from the client.
        endpoint.write_all(&[0x02, 1, 7]).await.unwrap();
        client.write_all(&[0x82, 0x82, 0, 0, 0, 0, 1]).await.unwrap();
        assert_eq!(read(&mut client).await, [0x02, 1, 7]);
        assert_eq!(read(&mut endpoint).await, [0x82, 0x82, 0, 0, 0, 0, 1]);

        let to_client = read(&mut client).await;
        assert_eq!(to_client[..2], [0x89, 8]);
        client.write_all(&[2]).await.unwrap();
        client.write_all(&masked_pong(to_client)).await.unwrap();
        endpoint.write_all(&[0x80, 1, 8]).await.unwrap();
        assert_eq!(read(&mut endpoint).await, [2], "the frame is whole");
        assert_eq!(read(&mut client).await, [0x80, 1, 8]);

        assert_eq!(read::<14>(&mut endpoint).await[..2], [0x89, 0x88], "now there is room");
        client.shutdown().await.unwrap();
        endpoint.shutdown().await.unwrap();
    });

    assert_eq!((meter.to_client, meter.to_endpoint), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn pings_and_their_pongs_do_not_count_as_bytes_of_the_sides() {
    let idle = 5 * EVERY;
    let (mut relay, mut client, mut endpoint) = pinged(TunnelLimits { idle });
    let (drain, mut meter, began) = (drain(), Pings::default(), Instant::now());

    let (end, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
        for _ in 0..4 {
            let (to_client, to_endpoint) = (read(&mut client).await, read(&mut endpoint).await);
            client.write_all(&masked_pong(to_client)).await.unwrap();
            endpoint.write_all(&pong(to_endpoint)).await.unwrap();
        }
        assert_eq!(read(&mut client).await, [0x88, 2, 3, 0xe9]);
        assert_eq!(began.elapsed(), idle);
    });

    assert_eq!(end, End::Idle);
}

#[tokio::test(start_paused = true)]
async fn who_has_closed_is_asked_no_more() {
    let (mut relay, mut client, mut endpoint) = pinged(LIMITS);
    let (drain, mut meter, began) = (drain(), Pings::default(), Instant::now());

    let (end, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
        read::<10>(&mut client).await;
        let to_endpoint = read(&mut endpoint).await;
        endpoint.write_all(&pong(to_endpoint)).await.unwrap();
        // Instead of a Pong; and the endpoint takes its time.
        client.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
        assert_eq!(read(&mut endpoint).await, [0x88, 0x80, 0, 0, 0, 0]);
        tokio::time::sleep(10 * EVERY).await;
        endpoint.write_all(&[0x88, 0]).await.unwrap();
        assert_eq!(read(&mut client).await, [0x88, 0]);
        endpoint.shutdown().await.unwrap();
    });

    assert_eq!(end, End::Complete);
    assert_eq!((meter.to_client, meter.to_endpoint), (1, 1));
    assert_eq!(began.elapsed(), EVERY + 10 * EVERY);
}

#[tokio::test(start_paused = true)]
async fn what_looks_like_the_begin_of_a_pong_at_the_end_of_a_side_arrives() {
    let (mut relay, mut client, mut endpoint) = pinged(LIMITS);
    let (drain, mut meter) = (drain(), Pings::default());

    let (_, came) = tokio::join!(relay.run(&drain, &mut meter), async {
        client.write_all(&[0x8a, 0x88, 1]).await.unwrap();
        client.shutdown().await.unwrap();
        let mut came = Vec::new();
        endpoint.read_to_end(&mut came).await.unwrap();
        endpoint.shutdown().await.unwrap();
        came
    });

    assert_eq!(came, [0x8a, 0x88, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_pinged_websocket_that_is_taken_apart_goes_on_being_pinged() {
    let (mut relay, mut client, mut endpoint) = pinged(LIMITS);
    let drain = drain();
    client.write_all(&[0x8a, 0x88]).await.unwrap();
    let turn = tokio::time::timeout(Duration::ZERO, relay.run(&drain, &mut Pings::default())).await;
    assert!(turn.is_err(), "it has not ended");

    let mut relay = Relay::from_parts(relay.into_parts().unwrap());
    let mut meter = Pings::default();
    let (_, ()) = tokio::join!(relay.run(&drain, &mut meter), async {
        // What was held is not lost: it was another's Pong.
        client.write_all(&[0; 12]).await.unwrap();
        assert_eq!(read(&mut endpoint).await, [0x8a, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        read::<10>(&mut client).await;
        client.shutdown().await.unwrap();
        endpoint.shutdown().await.unwrap();
    });

    assert_eq!(meter.to_client, 1);
}
