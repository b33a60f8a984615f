//! reverse.
