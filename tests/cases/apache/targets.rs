//! The request line that an endpoint sees, for targets as browsers, curl and old applications send them.

use tidegate_tests::{BoxedIo, Gateway, Origin, Raw};

use super::httpd::{self, Httpd};
use crate::running::plain;

/// Both send on the same of it, or refuse it.
const SAME: &[&[u8]] = &[
    b"/a|b",
    b"/a{b}",
    b"/a[0]",
    b"/a^b`c",
    b"/a\"b<c>",
    b"/a\\b",
    b"/something's;x=1,y/~user@h:1/$!*()+=&",
    b"/a%5Cb%20c%25",
    b"/caf\xc3\xa9",
    b"/caf\xe9\xff",
    b"/?q=a|b[0]{}^`\\",
    b"/?config={\"a\":\"<1>\"}",
    b"/?q=caf\xc3\xa9",
    b"/?q=%zz&%&100%",
    b"/?a?b/../c",
    b"http://gateway.test/a\"b?<",
    b"http://gateway.test",
    b"http://gateway.test?x",
    b"/a b",
    b"/?a b",
    b"/a\tb",
    b"/?\x01",
    b"/\x7f",
    b"/?\x7f",
    b"/a#b",
    b"/?a#b",
    b"relative",
    b"*",
    b"/a%zz",
    b"/../a",
];

/// The same, ours, and Apache's.
const DIFFERENT: &[(&[u8], &str, &str)] = &[
    (b"/?q=caf\xe9", "/?q=caf%E9", r"/?q=caf\xe9"),
    (b"/%7Euser/%41", "/%7Euser/%41", "/~user/A"),
    (b"/a//b", "/a//b", "/a/b"),
];

#[tokio::test]
async fn an_endpoint_sees_the_target_that_it_would_see_behind_apache() {
    let Some(apache) = httpd::found() else { return };
    let origin = Origin::raw(|mut raw| async move {
        while let Some(head) = raw.read_head_bytes().await {
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default().escape_ascii().to_string();
            let length = line.len();
            raw.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{line}").as_bytes()).await;
        }
    })
    .start()
    .await;
    let here = origin.address().to_string();
    let apache = Httpd::start(apache, &format!("ProxyPass / http://{here}/\n")).await;
    let gateway = Gateway::before(&origin).await;

    for target in SAME {
        let theirs = ask(plain(apache.address()).await, target).await;
        let ours = ask(gateway.connect().await, target).await;

        assert_eq!(ours, theirs, "of {}: ours, and Apache's", target.escape_ascii());
    }
    for (target, ours, theirs) in DIFFERENT {
        let apaches = ask(plain(apache.address()).await, target).await;
        let found = ask(gateway.connect().await, target).await;

        assert_eq!(found.as_deref(), Ok(*ours), "of {}", target.escape_ascii());
        assert_eq!(
            apaches.as_deref(),
            Ok(*theirs),
            "Apache's of {}, or the documentation is out of date",
            target.escape_ascii()
        );
    }
}

/// The target that the endpoint saw, or the status of a refusal.
async fn ask(io: BoxedIo, target: &[u8]) -> Result<String, u16> {
    let mut raw = Raw::new(io);
    raw.write(&[b"GET ", target, b" HTTP/1.1\r\nHost: gateway.test\r\n\r\n"].concat()).await;
    let head = raw.read_head().await.expect("an answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    if status != 200 {
        return Err(status);
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let line = String::from_utf8(raw.read(length.expect("a length")).await).expect("text");
    Ok(line.strip_prefix("GET ").and_then(|line| line.strip_suffix(" HTTP/1.1")).expect("a request line").to_owned())
}
