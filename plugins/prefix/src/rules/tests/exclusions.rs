//! What must not get past an exclusion, or out of the folder that it is mapped to.

use super::*;

#[test]
fn an_exclusion_cannot_be_dodged_with_another_separator() {
    let rules = listed(&["/private !", "~^/in/[a-z]+/x !", "/dir/ !", "/private%2fy /never", "/ -"]);

    for uri in [
        "/private%2fx",
        "/private%5Cx",
        r"/private\x",
        "/%2fprivate%2F%2fx",
        "/%70rivate%2fx",
        "/in%2Fa%5cx",
        "/dir%2f",
        "/private%2fy",
        "/private;x/y",
        "/private;a=b",
        "/;/private/x",
        "/;a/;b/private;c/x;d",
        "/private%3bx/y",
        "/%70rivate%3Bx",
        "/private;a%2fb",
        "/in;a/a;b/x;c",
        "/dir;x/",
        "/dir;a//;b",
        // Parameters that hold a separator, for who cuts before decoding and for who decodes before cutting.
        "/;a%2fb/private%2fx",
        "/;a%2fb%5cc/private%5cx;d",
        "/;%5Ca%2fprivate",
    ] {
        assert_eq!(sent(&rules, uri), None, "{uri}");
    }
    for uri in
        ["/privatex%2f", "/a%2fprivate/x", "/dir", "/private2%2fx", "/privat;e", "/a;/private", "/dir;x", "/x;/private"]
    {
        assert_eq!(sent(&rules, uri).as_deref(), Some(uri), "other paths go on byte for byte");
    }
}

#[test]
fn patterns_of_exclusions_see_what_servers_may_see() {
    let rules = listed(&[
        r"~^/\[x\]$ !",
        "~^/my docs(/|$) !",
        "~^/café !",
        "~^/q%3Fr$ !",
        "~^/secret(/|$) !",
        "~^/a/b$ !",
        "~^/s/[^/]+/del$ !",
        r"~\.php$ !",
        "~^/old -",
        "/ -",
    ]);

    for uri in [
        "/[x]",
        "/%5Bx%5D",
        "/%5bx]",
        "/[x];v=1",
        "/my%20docs",
        "/my%20docs;x/y",
        "/caf%C3%A9/x",
        "/caf%c3%a9",
        "/q%3fr",
        "/%71%3Fr;x",
        "/secret;x=1/y",
        "/secret%3B",
        "/;/secret",
        "/a%2fb",
        "/a;x%5cb",
        "/%61;x/b;y",
        "/s/a%5cb%2fdel",
        "/s/a%3bb%2fdel",
        "/s%2fa%2fdel;%2f",
        "/s/a;b%2fc/d%65l;e",
        "/x%3ba.php;y",
        "/x%2fy%3ba.ph%70;y%2f",
    ] {
        assert_eq!(sent(&rules, uri), None, "{uri}");
    }
    for uri in ["/x%5Bx%5D", "/my", "/cafe", "/secrets;x", "/a%252fb"] {
        assert_eq!(sent(&rules, uri).as_deref(), Some(uri), "other paths go on byte for byte");
    }
    let plain = listed(&["~^/old/x -", r"~^/\[x\] -"]);
    assert_eq!(sent(&plain, "/old;v=1/x"), None, "a route that sends somewhere takes the path as it is");
    assert_eq!(sent(&plain, "/%5Bx%5D"), None, "a route that sends somewhere takes the path as it is");
}

#[test]
fn groups_make_no_dot_segments() {
    let rules = listed(&["~^/v1(.*)$ /api/$1", "~^/v2/(.*)-(.*)$ /b/$1$2?of=$2", "~^/own(.*)$ /./x/$1", "/ -"]);

    for uri in [
        "/v1../private",
        "/v1..",
        "/v1./x",
        "/v1%2e%2E/x",
        "/v1..;a/x",
        "/v1.%2e%3ba",
        "/v1..%2fx",
        "/v1..%5cx",
        r"/v1.\x",
        "/v2/.-./x",
        "/v2/a/-../x",
        "/v2/%2e-.",
    ] {
        assert!(matches!(rules.decide(&request(uri)), Decision::Respond(response) if response.status == 400), "{uri}");
    }
    for (uri, expected) in [
        ("/v1/x", "/api//x"),
        ("/v1...", "/api/..."),
        ("/v1..a/.b?c=/../d", "/api/..a/.b?c=/../d"),
        ("/v2/a-b/.c", "/b/ab/.c?of=b/.c"),
        ("/own/x", "/./x//x"),
    ] {
        assert_eq!(sent(&rules, uri).as_deref(), Some(expected), "{uri}");
    }
}
