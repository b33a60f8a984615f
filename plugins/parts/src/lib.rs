//! What several of the shipped balancers are made of: whose turn it is, who holds least, chance, names.
//!
//! No plugin itself, and it knows nothing of the contract: everything in here is plain Rust over numbers.

mod chance;
mod hash;
mod names;
mod turns;

pub use chance::{Dice, Wheel};
pub use hash::{mix, text_hash};
pub use names::Names;
pub use turns::{Load, Turns};
