//! Which path is sent where: the vectors that were observed on Apache 2.4.71, and what this plugin adds.

use super::*;

#[test]
fn prefixes_map_as_in_apache() {
    let table: &[(&[&str], &[Sent])] = &[
        (
            &["/foo /bar"],
            &[
                ("/foo", Some("/bar")),
                ("/foo/", Some("/bar/")),
                ("/foo/x", Some("/bar/x")),
                ("/foobar", None),
                ("/Foo", None),
                ("/%66oo/x", Some("/bar/x")),
                ("/foo?x=1", Some("/bar?x=1")),
                ("/foo/a?", Some("/bar/a?")),
                ("/foo/a%20b;c=d?%zz", Some("/bar/a%20b;c=d?%zz")),
                ("/foo/a%2Fb%2f", Some("/bar/a%2Fb%2f")),
                ("/foo%2fx", None),
                // Apache merges these slashes; here the rest travels byte for byte.
                ("//foo//x", Some("/bar//x")),
            ],
        ),
        (&["/ /"], &[("//x", Some("//x")), ("//", Some("//")), ("///", Some("///")), ("//x//y?a", Some("//x//y?a"))]),
        (&["/ /base/"], &[("/x", Some("/base/x")), ("//x", Some("/base//x")), ("/", Some("/base/"))]),
        (&["/both/ /bar/"], &[("/both//x", Some("/bar//x")), ("//both/x", Some("/bar/x"))]),
        (&["/sl/ /"], &[("/sl//x", Some("//x")), ("/sl/", Some("/"))]),
        (&["/sl/ /bar"], &[("/sl", None), ("/sl/", Some("/bar")), ("/sl/barx", Some("/barbarx"))]),
        (&["/ns /bar/"], &[("/ns", Some("/bar/")), ("/ns/", Some("/bar//")), ("/ns/x", Some("/bar//x"))]),
        (&["/both/ /bar/"], &[("/both", None), ("/both/x", Some("/bar/x"))]),
        (&["/a /first", "/a/b /second"], &[("/a/b", Some("/first/b"))]),
        (&["/x//y /dbl"], &[("/x/y", Some("/dbl")), ("/x/////y/z", Some("/dbl/z"))]),
        (&["/ex/i !", "/ex/ /EX/"], &[("/ex/i/z", None), ("/ex/j", Some("/EX/j")), ("/%65x/%69/z", None)]),
        (&["/w4 -"], &[("/w4", Some("/")), ("/w4/a", Some("/a")), ("/w4?q", Some("/?q"))]),
        (&["/ -"], &[("/", Some("/")), ("/a/b", Some("/a/b"))]),
        (&["/ /"], &[("/", Some("/")), ("/a/b?q", Some("/a/b?q"))]),
        (&["/websocket /websocket"], &[("/websocket", Some("/websocket")), ("/websocket/a", Some("/websocket/a"))]),
    ];

    for (lines, requests) in table {
        let rules = listed(lines);
        for (uri, expected) in *requests {
            assert_eq!(sent(&rules, uri).as_deref(), *expected, "{lines:?} {uri}");
        }
    }
}

#[test]
fn patterns_map_as_in_apache() {
    let table: &[(&[&str], &[Sent])] = &[
        (&["~^/m1/(.*)$ /mm/$1"], &[("/m1/q/r?s=1", Some("/mm/q/r?s=1")), ("/x/m1/q", None)]),
        (&[r"~^/m2/.*\.gif$ -"], &[("/m2/p/x.gif?q=1", Some("/m2/p/x.gif?q=1"))]),
        (&[r"~^/m2/.*\.gif$ /pre"], &[("/m2/p/x.gif?q=1", Some("/pre/m2/p/x.gif?q=1"))]),
        (&["~^/m3/ !", "/m3/z /b"], &[("/m3/z", None)]),
        (&["~^/til/([a-z]+) /T/$1"], &[("/til/abc/def", Some("/T/abc"))]),
        (&["~^/rw/(.*)$ /RW/$1"], &[("/rw/a%20b?q=1", Some("/RW/a%20b?q=1"))]),
        (&["~^/q/(.*)$ /x?id=$1"], &[("/q/7?a=b", Some("/x?id=7&a=b"))]),
        (&["~^/private !", "/ -"], &[("/%70rivate", None), ("//private", None), ("/public", Some("/public"))]),
    ];

    for (lines, requests) in table {
        let rules = listed(lines);
        for (uri, expected) in *requests {
            assert_eq!(sent(&rules, uri).as_deref(), *expected, "{lines:?} {uri}");
        }
    }
}

#[test]
fn groups_are_those_of_the_form_that_matched() {
    let rules = listed(&["~^/m/(.*)$ /$1"]);

    assert_eq!(sent(&rules, "/%6d//a").as_deref(), Some("/a"), "the normal form where the raw one does not match");
    assert_eq!(sent(&rules, "/m//a").as_deref(), Some("//a"), "raw bytes where they match");
}

#[test]
fn an_unchanged_path_is_not_sent_again() {
    let rules = listed(&["/z /z", "/same /same"]);

    let decision = rules.decide(&request("/same/a?b"));

    assert_eq!(decision, Decision::Forward(Target { cluster: 0, path: None, route: Some(1) }));
}

#[test]
fn a_thousand_rules_are_told_apart() {
    let lines: Vec<String> = (0..1000).map(|n| format!("/tenant{n}/x /t{n}")).collect();
    let rules = listed(&lines.iter().map(String::as_str).collect::<Vec<_>>());

    assert_eq!(sent(&rules, "/tenant999/x/y").as_deref(), Some("/t999/y"));
    assert_eq!(sent(&rules, "/tenant1000/x"), None);
}
