//! Header blocks: RFC 9113 §4.3, RFC 7541.

use tidegate_tests::frames::{Frame, flag, literal, request};

use super::Expected::{Goaway, Response};
use super::{COMPRESSION_ERROR, Check, PROTOCOL_ERROR, get_and, get_on};

/// `user-agent` and `x-test` in Huffman code, with their lengths.
const USER_AGENT: &[u8] = b"\x87\xb5\x05\xb1\x61\xcc\x5a\x93";
const X_TEST: &[u8] = b"\x85\xf2\xb2\x4a\x84\xff";
/// `h2spec` likewise.
const VALUE: &[u8] = b"\x84\x9c\x48\xac\xa4";

fn huffman(form: u8, name: &[u8]) -> Vec<u8> {
    get_and(&[&[form], name, VALUE].concat())
}

pub(super) const CHECKS: &[Check] = &[
    Check {
        section: "6.1 of RFC 7541",
        what: "an indexed field",
        frames: || vec![get_and(&[0x80 | 58])],
        expected: Response(1, 200),
    },
    Check {
        section: "6.2.1 of RFC 7541",
        what: "a literal that is indexed",
        frames: || vec![get_and(&literal(0x40, b"x-test", b"a"))],
        expected: Response(1, 200),
    },
    Check {
        section: "6.2.1 of RFC 7541",
        what: "a literal that is indexed, with an indexed name",
        frames: || vec![get_and(&[0x40 | 58, 1, b'a'])],
        expected: Response(1, 200),
    },
    Check {
        section: "6.2.1 of RFC 7541",
        what: "a literal that is indexed, in Huffman code",
        frames: || vec![huffman(0x40, USER_AGENT)],
        expected: Response(1, 200),
    },
    Check {
        section: "6.2.1 of RFC 7541",
        what: "an entry of the dynamic table",
        frames: || vec![get_and(&[&literal(0x40, b"x-test", b"a")[..], &[0x80 | 62]].concat())],
        expected: Response(1, 200),
    },
    Check {
        section: "6.2.2 of RFC 7541",
        what: "a literal that is not indexed",
        frames: || vec![get_and(&literal(0, b"x-test", b"a"))],
        expected: Response(1, 200),
    },
    Check {
        section: "6.2.2 of RFC 7541",
        what: "a literal that is not indexed, with an indexed name",
        frames: || vec![get_and(&[0x0f, 58 - 15, 1, b'a'])],
        expected: Response(1, 200),
    },
    Check {
        section: "6.2.2 of RFC 7541",
        what: "a literal that is not indexed, in Huffman code",
        frames: || vec![huffman(0, X_TEST)],
        expected: Response(1, 200),
    },
    Check {
        section: "6.2.3 of RFC 7541",
        what: "a literal that is never indexed",
        frames: || vec![get_and(&literal(0x10, b"x-test", b"a"))],
        expected: Response(1, 200),
    },
    Check {
        section: "6.2.3 of RFC 7541",
        what: "a literal that is never indexed, with an indexed name",
        frames: || vec![get_and(&[0x1f, 58 - 15, 1, b'a'])],
        expected: Response(1, 200),
    },
    Check {
        section: "6.2.3 of RFC 7541",
        what: "a literal that is never indexed, in Huffman code",
        frames: || vec![huffman(0x10, X_TEST)],
        expected: Response(1, 200),
    },
    Check {
        section: "6.3 of RFC 7541",
        what: "a smaller dynamic table",
        frames: || vec![Frame::headers(1, [&[0x20][..], &request("/")].concat()).ending().bytes()],
        expected: Response(1, 200),
    },
    Check {
        section: "4.2 of RFC 7541",
        what: "two changes of the dynamic table's size",
        frames: || vec![Frame::headers(1, [&[0x20, 0x3f, 0xe1, 0x1f][..], &request("/")].concat()).ending().bytes()],
        expected: Response(1, 200),
    },
    Check {
        section: "4.3",
        what: "a header block that ends within a field",
        frames: || vec![get_and(b"\x40\x01")],
        expected: Goaway(COMPRESSION_ERROR),
    },
    Check {
        section: "4.3",
        what: "PRIORITY in the middle of a header block",
        frames: || {
            vec![
                Frame::headers(1, request("/")).ending().without(flag::END_HEADERS).bytes(),
                Frame::priority(1, 0).bytes(),
                Frame::continuation(1, []).bytes(),
            ]
        },
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "4.3",
        what: "HEADERS of another stream in the middle of a header block",
        frames: || {
            let begun = Frame::headers(1, request("/")).ending().without(flag::END_HEADERS);
            vec![begun.bytes(), get_on(3), Frame::continuation(1, []).bytes()]
        },
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "2.3.3 of RFC 7541",
        what: "an index that is in no table",
        frames: || vec![get_and(&[0x80 | 70])],
        expected: Goaway(COMPRESSION_ERROR),
    },
    Check {
        section: "2.3.3 of RFC 7541",
        what: "the index of a name that is in no table",
        frames: || vec![get_and(&[0x7f, 7, 1, b'a'])],
        expected: Goaway(COMPRESSION_ERROR),
    },
    Check {
        section: "4.2 of RFC 7541",
        what: "a change of the dynamic table's size after a field",
        frames: || vec![get_and(&[0x20])],
        expected: Goaway(COMPRESSION_ERROR),
    },
    Check {
        section: "5.2 of RFC 7541",
        what: "Huffman code with padding of more than 7 bits",
        frames: || vec![get_and(b"\x00\x86\xf2\xb2\x4a\x84\xff\xff\x01a")],
        expected: Goaway(COMPRESSION_ERROR),
    },
    Check {
        section: "5.2 of RFC 7541",
        what: "Huffman code padded with zeros",
        frames: || vec![get_and(b"\x00\x85\xf2\xb2\x4a\x87\x60\x01a")],
        expected: Goaway(COMPRESSION_ERROR),
    },
    Check {
        section: "5.2 of RFC 7541",
        what: "Huffman code with EOS",
        frames: || vec![get_and(b"\x00\x88\xf2\xb2\x4a\x84\xff\xff\xff\xff\x01a")],
        expected: Goaway(COMPRESSION_ERROR),
    },
    Check {
        section: "6.1 of RFC 7541",
        what: "the index 0",
        frames: || vec![get_and(&[0x80])],
        expected: Goaway(COMPRESSION_ERROR),
    },
    Check {
        section: "6.3 of RFC 7541",
        what: "a dynamic table larger than SETTINGS_HEADER_TABLE_SIZE",
        frames: || vec![Frame::headers(1, [&[0x3f, 0xe1, 0xff, 0x03][..], &request("/")].concat()).ending().bytes()],
        expected: Goaway(COMPRESSION_ERROR),
    },
    Check {
        section: "5.1 of RFC 7541",
        what: "an integer without end",
        frames: || vec![get_and(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])],
        expected: Goaway(COMPRESSION_ERROR),
    },
];
