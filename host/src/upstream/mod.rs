//! Dialling, pooling, TLS to endpoints.
