//! Asking a server of the operator's who the client of a request is, and whether it may (Traefik's forwardAuth, Caddy's
//! `forward_auth`).

mod rules;

pub use rules::ForwardAuth;
