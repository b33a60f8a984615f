//! Types without a form of their own, in JSON.

use std::time::Duration;

use serde::Serializer;

use crate::plugin::RoleName;

/// Nanoseconds.
pub(super) fn nanoseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// The name.
pub(super) fn role_name<S: Serializer>(role: &RoleName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(role.as_str())
}
