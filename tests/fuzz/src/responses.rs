//! hyper's client beside the gateway's own reader of responses: in the same bytes, wherever they are cut, both see the
//! same status, fields and body; and where the gateway would use the connection again, hyper would as well.
//!
//! Where the two differ on purpose, `agreed` says so, case by case and why.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper::ext::ReasonPhrase;
use hyper_util::rt::TokioIo;
use tidegate::net::{Socket, Stream};
use tidegate::upstream::{HeadLimits, Trial, TrialEnd};
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;

use crate::pieces::{cut, with_cuts};

/// As hyper has them.
const LIMITS: HeadLimits = HeadLimits { bytes: 400 * 1024, fields: 100 };

/// More would meet limits that are not the same: of chunk extensions, of trailers.
const LONGEST: usize = 8 * 1024;

/// What an endpoint sends; behind it the method that it is asked with (`H` for HEAD, `P` for POST, else GET), whether
/// it closes (`c`), and four bytes that say where the stream is cut.
pub fn run(bytes: &[u8]) {
    let (bytes, cuts) = with_cuts(bytes);
    let Some((bytes, [method, end])) = bytes.split_last_chunk::<2>() else { return };
    if bytes.len() > LONGEST {
        return;
    }
    let method = match method {
        b'H' => Method::HEAD,
        b'P' => Method::POST,
        _ => Method::GET,
    };
    let exchange = Exchange { method, bytes, cuts, closes: *end == b'c' };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (ours, reusable) = exchange.with_the_gateway().await;
        let theirs = exchange.with_hyper().await;
        agreed(&exchange, &ours, reusable, &theirs);
    });
}

/// What happens on a connection.
struct Exchange<'a> {
    method: Method,
    bytes: &'a [u8],
    cuts: &'a [u8],
    closes: bool,
}

/// What hyper's client is shown of a response.
#[derive(Debug, Default)]
struct Seen {
    head: Option<Response<()>>,
    body: Vec<u8>,
    ended: Option<Result<(), hyper::Error>>,
    reusable: bool,
}

/// The client's end of a connection, and the endpoint's, whose writes never wait.
fn pair() -> (UnixStream, net::UnixStream) {
    let (ours, endpoint) = net::UnixStream::pair().expect("a pair of sockets");
    for end in [&ours, &endpoint] {
        end.set_nonblocking(true).expect("a socket");
    }
    (UnixStream::from_std(ours).expect("a socket"), endpoint)
}

impl Exchange<'_> {
    /// What the gateway sees, and whether it would use the connection again.
    async fn with_the_gateway(&self) -> (Trial, bool) {
        let (ours, mut endpoint) = pair();
        let mut trial = Trial::default();
        self.play(Box::pin(trial.read(Stream::from(Socket::from(ours)), &self.method, LIMITS)), &mut endpoint).await;
        let reusable = trial.is_reusable();
        (trial, reusable)
    }

    async fn with_hyper(&self) -> Seen {
        let (ours, mut endpoint) = pair();
        let (mut sender, connection) = http1::handshake(TokioIo::new(ours)).await.expect("nothing is sent yet");
        let mut connection = pin!(connection.with_upgrades());
        let open = Cell::new(true);
        let mut seen = Seen::default();
        let request = Request::builder().method(&self.method).uri("/").header(header::HOST, "endpoint");
        let request = request.body(Empty::<Bytes>::new()).expect("a request");
        let reading = async {
            seen.ended = match sender.send_request(request).await {
                Ok(response) => Some(seen.read(response).await),
                Err(error) => Some(Err(error)),
            };
        };
        let running = async {
            let _how = poll_fn(|cx| connection.as_mut().poll(cx)).await;
            open.set(false);
        };
        let both = async {
            tokio::join!(reading, running);
        };
        self.play(Box::pin(both), &mut endpoint).await;
        seen.reusable = open.get() && sender.is_ready();
        seen
    }

    /// Has the endpoint send piece after piece, each once `client` has done with the one before all that it can.
    async fn play(&self, client: Pin<Box<dyn Future<Output = ()> + '_>>, endpoint: &mut net::UnixStream) {
        let mut client = Some(client);
        settle(&mut client).await;
        for piece in cut(self.bytes, self.cuts) {
            if endpoint.write_all(piece).is_err() {
                break; // The client has closed, or reads no more.
            }
            settle(&mut client).await;
        }
        if self.closes {
            let _gone = endpoint.shutdown(Shutdown::Write);
            settle(&mut client).await;
        }
    }
}

