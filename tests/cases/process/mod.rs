//! The real binary: what it says, how it ends.

mod access;
mod admin;
mod cache;
mod check;
mod endings;
mod import;
mod log;
mod stop;
