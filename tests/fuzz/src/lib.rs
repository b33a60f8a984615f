//! What the fuzz targets do with their bytes; and every seed of theirs as an ordinary test.

pub mod answers;
pub mod configuration;
pub mod differ;
pub mod forwarded;
pub mod frames;
pub mod framing;
pub mod import;
pub mod load;
mod pieces;
pub mod reports;
pub mod responses;

#[cfg(test)]
mod tests;
