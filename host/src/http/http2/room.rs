//! What the windows of a stream and of its connection have room for (RFC 9113 §5.2).

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::SendStream;

/// How many of `wanted` bytes, which are some, may be sent now: at least one. None if the stream takes nothing any longer.
pub fn poll_room(
    stream: &mut SendStream<Bytes>,
    cx: &mut Context<'_>,
    wanted: usize,
) -> Poll<Option<Result<usize, h2::Error>>> {
    stream.reserve_capacity(wanted);
    loop {
        let room = stream.capacity();
        if room > 0 {
            return Poll::Ready(Some(Ok(room)));
        }
        match ready!(stream.poll_capacity(cx)) {
            Some(Ok(_more)) => {}
            ended => return Poll::Ready(ended),
        }
    }
}
