//! Closing in stages (RFC 9112 §9.6).
//!
//! A socket that is closed while bytes lie in it unread is reset, and the reset destroys what the client has not read
//! yet: the very response that says why. So the end is said first, what comes is dropped for a while, and then it is
//! closed.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite as _;

use super::error::ServeError;
use super::limits::ClientLimits;
use crate::net::{Hangup, Stream};

/// Connections of one worker that may linger at a time. That is some 12 MiB, and 250 clients a second that do not
/// leave.
const MOST: usize = 512;

thread_local! {
    /// A worker's connections stay on its thread.
    static LINGERING: Cell<usize> = const { Cell::new(0) };
}

/// A connection on which everything has been said.
#[derive(Debug)]
pub(in crate::http) struct Linger {
    /// Bytes that may still be dropped. Behind them nothing is read, and the client is only waited for: what it does
    /// not get rid of makes it look at its response.
    left: u64,
    said: bool,
    hangup: Option<Hangup>,
    _place: LingerPlace,
}

/// One of [`MOST`].
#[derive(Debug)]
struct LingerPlace;

impl LingerPlace {
    fn take() -> Option<Self> {
        LINGERING.with(|count| {
            (count.get() < MOST).then(|| {
                count.set(count.get() + 1);
                Self
            })
        })
    }
}

impl Drop for LingerPlace {
    fn drop(&mut self) {
        // At the end of a thread there may be no count any more.
        _ = LINGERING.try_with(|count| count.set(count.get().saturating_sub(1)));
    }
}

impl Linger {
    /// Drops up to `bytes`; none if too many connections of this worker do already.
    pub(in crate::http) fn begin(bytes: u64) -> Option<Self> {
        Some(Self { left: bytes, said: false, hangup: None, _place: LingerPlace::take()? })
    }

    /// Says the end, and is ready once the client has said its own, or has gone. The caller has the clock.
    pub(in crate::http) fn poll(&mut self, cx: &mut Context<'_>, stream: &mut Stream) -> Poll<()> {
        if !self.said {
            // Under TLS that is a close_notify, then as without the end of the direction.
            if ready!(Pin::new(&mut *stream).poll_shutdown(cx)).is_err() {
                return Poll::Ready(());
            }
            self.said = true;
        }
        while self.left > 0 {
            let most = usize::try_from(self.left).unwrap_or(usize::MAX);
            match ready!(stream.poll_discard(cx, most)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(dropped) => self.left = self.left.saturating_sub(dropped as u64),
            }
        }
        if self.hangup.is_none() {
            self.hangup = Hangup::of(stream).ok();
        }
        match &self.hangup {
            Some(hangup) => hangup.poll(cx, None).map(|_ended| ()),
            None => Poll::Ready(()),
        }
    }
}

/// Closes `stream`, on which everything has been said, in stages.
///
/// # Errors
/// [`ServeError::Crowded`] if it was closed at once.
pub async fn linger(mut stream: Stream, limits: &ClientLimits) -> Result<(), ServeError> {
    let mut linger = Linger::begin(limits.linger_bytes).ok_or(ServeError::Crowded)?;
    _ = tokio::time::timeout(limits.linger, poll_fn(|cx| linger.poll(cx, &mut stream))).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back() {
        let taken: Vec<_> = (0..MOST).map_while(|_| Linger::begin(1)).collect();
        assert_eq!(taken.len(), MOST);
        assert!(Linger::begin(1).is_none(), "one too many");

        drop(taken);

        assert!(Linger::begin(1).is_some());
    }
}
