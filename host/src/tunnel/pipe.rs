//! One direction of a tunnel: its bytes, and what looks at them.

use std::io;
use std::task::{Context, Poll, ready};

use super::inspector::Inspector;
use super::transport::{Flow, Transport};
use crate::net::Duplex;

/// Reads in one turn before other tunnels of the worker get theirs.
const READS_PER_TURN: usize = 16;

/// One direction: what could not be written yet, and where in the protocol it is.
#[derive(Debug)]
pub(super) struct Pipe<I> {
    transport: Transport,
    inspector: I,
    /// The source has sent its closing message, and that is out. What follows all the same is passed on as long as
    /// there is a destination, and is no reason to wait.
    close_seen: bool,
    /// The destination does not take what was read.
    is_blocked: bool,
    /// A closing message of the gateway's own that waits for the message under way to end.
    waiting_close: Option<&'static [u8]>,
}

/// Which of the two sides failed.
#[derive(Debug)]
pub(super) enum PipeError {
    /// Reading.
    Source(io::Error),
    /// Writing.
    Destination(io::Error),
}

/// How far a direction got in one turn: ready at the end of its source, or with who failed.
pub(super) type Moved = Poll<Result<(), PipeError>>;

/// One direction of a tunnel that has been taken apart.
#[derive(Debug)]
pub struct Direction<I> {
    /// Read from the source, and not written to the destination yet. `inspector` has seen it.
    pub unwritten: Vec<u8>,
    /// Where in the protocol it is.
    pub inspector: I,
    /// The source has ended its direction.
    pub source_ended: bool,
    /// The destination has been shut for it.
    pub destination_shut: bool,
}

impl<I: Inspector> Pipe<I> {
    /// A pipe with bytes that were read before it existed.
    pub(super) fn new(early: &[u8]) -> Self {
        let mut inspector = I::default();
        inspector.pass(early);
        let transport = Transport::new(early.to_vec());
        Self { transport, inspector, close_seen: false, is_blocked: false, waiting_close: None }
    }

    /// A pipe that goes on where another was taken apart.
    pub(super) fn from_direction(direction: Direction<I>) -> Self {
        let Direction { unwritten, inspector, source_ended, destination_shut } = direction;
        let mut transport = Transport::new(unwritten);
        transport.source_ended = source_ended;
        transport.flow = match (source_ended, destination_shut) {
            (false, _) => Flow::Open,
            (true, false) => Flow::Ending,
            (true, true) => Flow::Shut,
        };
        Self { transport, inspector, close_seen: false, is_blocked: false, waiting_close: None }
    }

    /// What another pipe needs to go on. A closing message of the gateway's own is lost.
    pub(super) fn into_direction(self) -> Direction<I> {
        let (source_ended, destination_shut) = (self.transport.source_ended, self.transport.flow == Flow::Shut);
        let (unwritten, inspector) = (self.transport.into_pending(), self.inspector);
        Direction { unwritten, inspector, source_ended, destination_shut }
    }

    /// The destination has been shut and the source has ended: nothing is left to do.
    pub(super) fn is_done(&self) -> bool {
        self.transport.flow == Flow::Shut && self.transport.source_ended
    }

    /// The same, or the source has said with a closing message that nothing follows (RFC 6455 §5.5.1), and that is out:
    /// then its end need not be waited for. A closing message of the gateway's own says nothing about the source.
    pub(super) fn is_over(&self) -> bool {
        self.is_done() || self.close_seen
    }

    /// The source is not read: it has ended, or what it sent waits for the destination.
    pub(super) fn leaves_source_unread(&self) -> bool {
        self.transport.source_ended || self.is_blocked
    }

    /// Puts `close` in as soon as no message is under way. True if that was now: the pipe must be polled to send it.
    pub(super) fn put_close(&mut self, close: &'static [u8]) -> bool {
        if self.transport.flow != Flow::Open {
            return false;
        }
        if self.inspector.at_boundary() {
            self.inspector.pass(close);
            self.transport.put(close);
            self.transport.flow = Flow::Closing;
            return true;
        }
        if !self.inspector.is_closed() {
            // The end of the message may come in one read with the next one: only `pass` can tell.
            self.waiting_close.get_or_insert(close);
        }
        false
    }

