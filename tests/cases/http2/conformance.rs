//! Websockets behind extended CONNECT (RFC 8441): each conversation of RFC 6455 through a gateway is what it is without.
//!
//! ```text
//! frames ──▶ endpoint                what comes back, byte for byte, is what
//! frames ──▶ gateway ──▶ endpoint    comes back here, over HTTP/2 from the client and either version to the endpoint
//! ```

use std::net::SocketAddr;

use tidegate_tests::{BoxedIo, Gateway, Http2, Origin, eventually, upgrade_request, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::others;
use crate::running::plain;

/// What a client sends, and in pieces of how many bytes.
struct Conversation {
    what: &'static str,
    frames: fn() -> Vec<Vec<u8>>,
    piece: usize,
    /// Whether the endpoint ends it at the last of these frames. If not, a Close frame follows.
    ends: bool,
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;
const WHOLE: usize = usize::MAX;

/// A masked frame, whose first byte is `first`.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        middle @ 126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(middle).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn text(length: usize) -> Vec<u8> {
    frame(FIN | TEXT, "*".repeat(length).as_bytes())
}

fn binary(length: usize) -> Vec<u8> {
    let payload: Vec<u8> = (0..=250).cycle().take(length).collect();
    frame(FIN | BINARY, &payload)
}

fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes()[..], reason.as_bytes()].concat())
}

/// Each of these sizes, one message after the other.
fn each(message: fn(usize) -> Vec<u8>) -> Vec<Vec<u8>> {
    [0, 1, 125, 126, 127, 128, 65_535, 65_536].map(message).to_vec()
}

const fn goes_on(what: &'static str, frames: fn() -> Vec<Vec<u8>>) -> Conversation {
    Conversation { what, frames, piece: WHOLE, ends: false }
}

const fn ends(what: &'static str, frames: fn() -> Vec<Vec<u8>>) -> Conversation {
    Conversation { what, frames, piece: WHOLE, ends: true }
}

const fn in_pieces(piece: usize, conversation: Conversation) -> Conversation {
    Conversation { piece, ..conversation }
}

const CONVERSATIONS: &[Conversation] = &[
    // Sizes.
    goes_on("texts of each size", || each(text)),
    goes_on("binary messages of each size", || each(binary)),
    in_pieces(997, goes_on("a long text in pieces", || vec![text(65_536)])),
    in_pieces(1, goes_on("a text byte by byte", || vec![text(300)])),
    goes_on("1 MiB", || vec![binary(1 << 20)]),
    in_pieces(16_384, goes_on("4 MiB in pieces", || vec![binary(4 << 20)])),
    goes_on("many short messages", || vec![text(20); 500]),
    // Pings and pongs.
    goes_on("a ping without a payload", || vec![frame(FIN | PING, b"")]),
    goes_on("a ping with one", || vec![frame(FIN | PING, b"\x00\xff\xfe\x7f")]),
    goes_on("a ping as long as may be", || vec![frame(FIN | PING, &[0xfe; 125])]),
    in_pieces(1, goes_on("a ping byte by byte", || vec![frame(FIN | PING, &[0xfe; 125])])),
    ends("a ping that is too long", || vec![frame(FIN | PING, &[0xfe; 126])]),
    goes_on("a pong that nobody asked for", || vec![frame(FIN | PONG, b"unasked"), frame(FIN | PING, b"asked")]),
    goes_on("ten pings", || (b'0'..=b'9').map(|number| frame(FIN | PING, &[number])).collect()),
    // Reserved bits and types.
    ends("the first reserved bit", || vec![frame(FIN | 0x40 | TEXT, b"a")]),
    ends("the second reserved bit", || vec![frame(FIN | 0x20 | TEXT, b"a")]),
    ends("the third reserved bit", || vec![frame(FIN | 0x10 | PING, b"a")]),
    ends("a type of data that nobody knows", || vec![frame(FIN | 3, b"")]),
    ends("the last of them", || vec![frame(FIN | 7, b"a")]),
    ends("a type of control that nobody knows", || vec![frame(FIN | 11, b"")]),
    ends("the last of those", || vec![frame(FIN | 15, b"a")]),
    // Fragments.
    goes_on("a text in two fragments", || vec![frame(TEXT, b"frag"), frame(FIN, b"ment")]),
    goes_on("binary in many fragments, some empty", || {
        let mut fragments = vec![frame(BINARY, b"")];
        fragments.extend((0..200).map(|number: u16| frame(0, &number.to_be_bytes()[..usize::from(number % 3)])));
        fragments.push(frame(FIN, b""));
        fragments
    }),
    goes_on("a ping between two fragments", || {
        vec![frame(TEXT, b"frag"), frame(FIN | PING, b"between"), frame(FIN, b"ment")]
    }),
    in_pieces(
        1,
        goes_on("the same byte by byte", || {
            vec![frame(TEXT, b"frag"), frame(FIN | PING, b"between"), frame(FIN, b"ment")]
        }),
    ),
    ends("a ping in fragments", || vec![frame(PING, b"a")]),
    ends("a continuation of nothing", || vec![frame(FIN, b"a")]),
    ends("a text between two fragments", || vec![frame(TEXT, b"a"), frame(FIN | TEXT, b"b")]),
    // UTF-8.
    goes_on("text of four bytes a character", || vec![frame(FIN | TEXT, "\u{1F30A}\u{10FFFF}κόσμε".as_bytes())]),
    goes_on("a character in two fragments", || vec![frame(TEXT, b"\xf0\x9f"), frame(FIN, b"\x8c\x8a")]),
    ends("half a character at the end", || vec![frame(FIN | TEXT, b"\xf0\x9f")]),
    ends("a surrogate", || vec![frame(FIN | TEXT, b"\xed\xa0\x80")]),
    ends("bytes that are no text", || vec![frame(FIN | TEXT, b"\xfe\xff")]),
    // Masks.
    ends("a frame without a mask", || vec![vec![FIN | TEXT, 1, b'a']]),
    // Close frames.
    ends("close without a code", || vec![frame(FIN | CLOSE, b"")]),
    ends("close with half a code", || vec![frame(FIN | CLOSE, b"\x03")]),
    ends("1000", || vec![close(1000, "")]),
    ends("1001 with a reason", || vec![close(1001, "going away")]),
    ends("1011 with the longest reason", || vec![close(1011, &"r".repeat(123))]),
    ends("a reason that is too long", || vec![close(1000, &"r".repeat(124))]),
    ends("a reason that is no text", || vec![frame(FIN | CLOSE, b"\x03\xe8\xfe\xff")]),
    ends("3000", || vec![close(3000, "")]),
    ends("4999", || vec![close(4999, "private")]),
    ends("999", || vec![close(999, "")]),
    ends("1005", || vec![close(1005, "")]),
    ends("1006", || vec![close(1006, "")]),
    ends("2999", || vec![close(2999, "")]),
    in_pieces(1, ends("close byte by byte", || vec![close(1000, "bye")])),
];

