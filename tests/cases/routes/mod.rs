//! Which requests a route takes, and where clients are sent.

mod to_tls;
