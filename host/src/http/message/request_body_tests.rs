//! Bodies of which the beginning was looked at.

use std::convert::Infallible;

use futures_util::stream::{self, StreamExt as _};
use http_body_util::{BodyExt as _, StreamBody};

use super::*;

fn body(pieces: &[&'static str], ends: bool) -> RequestBody {
    let frames: Vec<_> = pieces.iter().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes())))).collect();
    let frames = stream::iter(frames);
    let body: Pin<Box<dyn Body<Data = Bytes, Error = RequestBodyError> + Send>> = if ends {
        Box::pin(StreamBody::new(frames))
    } else {
        Box::pin(StreamBody::new(frames.chain(stream::pending())))
    };
    RequestBody::Boxed { body, expects_continue: true }
}

const LONG: Duration = Duration::from_secs(3600);

async fn all(body: RequestBody) -> Bytes {
    body.collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn the_beginning_is_seen_and_the_whole_goes_on() {
    for (pieces, most, first) in [
        (&["abc", "def", "ghi"][..], 5, "abcde"),
        (&["abc", "def"], 3, "abc"),
        (&["abcdef"], 2, "ab"),
        (&["abc", "", "def"], 99, "abcdef"),
        (&[], 5, ""),
    ] {
        let (seen, begun) = body(pieces, true).begin(most, LONG).await;

        assert_eq!(seen, first, "{pieces:?}");
        assert!(!begun.expects_continue(), "it was asked for");
        assert_eq!(all(begun).await, pieces.concat(), "{pieces:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_is_waited_for_no_longer_than_that_and_what_has_come_is_seen() {
    let (seen, mut begun) = body(&["abc"], false).begin(5, Duration::from_secs(2)).await;

    assert_eq!(seen, "abc");
    assert_eq!(begun.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
}

#[tokio::test]
async fn who_broke_off_is_found_behind_what_came() {
    let frames = [Ok(Frame::data(Bytes::from_static(b"abc"))), Err(RequestBodyError::Stalled)];
    let broken = StreamBody::new(stream::iter(frames));
    let (seen, begun) = RequestBody::Boxed { body: Box::pin(broken), expects_continue: false }.begin(9, LONG).await;

    assert_eq!(seen, "abc");
    assert!(matches!(begun.collect().await, Err(RequestBodyError::Stalled)));
}

#[tokio::test]
async fn trailers_are_still_the_last_frame_and_lengths_are_those_of_the_whole() {
    let trailers = ::http::HeaderMap::from_iter([(::http::header::ETAG, ::http::HeaderValue::from_static("x"))]);
    let frames = [Ok(Frame::data(Bytes::from_static(b"abc"))), Ok(Frame::trailers(trailers.clone()))];
    let whole = StreamBody::new(stream::iter(frames));
    let (_, begun) = RequestBody::Boxed { body: Box::pin(whole), expects_continue: false }.begin(9, LONG).await;
    let collected = begun.collect().await.unwrap();
    assert_eq!(collected.trailers(), Some(&trailers));

    let known = http_body_util::Full::new(Bytes::from_static(b"abcdef")).map_err(|never: Infallible| match never {});
    let (_, begun) = RequestBody::Boxed { body: Box::pin(known), expects_continue: false }.begin(2, LONG).await;
    assert_eq!(begun.size_hint().exact(), Some(6));
}
