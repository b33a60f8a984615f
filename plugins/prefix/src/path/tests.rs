use super::*;

type Expected = (&'static [u8], usize);

fn check(separators: Separators, parameters: Parameters, table: &[(&str, &[Expected])]) {
    for (path, expected) in table {
        let segments = Segments::of(path, separators, parameters);
        let found: Vec<_> = segments.map(|segment| (segment.text.into_owned(), segment.end)).collect();
        let expected: Vec<_> = expected.iter().map(|(text, end)| (text.to_vec(), *end)).collect();
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn segments_are_decoded_but_an_escaped_slash_separates_nothing() {
    check(
        Separators::Slash,
        Parameters::Kept,
        &[
            ("/", &[]),
            ("/a;b=c/d", &[(b"a;b=c", 6), (b"d", 8)]),
            ("/a/bc", &[(b"a", 2), (b"bc", 5)]),
            ("//a///b/", &[(b"a", 3), (b"b", 7)]),
            ("/%66oo/x", &[(b"foo", 6), (b"x", 8)]),
            ("/a%2fb", &[(b"a/b", 6)]),
            ("/%zz%4", &[(b"%zz%4", 6)]),
            ("/%c3%a9", &[(&[0xc3, 0xa9], 7)]),
        ],
    );
}

#[test]
fn every_separator_separates_where_exclusions_look() {
    check(
        Separators::Any,
        Parameters::Kept,
        &[
            ("/a%2fb%5Cc\\d", &[(b"a", 2), (b"b", 6), (b"c", 10), (b"d", 12)]),
            ("/%2F\\a/%2f", &[(b"a", 6)]),
            ("/%41%2", &[(b"A%2", 6)]),
        ],
    );
}

#[test]
fn parameters_end_with_their_segment_where_exclusions_look() {
    check(
        Separators::Slash,
        Parameters::CutTo(Separators::Slash),
        &[
            ("/a;b=c/d;", &[(b"a", 6), (b"d", 9)]),
            ("/;/a/;x;y/b", &[(b"a", 4), (b"b", 11)]),
            ("/a%3Bx/%41%3by", &[(b"a", 6), (b"A", 14)]),
            ("/a;b%2fc/d", &[(b"a", 8), (b"d", 10)]),
            ("/a%253bx", &[(b"a%3bx", 8)]),
        ],
    );
    check(Separators::Any, Parameters::CutTo(Separators::Any), &[("/a;b%2fc\\;d", &[(b"a", 4), (b"c", 8)])]);
    check(
        Separators::Any,
        Parameters::CutRaw,
        &[
            ("/a;b%2fc\\;d/e%2ff", &[(b"a", 11), (b"e", 13), (b"f", 17)]),
            ("/a%3bb;c/d%3b", &[(b"a;b", 8), (b"d;", 13)]),
        ],
    );
    check(
        Separators::Any,
        Parameters::CutTo(Separators::Escaped),
        &[("/a;b\\x%2fc\\d", &[(b"a", 6), (b"c", 10), (b"d", 12)])],
    );
}

#[test]
fn normal_form_undoes_what_hides_a_path() {
    let table = [
        ("/admin", None),
        ("//admin", Some("/admin")),
        ("/%61dmin///x", Some("/admin/x")),
        ("/a%20b", None),
        ("/a%2fb%41", Some("/a%2FbA")),
        ("/%3fa%25%62", Some("/%3Fa%25b")),
        ("/caf%c3%a9", Some("/caf%C3%A9")),
        ("/é%7e", Some("/é~")),
        ("/a\\b", None),
    ];

    for (path, expected) in table {
        assert_eq!(Forms::of(path).normal(), expected, "{path}");
    }
}

#[test]
fn readings_show_what_servers_may_see() {
    let table: &[(&str, &[&[u8]])] = &[
        ("/a/b%41", &[]),
        ("//a/b", &[]),
        ("/a%2f%5cb", &[b"/a%2F\\b", b"/a/%5Cb", b"/a/\\b", b"/a/b"]),
        ("/a\\b", &[b"/a/b"]),
        ("/%2fa", &[b"/a"]),
        ("/;/a;x=1/b", &[b"/a/b"]),
        ("/a%20b", &[b"/a b"]),
        ("/%c3%a9", &["/é".as_bytes()]),
        ("/a;b%2fc/d", &[b"/a/d", b"/a;b/c/d", b"/a/c/d"]),
        ("/a;b%2fc/d%2fe", &[b"/a/d%2Fe", b"/a;b/c/d/e", b"/a/d/e", b"/a/c/d/e"]),
        ("/%5Bx%5d%3bq", &[b"/[x];q", b"/%5Bx%5D", b"/[x]"]),
        ("/a%253bx", &[b"/a%3bx"]),
        ("/a%3bb;c", &[b"/a;b", b"/a"]),
    ];

    for (path, expected) in table {
        let forms = Forms::of(path);
        let found: Vec<&[u8]> = forms.readings().iter().map(Vec::as_slice).collect();
        assert_eq!(found, *expected, "{path}");
    }
}

#[test]
fn readings_are_no_more_than_their_kinds() {
    let (ordinary, odd) = (Forms::of("/a%20b;v=1/c"), Forms::of("//%61;b%20%2f%5c;/%20/c\\d;e"));

    assert_eq!(u64::try_from(1 + ordinary.readings().len()).unwrap(), Forms::ORDINARY_FOR_EXCLUSIONS);
    assert!(odd.normal().is_some() && (5..=17).contains(&odd.readings().len()), "{:?}", odd.readings());
}
