//! bybusyness.