impl Seen {
    async fn read(&mut self, response: Response<hyper::body::Incoming>) -> Result<(), hyper::Error> {
        let status = response.status();
        let (parts, mut body) = response.into_parts();
        self.head = Some(Response::from_parts(parts.clone(), ()));
        if status == StatusCode::SWITCHING_PROTOCOLS {
            let upgraded = hyper::upgrade::on(Response::from_parts(parts, ())).await?;
            let parts = upgraded.downcast::<TokioIo<UnixStream>>().expect("the stream that went in");
            self.body.extend_from_slice(&parts.read_buf);
            let _length = parts.io.into_inner().read_to_end(&mut self.body).await.expect("a stream that ends");
            return Ok(());
        }
        while let Some(frame) = body.frame().await {
            self.body.extend_from_slice(frame?.data_ref().map_or(&[], |data| data));
        }
        Ok(())
    }

    fn is_whole(&self) -> bool {
        matches!(self.ended, Some(Ok(())))
    }

    fn is_broken(&self) -> bool {
        matches!(self.ended, Some(Err(_)))
    }
}

/// Notes that something is to be done.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// Lets `work` go on until it waits for what is not there. None once it is done.
async fn settle(work: &mut Option<Pin<Box<dyn Future<Output = ()> + '_>>>) {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    loop {
        if let Some(future) = work
            && future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
        {
            *work = None;
        }
        // The runtime looks at the sockets meanwhile.
        tokio::task::yield_now().await;
        if !flag.0.swap(false, Relaxed) {
            return;
        }
    }
}

/// Asserts that both came to the same, or differ as they are meant to.
fn agreed(exchange: &Exchange<'_>, ours: &Trial, reusable: bool, theirs: &Seen) {
    let context = || {
        let Exchange { method, bytes, cuts, closes } = exchange;
        let bytes = bytes.escape_ascii();
        format!(
            "{method} {bytes} cut {cuts:?} closes {closes}\nours (reusable: {reusable}): {ours:?}\nhyper: {theirs:?}"
        )
    };
    match (&ours.head, &theirs.head) {
        (None, None) => {
            // Before a head may end, each parses its first piece alone; and an empty line before it is a piece for
            // hyper, none for the gateway. So one may wait where the other has seen what is wrong, but not beyond the
            // end.
            let both = ours.ended.is_some() && theirs.is_broken();
            assert!(both || !exchange.closes, "{}", context());
        }
        (None, Some(head)) => assert!(is_refused_on_purpose(exchange, ours, theirs, head), "{}", context()),
        // The two longest lengths that 64 bits can say stand for something else in hyper.
        (Some(head), None) => assert!(length_of(head) >= Some(u64::MAX - 1), "hyper saw no response: {}", context()),
        (Some(head), Some(other)) => {
            assert_eq!(head.status(), other.status(), "{}", context());
            let phrase = |head: &Response<()>| head.extensions().get::<ReasonPhrase>().cloned();
            assert_eq!(phrase(head), phrase(other), "{}", context());
            assert_eq!(*head.headers(), passed_on(other), "{}", context());
            assert_bodies_agree(exchange, ours, theirs, head, &context);
            let both_ways = head.headers().contains_key(header::CONTENT_LENGTH)
                && head.headers().contains_key(header::TRANSFER_ENCODING);
            let closes_in_bytes =
                head.headers().get_all(header::CONNECTION).iter().any(|value| value.to_str().is_err());
            match (reusable, theirs.reusable) {
                (true, false) if theirs.is_whole() => {
                    assert!(closes_in_bytes, "hyper would not use it again: {}", context());
                }
                // RFC 9112 §6.3: what follows a message that says its length twice is not to be trusted. Hyper reads no
                // Connection field with a byte above 127 in it; whatever else it says, a `close` is meant.
                (false, true) if ours.ended == Some(TrialEnd::Whole) => {
                    assert!(both_ways || closes_in_bytes, "not used again: {}", context());
                }
                _ => {}
            }
        }
    }
}

