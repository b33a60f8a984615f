//! What may stand in a request line.

/// Whether `text` may be sent as path and query. A path is what RFC 3986 §3.3 has, and what servers take beside it; a
/// query goes on as the client sent it, and may hold anything but blanks, control characters and a fragment.
#[must_use]
pub fn is_target(text: &str) -> bool {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let in_path = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'<' | b'>' | b'`');
    let in_query = |byte: u8| byte > b' ' && byte != 0x7f && byte != b'#';
    path.starts_with('/') && path.bytes().all(in_path) && query.bytes().all(in_query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_into_a_request_line_that_would_end_its_target() {
        for good in ["/", "/a/b?c=d&e=%20", "/*", "/a?\"<>`{|}^\\[]", "/?caf\u{e9}", "/?a?b", "/?"] {
            assert!(is_target(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "?a",
            "/a b",
            "/a\r\nHost: x",
            "/a#b",
            "/ä",
            "/\u{7f}",
            "http://x/",
            "/<",
            "/a>b",
            "/`",
            "/?a b",
            "/?\t",
            "/?\n",
            "/?\u{7f}",
            "/?a#b",
            "/?\0",
        ] {
            assert!(!is_target(bad), "{bad:?}");
        }
    }
}
