//! Tracing, metrics, access log.