/// Whether the gateway is meant to refuse a response whose `head` hyper takes.
fn is_refused_on_purpose(exchange: &Exchange<'_>, ours: &Trial, theirs: &Seen, head: &Response<()>) -> bool {
    let codings: Vec<_> = head.headers().get_all(header::TRANSFER_ENCODING).iter().collect();
    let only_chunked = matches!(codings.as_slice(), [one] if one.as_bytes().eq_ignore_ascii_case(b"chunked"));
    // What is said of a body is passed on even where there is none, so that the next reader must not be misled by it;
    // and where two things are said, both must be right. Hyper looks at what counts, no further.
    let unread = exchange.method == Method::HEAD || head.status() == StatusCode::NOT_MODIFIED;
    match ours.ended {
        Some(TrialEnd::Refused("length" | "lengths")) => unread || !codings.is_empty(),
        // HTTP/1.0 knows no Transfer-Encoding (RFC 9112 §6.1): hyper finds that only where it reads a body.
        Some(TrialEnd::Refused("old-coding")) => unread,
        // A body in another coding would be passed on without the name of what it is coded in: hyper drops no field.
        Some(TrialEnd::Refused("coding")) => !only_chunked,
        // As long as nothing has been passed on, chunks that are none are the whole response's fault: the client gets a
        // 502.
        Some(TrialEnd::Refused("first-chunks")) => only_chunked && bad_chunks_agree(exchange, theirs),
        // An end before anything of the body came is one as well.
        Some(TrialEnd::Broken("cut-body" | "short-body")) => theirs.is_broken() && theirs.body.is_empty(),
        _ => false,
    }
}

/// The length that `head` says first.
fn length_of(head: &Response<()>) -> Option<u64> {
    let first = head.headers().get(header::CONTENT_LENGTH)?.as_bytes().split(|byte| *byte == b',').next()?;
    std::str::from_utf8(first.trim_ascii()).ok()?.parse().ok()
}

/// The fields of a response as the gateway passes them on.
fn passed_on(head: &Response<()>) -> HeaderMap {
    let mut fields = head.headers().clone();
    let status = head.status();
    if status == StatusCode::NO_CONTENT {
        // It has no length (RFC 9110 §8.6).
        fields.remove(header::CONTENT_LENGTH);
    }
    let said = head.headers().get_all(header::CONTENT_LENGTH).iter();
    let times = said.map(|value| value.as_bytes().split(|byte| *byte == b',').count()).sum::<usize>();
    // The same length many times is one length, and is passed on as one.
    if let Some(length) = length_of(head)
        && times > 1
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::SWITCHING_PROTOCOLS
    {
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    fields
}

fn assert_bodies_agree(
    exchange: &Exchange<'_>,
    ours: &Trial,
    theirs: &Seen,
    head: &Response<()>,
    context: &dyn Fn() -> String,
) {
    let chunked = head.headers().contains_key(header::TRANSFER_ENCODING);
    match ours.ended {
        Some(TrialEnd::Whole) => assert!(theirs.is_whole() && ours.body == theirs.body, "{}", context()),
        Some(TrialEnd::Broken("chunks")) => {
            assert!(chunked && theirs.body.starts_with(&ours.body), "{}", context());
            assert!(bad_chunks_agree(exchange, theirs), "{}", context());
        }
        Some(TrialEnd::Broken(_)) => {
            assert!(theirs.is_broken() && ours.body == theirs.body, "{}", context());
        }
        Some(TrialEnd::Refused(_)) => panic!("refused when the head had been passed on: {}", context()),
        None => assert!(theirs.ended.is_none() && ours.body == theirs.body, "{}", context()),
    }
}

/// Whether hyper found the chunks bad as well, or took what the gateway does not: a size of more than fifteen digits,
/// zeros before it included, and a line of the trailer section that ends without CR.
fn bad_chunks_agree(exchange: &Exchange<'_>, theirs: &Seen) -> bool {
    let long_size = exchange.bytes.windows(16).any(|window| window.iter().all(u8::is_ascii_hexdigit));
    let bare_line_end = exchange.bytes.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r');
    theirs.is_broken() || long_size || bare_line_end
}
