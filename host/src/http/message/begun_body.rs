//! A request body whose beginning was looked at before it went anywhere.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;

use super::request_body_error::RequestBodyError;

/// What has come of a body, and the body. Frames come out of it as they came into it.
pub struct BegunBody<B> {
    come: VecDeque<Result<Frame<Bytes>, RequestBodyError>>,
    rest: B,
}

impl<B: Body<Data = Bytes, Error = RequestBodyError> + Unpin> BegunBody<B> {
    /// Waits until `most` bytes of `body` have come, or its end, but no longer than `patience`. Returns up to `most`
    /// bytes, and the body with all that there is of it: a client that broke off is found by whoever reads on.
    pub(super) async fn new(mut body: B, most: usize, patience: Duration) -> (Bytes, Self) {
        let (mut come, mut bytes) = (VecDeque::new(), 0);
        let awaited = async {
            while bytes < most
                && let Some(frame) = body.frame().await
            {
                bytes += frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
                let is_last = !frame.as_ref().is_ok_and(Frame::is_data);
                come.push_back(frame);
                if is_last {
                    break;
                }
            }
        };
        // What has come by then is there: frames are taken one at a time, and none is lost between two.
        let _in_time = tokio::time::timeout(patience, awaited).await;
        let first = first_bytes(&come, most);
        (first, Self { come, rest: body })
    }

    /// What has not been looked at; none as long as something that was is still to be read.
    pub(super) fn rest(&self) -> Option<&B> {
        self.come.is_empty().then_some(&self.rest)
    }
}

fn first_bytes(come: &VecDeque<Result<Frame<Bytes>, RequestBodyError>>, most: usize) -> Bytes {
    let mut pieces = come.iter().filter_map(|frame| frame.as_ref().ok()?.data_ref());
    let Some(first) = pieces.next() else { return Bytes::new() };
    let Some(second) = pieces.next().filter(|_| first.len() < most) else {
        return first.slice(..first.len().min(most));
    };
    let mut joined = BytesMut::from(&first[..]);
    for piece in [second].into_iter().chain(pieces) {
        let room = most.saturating_sub(joined.len());
        joined.extend_from_slice(piece.get(..room).unwrap_or(piece));
    }
    joined.freeze()
}

impl<B: Body<Data = Bytes, Error = RequestBodyError> + Unpin> Body for BegunBody<B> {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = self.get_mut();
        match this.come.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None => Pin::new(&mut this.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.come.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let come: u64 = self.come.iter().filter_map(|frame| Some(frame.as_ref().ok()?.data_ref()?.len() as u64)).sum();
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(come));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(come));
        }
        hint
    }
}
