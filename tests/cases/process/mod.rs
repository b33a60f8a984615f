//! The real binary: what it says, how it ends.

mod access;
mod check;
mod stop;
