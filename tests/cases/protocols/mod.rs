//! Which protocols can stand on either side of the gateway, and what passes between them.

mod harness;
