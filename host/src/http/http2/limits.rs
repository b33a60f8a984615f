//! What the library may hold of one connection, beside its windows.

/// Bytes that the library may spend on the bookkeeping of small pieces which nobody has read, at 256 for each piece: more
/// than 32,000 of them. It reads all that has come before any stream's task runs, so this must hold what a connection full
/// of tunnels sends in a burst of short messages; a share of the window, as the library has it by default, is soon used up
/// where few streams are allowed.
pub const SMALL_PIECES: usize = 8 * 1024 * 1024;
