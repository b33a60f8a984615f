//! One open connection to an endpoint.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead as _, ReadBuf};

use super::super::HeadLimits;
use super::super::timer::LazyTimer;
use crate::net::{Stream, with_scratch};

/// An open connection that can take one request at a time. It owns no buffer while it waits.
#[derive(Debug)]
pub(in super::super) struct Connection {
    pub(super) stream: Stream,
    /// Read, and not looked at yet.
    pub(super) unread: Bytes,
    pub(super) timer: LazyTimer,
    pub(super) limits: HeadLimits,
}

/// Where connections wait for their next request.
pub(in super::super) trait ReturnTo: Send + Sync + std::fmt::Debug {
    /// Takes in a connection that has nothing under way.
    fn put_back(self: Arc<Self>, connection: Connection);
}

impl Connection {
    /// Speaks HTTP/1.1 over `stream`.
    pub(in super::super) fn new(stream: Stream, timer: LazyTimer, limits: HeadLimits) -> Self {
        Self { stream, unread: Bytes::new(), timer, limits }
    }

    /// Whether nothing has come behind the last response: then it may take another request.
    pub(super) fn is_free(&self) -> bool {
        self.unread.is_empty()
    }

    /// Whether it can take a request: the endpoint has neither closed nor sent anything that it was not asked for.
    /// Costs no system call as long as that is so.
    pub(in super::super) fn is_reusable(&mut self) -> bool {
        self.is_free() && self.stream.is_reusable()
    }

    /// Says to the endpoint that nothing follows, at the end of a connection that has nothing under way.
    pub(in super::super) fn close_notify(&mut self) {
        self.stream.close_notify();
    }

    /// Reads what is there behind what is unread. 0 if the endpoint has ended its direction.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        with_scratch(|scratch| {
            let mut buf = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
            let fresh = buf.filled();
            if self.unread.is_empty() {
                self.unread = Bytes::copy_from_slice(fresh);
            } else if !fresh.is_empty() {
                self.unread = joined(std::mem::take(&mut self.unread), fresh);
            }
            Poll::Ready(Ok(fresh.len()))
        })
    }
}

/// Both, one behind the other: in place if `first` is not shared and there is room, for a head may come byte by byte.
/// Room grows by a quarter: doubled, it would be half empty where it is largest.
fn joined(first: Bytes, second: &[u8]) -> Bytes {
    let mut all = BytesMut::from(first);
    let length = all.len() + second.len();
    if length > all.capacity() {
        let mut larger = BytesMut::with_capacity(length + length / 4);
        larger.extend_from_slice(&all);
        all = larger;
    }
    all.extend_from_slice(second);
    all.freeze()
}
