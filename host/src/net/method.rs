//! Methods of requests.

use ::http::Method;

/// Whether a request with this method may be repeated (RFC 9110 §9.2.2).
///
/// Not [`Method::is_idempotent`], which takes in more methods with each version (QUERY with 1.5): these are documented.
#[must_use]
pub fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_methods_of_the_list_are_repeated() {
        for name in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"] {
            assert!(is_idempotent(&name.parse().unwrap()), "{name}");
        }
        for name in ["POST", "PATCH", "CONNECT", "QUERY", "PROPFIND", "get"] {
            assert!(!is_idempotent(&name.parse().unwrap()), "{name}");
        }
    }
}