impl Conversation {
    /// Everything that comes back after the greeting `hello`, to the end.
    async fn over(&self, io: BoxedIo, hello: usize) -> Vec<u8> {
        let mut bytes = (self.frames)().concat();
        if !self.ends {
            bytes.extend(close(1000, "done"));
        }
        let (mut read, mut write) = tokio::io::split(io);
        let mut greeting = vec![0; hello];
        within("a greeting", read.read_exact(&mut greeting)).await.expect("a greeting");
        let writing = async {
            for piece in bytes.chunks(self.piece.min(bytes.len())) {
                // Where it ends early, that is what comes back.
                if write.write_all(piece).await.is_err() || write.flush().await.is_err() {
                    break;
                }
            }
        };
        let mut came = Vec::new();
        let reading = async {
            // However it ends: what came until then counts.
            let _end = read.read_to_end(&mut came).await;
        };
        within(self.what, async { tokio::join!(writing, reading) }).await;
        came
    }
}

/// A websocket at `address`, opened over HTTP/1.1.
async fn opened(address: SocketAddr) -> BoxedIo {
    let mut io = plain(address).await;
    let head = "GET / HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    io.write_all(head.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("the head of a response", io.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    io
}

/// Which conversations are held.
pub(super) enum Held {
    All,
    /// Those that the endpoint ends: of others, what it sends between its client's Close and its own depends on when it
    /// gets to work.
    Ended,
}

/// Holds conversations with the endpoint itself and through the gateway, many at once on one connection. `hello` is how
/// long the greeting of the endpoint is.
pub(super) async fn hold(held: &Held, endpoint: SocketAddr, gateway: &Gateway, hello: usize) {
    let mut http = Http2::new(gateway.connect().await).await;
    let tried = http.try_connect(upgrade_request("/")).await;
    assert!(tried.is_ok(), "{:.300?}", tried.err());
    let held = |conversation: &&Conversation| matches!(held, Held::All) || conversation.ends;
    let mut tasks = Vec::new();
    for conversation in CONVERSATIONS.iter().filter(held) {
        let mut http = http.clone();
        let task = async move {
            let expected = conversation.over(opened(endpoint).await, hello).await;
            let (_head, io) = http.try_connect(upgrade_request("/")).await.unwrap();
            let found = conversation.over(Box::new(io), hello).await;
            (found, expected)
        };
        tasks.push((conversation, tokio::spawn(task)));
    }
    let mut failed = Vec::new();
    let count = tasks.len();
    for (conversation, task) in tasks {
        match task.await {
            Ok((found, expected)) if found == expected => {}
            Ok((found, expected)) => {
                let shown = |bytes: &[u8]| format!("{} bytes: {:.120?}", bytes.len(), bytes.get(..40.min(bytes.len())));
                failed.push(format!("{}: {}, not {}", conversation.what, shown(&found), shown(&expected)));
            }
            Err(panicked) => failed.push(format!("{}: {panicked:.200}", conversation.what)),
        }
    }
    assert!(failed.is_empty(), "{} of {} differ:\n{}", failed.len(), count, failed.join("\n"));
}

/// Length of "hello from a" in a frame.
const HELLO: usize = 14;

#[tokio::test]
async fn towards_an_endpoint_in_http1() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;

    hold(&Held::All, origin.address(), &gateway, HELLO).await;

    eventually("leases to be given back", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn towards_an_endpoint_in_http2() {
    let (origin, same) = (Origin::named("a").http2().start().await, Origin::named("a").start().await);
    let gateway = others::before(&format!("http://{}", origin.address()), "h2", "").start().await;

    hold(&Held::All, same.address(), &gateway, HELLO).await;

    eventually("leases to be given back", || gateway.in_flight(&origin) == 0).await;
}
