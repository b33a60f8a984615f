//! The life of one request: begin → route → balance → connect → forward or tunnel → rewrite → end.
