//! What looks at the bytes of a tunnel as they pass.

use std::borrow::Cow;

/// Follows one direction of a tunnel. It sees every byte once, in order, before it goes out.
pub trait Inspector: Default + Unpin + Send {
    /// How the protocol is ended in the middle of a conversation; none where only the two sides know.
    const CLOSE: Option<CloseMessages>;

    /// Whether it takes messages out that answer the gateway: [`Self::sift`] is called in place of [`Self::pass`] then.
    const SIFTS: bool = false;

    /// Takes note of bytes that pass.
    fn pass(&mut self, bytes: &[u8]);

    /// Takes note of bytes up to the next boundary, and returns how many those were: all of them if it is further on.
    fn pass_to_boundary(&mut self, bytes: &[u8]) -> usize;

    /// Whether a message of the gateway's own may go out now.
    fn at_boundary(&self) -> bool;

    /// Whether a message has begun to pass behind which nothing may follow.
    fn is_closed(&self) -> bool;

    /// Whether that message has passed to its end.
    fn is_over(&self) -> bool;

    /// Takes note of bytes that came, and returns those that pass. What answers the gateway does not, nor does, until more
    /// is known, what may be the begin of an answer.
    fn sift<'b>(&mut self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        self.pass(bytes);
        Cow::Borrowed(bytes)
    }

    /// Gives back what has been held by that, for nothing more comes: it passes.
    fn release(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Whether anything has been sifted since it was asked for last.
    fn take_heard(&mut self) -> bool {
        false
    }
}

/// What the gateway says to each side when it ends a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseMessages {
    /// To the client.
    pub to_client: &'static [u8],
    /// To the endpoint.
    pub to_endpoint: &'static [u8],
}

/// Looks at nothing: bytes of a protocol that is not known here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opaque;

impl Inspector for Opaque {
    const CLOSE: Option<CloseMessages> = None;

    fn pass(&mut self, _bytes: &[u8]) {}

    fn pass_to_boundary(&mut self, bytes: &[u8]) -> usize {
        bytes.len()
    }

    fn at_boundary(&self) -> bool {
        false
    }

    fn is_closed(&self) -> bool {
        false
    }

    fn is_over(&self) -> bool {
        false
    }
}
