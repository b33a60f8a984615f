//! API, metrics exposition, who may call.
