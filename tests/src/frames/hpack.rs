//! As much of HPACK as tests need (RFC 7541).

/// A header block of these fields, byte for byte: each a literal without indexing, with a new name and without Huffman
/// code.
#[must_use]
pub fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| literal(0x00, name.as_ref(), value.as_ref())).collect()
}

/// A literal field with a new name: `form` 0x00 without indexing, 0x40 with, 0x10 never (RFC 7541 §6.2).
#[must_use]
pub fn literal(form: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[form][..], &length(name), name, &length(value), value].concat()
}

/// The header block of a GET for `path` on `gateway.test`, to be used or added to.
#[must_use]
pub fn request(path: &str) -> Vec<u8> {
    block(&[(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "gateway.test")])
}

/// The status in the header block of a response: it comes first, and is no entry of the dynamic table, as
/// [`super::Frames::client`] sees to. None if it is not there, as in trailers.
#[must_use]
pub fn status(block: &[u8]) -> Option<u16> {
    // RFC 7541, Appendix A: 8 to 14.
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    // A change of the size of the table, which comes before all fields.
    let block = match block {
        [0x20..=0x3e, rest @ ..] | [0x3f, _, rest @ ..] => rest,
        all => all,
    };
    match block {
        [indexed @ 0x88..=0x8e, ..] => Some(INDEXED[usize::from(indexed - 0x88)]),
        [0x08 | 0x18 | 0x48, 3, digits @ ..] => std::str::from_utf8(digits.get(..3)?).ok()?.parse().ok(),
        [0x08 | 0x18 | 0x48, huffman @ 0x80..=0xff, rest @ ..] => digits(rest.get(..usize::from(huffman & 0x7f))?),
        _ => None,
    }
}

/// Three digits in Huffman code: 0 to 2 are the codes of five bits that are these numbers, 3 to 9 those of six bits that
/// follow 0b011000 (RFC 7541, Appendix B).
fn digits(bytes: &[u8]) -> Option<u16> {
    let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| u16::from(byte >> bit & 1)));
    let mut take =
        |count, from: u16| -> Option<u16> { (0..count).try_fold(from, |all, _| Some(all << 1 | bits.next()?)) };
    (0..3).try_fold(0, |number, _| {
        let digit = match take(5, 0)? {
            digit @ 0..=2 => digit,
            five => (take(1, five)?).checked_sub(0b01_1000).map(|above| above + 2)?,
        };
        Some(number * 10 + digit)
    })
}

/// A length as an integer with a prefix of seven bits (RFC 7541 §5.1).
fn length(text: &[u8]) -> Vec<u8> {
    let Some(mut above) = text.len().checked_sub(127) else { return vec![u8::try_from(text.len()).unwrap()] };
    let mut bytes = vec![127];
    while above >= 128 {
        bytes.push(u8::try_from(above % 128).unwrap() | 128);
        above /= 128;
    }
    bytes.push(u8::try_from(above).unwrap());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_in_each_of_its_forms() {
        assert_eq!(status(&[0x88]), Some(200));
        assert_eq!(status(b"\x08\x03302"), Some(302));
        // RFC 7541, C.6.1: 302 in Huffman code.
        assert_eq!(status(&[0x48, 0x82, 0x64, 0x02]), Some(302));
        // RFC 7541, C.6.2: 307.
        assert_eq!(status(&[0x20, 0x48, 0x83, 0x64, 0x0e, 0xff]), Some(307));
        assert_eq!(status(b"\0\x01a\x01b"), None);
    }

    #[test]
    fn long_values_have_long_lengths() {
        assert_eq!(literal(0, b"a", &[b'b'; 126])[3..5], [126, b'b']);
        assert_eq!(literal(0, b"a", &[b'b'; 127])[3..6], [127, 0, b'b']);
        assert_eq!(literal(0, b"a", &[b'b'; 127 + 128])[3..7], [127, 0x80, 0x01, b'b']);
    }
}
