//! Which requests a route takes, and where clients are sent.

mod conditions;
mod redirects;
mod schemes;
mod to_tls;
