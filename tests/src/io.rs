//! Streams of every kind behind one type.

use std::fmt::Debug;

use tokio::io::{AsyncRead, AsyncWrite};

/// A connection: TCP, unix socket or TLS over one.
pub trait Io: AsyncRead + AsyncWrite + Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Debug + Send + Unpin> Io for T {}

/// Any [`Io`].
pub type BoxedIo = Box<dyn Io>;
