//! What whoever imports can choose.

/// What whoever imports wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Routes whose access Apache limits stay open. Else they are closed: 403.
    pub without_access_control: bool,
}