    /// Whether a closing message, of the gateway or a peer, has been put in: nothing more is to be said in this
    /// direction.
    pub(super) fn has_closed(&self) -> bool {
        self.transport.flow != Flow::Open || self.inspector.is_closed()
    }

    /// Whether its source may be asked whether it is there: it has neither ended nor said that it will.
    pub(super) fn has_source(&self) -> bool {
        self.transport.flow == Flow::Open && !self.inspector.is_closed()
    }

    /// Whether a message of the gateway's own can go out now. Not behind what the destination does not take: it would not
    /// arrive, and what waits keeps the connection in use.
    pub(super) fn takes_message(&self) -> bool {
        self.transport.flow == Flow::Open && self.transport.is_clear() && self.inspector.at_boundary()
    }

    /// Puts a whole message of the gateway's own in, behind which the others go on. The pipe must be polled to send it.
    /// It counts as no byte that was moved.
    pub(super) fn put_message(&mut self, cx: &mut Context<'_>, message: &[u8], destination: &mut Duplex) {
        if self.transport.write(cx, message, destination).is_err() {
            // The destination has gone: the next poll hears it again.
            self.transport.put(message);
        }
    }

    /// Whether anything came from the source since this was asked last, if it [sifts](Inspector::SIFTS).
    pub(super) fn take_heard(&mut self) -> bool {
        self.inspector.take_heard()
    }

    /// What looks at it.
    pub(super) fn inspector_mut(&mut self) -> &mut I {
        &mut self.inspector
    }

    /// Moves bytes through `scratch` until one side has to be waited for. `moved` is called for every byte that reaches
    /// the destination. `last` says that the other direction is over.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Duplex,
        destination: &mut Duplex,
        last: bool,
        scratch: &mut [u8],
        mut moved: impl FnMut(usize),
    ) -> Moved {
        for _ in 0..READS_PER_TURN {
            let drained = self.poll_drain(cx, destination, last, &mut moved);
            self.is_blocked = drained.is_pending();
            ready!(drained).map_err(PipeError::Destination)?;
            if self.transport.source_ended {
                return Poll::Ready(Ok(()));
            }
            let read = ready!(self.transport.poll_read(cx, source, scratch)).map_err(PipeError::Source)?;
            if let Some(bytes) = read {
                self.pass(cx, bytes, destination, &mut moved).map_err(PipeError::Destination)?;
            } else if I::SIFTS && self.transport.flow == Flow::Ending {
                self.transport.put(&self.inspector.release());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Hands fresh bytes on: up to the next boundary if a closing message waits for it.
    fn pass(
        &mut self,
        cx: &mut Context<'_>,
        mut bytes: &[u8],
        destination: &mut Duplex,
        moved: &mut impl FnMut(usize),
    ) -> io::Result<()> {
        if self.transport.flow != Flow::Open {
            return Ok(());
        }
        let close = self.waiting_close.take();
        // While a message of the gateway's own waits, nothing is held: that waits for the end of a frame.
        if I::SIFTS && close.is_none() {
            let passing = self.inspector.sift(bytes);
            if !passing.is_empty() {
                moved(self.transport.write(cx, &passing, destination)?);
            }
            return Ok(());
        }
        if close.is_some() {
            bytes = bytes.split_at(self.inspector.pass_to_boundary(bytes)).0;
        } else {
            self.inspector.pass(bytes);
        }
        moved(self.transport.write(cx, bytes, destination)?);
        if let Some(close) = close {
            _ = self.put_close(close);
        }
        Ok(())
    }

    /// Writes what is pending, flushes, and shuts the destination once everything is out and nothing more comes.
    fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        destination: &mut Duplex,
        last: bool,
        moved: &mut impl FnMut(usize),
    ) -> Poll<io::Result<()>> {
        if self.transport.flow == Flow::Shut {
            return Poll::Ready(Ok(()));
        }
        ready!(self.transport.poll_flush(cx, destination, moved))?;
        if self.transport.flow == Flow::Open {
            self.close_seen |= self.inspector.is_over();
            return Poll::Ready(Ok(()));
        }
        self.transport.poll_shut(cx, destination, last)
    }
}
