//! What comes on a stream, as the body of a message.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};

use super::inbox::SharedInbox;
use super::wire::Wire;

/// The body of a message that comes on a stream: DATA, then trailers. What has been taken may be sent anew by the peer
/// (its window opens), so no more than a window and one frame of it are held.
#[derive(Debug)]
pub struct Http2Body {
    inbox: SharedInbox,
    data_ended: bool,
}

impl Http2Body {
    /// That of the message whose head came on the same stream, of the connection above `wire`.
    pub fn new(recv: RecvStream, wire: &Wire) -> Self {
        Self { inbox: SharedInbox::new(recv, wire.inboxes()), data_ended: false }
    }
}

impl Body for Http2Body {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let this = self.get_mut();
        while !this.data_ended {
            match ready!(this.inbox.poll_data(cx)) {
                // An empty frame brings nothing; an end that comes with it is seen next.
                Some(Ok(data)) if data.is_empty() => {}
                Some(Ok(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => this.data_ended = true,
            }
        }
        let trailers = ready!(this.inbox.poll_trailers(cx)).transpose();
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)))
    }

    fn is_end_stream(&self) -> bool {
        self.inbox.is_end()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}
