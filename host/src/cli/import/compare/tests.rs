use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;

/// What stands for Apache: every connection gets `answer`, until nobody asks any more.
fn apache(answer: &'static str) -> RunningApache {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _asked = stream.read(&mut [0; 4096]);
            let _gone = stream.write_all(answer.as_bytes());
        }
    });
    RunningApache { address, authority: address.to_string() }
}

const REDIRECT: &str = "[[listen]]\naddress = \"0.0.0.0:80\"\n[[route]]\npath = \"/\"\nredirect = { to = \
    \"https://a.example/\", status = 301 }\n";

#[test]
fn answers_that_are_the_same_make_no_difference() {
    let apache = apache("HTTP/1.1 410 Gone\r\nConnection: close\r\n\r\n");
    let text = "[[listen]]\naddress = \"0.0.0.0:80\"\n[[route]]\npath_regex = \"^/\"\nrespond = { status = 410 }\n";

    let compared = compare(text, &apache).unwrap();

    assert_eq!((compared.asked, compared.differences), (6, Vec::new()));
}

#[test]
fn answers_that_differ_are_told_by_request() {
    let apache = apache("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");

    let compared = compare(REDIRECT, &apache).unwrap();

    let first = compared.differences.first().unwrap();
    assert!(
        first.starts_with("GET http://127.0.0.1:") && first.ends_with("the status is 200 from Apache, 301 here"),
        "{first}"
    );
}

#[test]
fn what_cannot_be_compared_is_told() {
    let nobody = RunningApache::parse("http://127.0.0.1:1").unwrap();

    assert!(compare("nonsense", &nobody).is_err());
    let refused = compare(REDIRECT, &nobody).unwrap_err();
    assert!(refused.starts_with("127.0.0.1:1 does not answer: "), "{refused}");
    for url in ["127.0.0.1:80", "https://127.0.0.1:443", "http://", "http://no.such.host.invalid:80"] {
        assert!(RunningApache::parse(url).is_err(), "{url}");
    }
    assert_eq!(RunningApache::parse("http://127.0.0.1/").unwrap().address.port(), 80);
}
