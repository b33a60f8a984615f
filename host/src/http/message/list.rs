//! Fields that are lists (RFC 9110 §5.6.1).

use ::http::header::{HeaderMap, HeaderName};

/// Members of the list in field `name`, over all its lines, without the blanks around them; empty ones are left out. As
/// bytes: a member that is no text must not hide the next.
pub fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).iter();
    let members = lines.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// Whether there is a field `name` at all. One pass over the names that are there, which are few, costs less than a
/// search: for what most messages lack.
pub(super) fn is_there(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.keys().any(|there| there == name)
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;
    use ::http::header::CONNECTION;

    use super::*;

    #[test]
    fn members_of_all_lines_are_found_and_empty_ones_left_out() {
        let mut headers = HeaderMap::new();
        for line in [&b"a, b ,,"[..], b"", b" \xff,c\t"] {
            headers.append(CONNECTION, HeaderValue::from_bytes(line).unwrap());
        }

        assert_eq!(list(&headers, &CONNECTION).collect::<Vec<_>>(), [&b"a"[..], b"b", b"\xff", b"c"]);
    }
}
