//! Who may use a route: clients by their addresses, pages by their origins, and whom those let in that a route asks.
//!
//! ```text
//! admit ─┬─ LetIn ────────────────────────────┬─▶ plugins of the route, endpoint
//!        ├─ Asks ──▶ ask (awaited) ── let in ─┘
//!        └─ Denied     └─ AccessEnd: a response as it is, or a failure
//! ```

mod admit;
mod ask;
mod basic;
mod end;
mod forward;
mod login;
mod rules;

pub(super) use admit::{Admission, admit};
pub(super) use ask::ask;
pub use basic::{BasicAuth, PasswordChecks, PasswordFile, PasswordFileFault};
pub(super) use basic::{LoginFault, UserName};
pub(super) use end::AccessEnd;
pub use forward::ForwardAuth;
pub use rules::AccessRules;
pub(super) use rules::Denied;
