//! Files by their paths: what is read, what is appended to, what is replaced as a whole.
//!
//! A path can name anything: a FIFO without a reader or writer at its other end, a device without an end, forty
//! gigabytes of nothing. Nothing in here waits for another process, and nothing reads beyond a limit.

mod append;
mod read;
mod replace;

pub use append::append;
pub use read::{Irregular, ReadError, is_regular, limit, open, read, read_text};
pub use replace::replace;
