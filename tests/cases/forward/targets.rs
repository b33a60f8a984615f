//! Targets that RFC 3986 would have escaped, and that curl, browsers and old applications send as they are. What Apache does
//! with them: escaped in a path, as they came in a query.

use tidegate_tests::{Answer, Gateway, Origin};

/// An endpoint that answers each request with its request line.
async fn echo() -> Origin {
    Origin::raw(|mut raw| async move {
        while let Some(head) = raw.read_head_bytes().await {
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let length = line.len();
            raw.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes()).await;
            raw.write(line).await;
        }
    })
    .start()
    .await
}

async fn get(gateway: &Gateway, target: &[u8]) -> Option<Answer> {
    let mut raw = gateway.raw().await;
    raw.write(&[b"GET ", target, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat()).await;
    raw.read_answer().await
}

const ROUTES: &str = r#"
[[route]]
path = "/caf%C3%A9/shut"
to = "!"
[[route]]
path = "/a%22b/shut"
to = "!"
[[route]]
path_regex = '^/by/(.*)$'
to = "http://{raw}/pattern/$1"
[[route]]
path = "/moved"
to = "http://{raw}/base"
[[route]]
path = "/"
to = "http://{raw}"
"#;

#[tokio::test]
async fn what_is_not_escaped_is_in_a_path_and_goes_on_in_a_query() {
    let origin = echo().await;
    let gateway = Gateway::configure(ROUTES).origin(&origin).start().await;
    let table: &[(&[u8], &[u8])] = &[
        (b"/a|b", b"/a%7Cb"),
        (b"/a{b}", b"/a%7Bb%7D"),
        (b"/a[0]", b"/a%5B0%5D"),
        (b"/a^b", b"/a%5Eb"),
        (b"/a`b", b"/a%60b"),
        (b"/a\"b", b"/a%22b"),
        (b"/a<b>", b"/a%3Cb%3E"),
        (b"/a\\b", b"/a%5Cb"),
        (b"/something's.json", b"/something's.json"),
        (b"/%22|%7C%7c", b"/%22%7C%7C%7c"),
        (b"/caf\xc3\xa9", b"/caf%C3%A9"),
        (b"/caf\xe9", b"/caf%E9"),
        (b"/\xff\xfe/\xf0\x9f\x8c\x8a", b"/%FF%FE/%F0%9F%8C%8A"),
        (b"/?q=a|b[0]&c={}^`\\", b"/?q=a|b[0]&c={}^`\\"),
        (b"/?config={\"a\":\"<1>\"}", b"/?config={\"a\":\"<1>\"}"),
        (b"/?q=caf\xc3\xa9&\xf0\x9f\x8c\x8a", b"/?q=caf\xc3\xa9&\xf0\x9f\x8c\x8a"),
        (b"/\"?\"", b"/%22?\""),
        (b"/?q=100%&%zz", b"/?q=100%&%zz"),
        (b"/?a?b", b"/?a?b"),
        (b"/?", b"/?"),
        // Plugins are given text: bytes that are none are escaped (Apache passes them on).
        (b"/?q=caf\xe9\"", b"/?q=caf%E9\""),
        (b"http://h/a\"b?q=\"<\xc3\xa9", b"/a%22b?q=\"<\xc3\xa9"),
        (b"http://h?<", b"/?<"),
        // Decided on as it is passed on, whichever route it takes.
        (b"/moved/a\"b?\"\xc3\xa9", b"/base/a%22b?\"\xc3\xa9"),
        (b"/by/a<b?\"\xc3\xa9", b"/pattern/a%3Cb?\"\xc3\xa9"),
        (b"/x/../moved/\xe9", b"/base/%E9"),
    ];
    for (target, expected) in table {
        let answer = get(&gateway, target).await.unwrap_or_else(|| panic!("no answer to {}", target.escape_ascii()));

        let line = [b"GET ".as_slice(), expected, b" HTTP/1.1"].concat();
        assert_eq!(answer.body.escape_ascii().to_string(), line.escape_ascii().to_string());
    }
    for (target, status) in [
        (&b"/caf\xc3\xa9/shut/x"[..], 404),
        (b"/a\"b/shut", 404),
        (b"/\"%2f..", 400),
        (b"/\"/../..", 400),
        (b"/a#fragment", 400),
        (b"/?a#fragment", 400),
        (b"/<#>", 400),
        (b"http://caf\xc3\xa9/", 400),
    ] {
        let answer = get(&gateway, target).await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{}", target.escape_ascii());
    }
}

/// The head is put together anew, and nothing of what stands before or behind it is lost or moved.
#[tokio::test]
async fn an_escaped_head_keeps_its_place_among_others() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let requests = b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n\
        POST /2\xe9<> HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello\r\n\
        GET /3 HTTP/1.1\r\nHost: h\r\n\r\n\
        POST /4\" HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n5\r\nworld\r\n0\r\n\r\n\
        GET /5` HTTP/1.0\r\nHost: h\r\n\r\n";
    let expected = [("/1", ""), ("/2%E9%3C%3E", "hello"), ("/3", ""), ("/4%22", "world"), ("/5%60", "")];
    for step in [requests.len(), 1, 2, 13, 64] {
        let mut raw = gateway.raw().await;
        for piece in requests.chunks(step) {
            raw.write(piece).await;
        }

        for (target, body) in expected {
            let seen = raw.read_answer().await.unwrap_or_else(|| panic!("no answer to {target}")).seen();
            assert_eq!((seen.target.as_str(), seen.body.as_str()), (target, body), "in pieces of {step}");
        }
    }
}

/// What a client sends behind its handshake is not HTTP, whatever it looks like.
#[tokio::test]
async fn early_bytes_of_a_tunnel_stay_as_they_came() {
    let early: &[u8] = b"\r\n\n\rGET /<\xe9> HTTP/2.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n\x00\xff";
    let origin = Origin::raw(move |mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n").await;
        let got = raw.read(early.len()).await;
        raw.write(&got).await;
    })
    .start()
    .await;
    let text = "[[route]]\npath = \"/\"\nupgrade = [\"any\"]\nto = \"http://{raw}\"\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;
    let handshake = b"GET /\xe9 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n";
    for cut in [0, 1, 5, early.len()] {
        let mut raw = gateway.raw().await;
        raw.write(&[handshake.as_slice(), &early[..cut]].concat()).await;
        raw.write(&early[cut..]).await;

        let head = raw.read_head().await.unwrap();

        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert_eq!(raw.read(early.len()).await.escape_ascii().to_string(), early.escape_ascii().to_string(), "{cut}");
    }
}
