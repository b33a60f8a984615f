//! Which requests a route takes, who may make them, and where clients are sent.

mod access;
mod conditions;
mod forged;
mod forward_auth;
mod redirects;
mod schemes;
mod to_tls;
