//! What is said to a question, as far as it is compared.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::questions::{How, Question};

/// How long a connection and each read of it may take.
const WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a response that are looked at.
const MOST: u64 = 128 << 10;

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    /// Of the status line.
    pub(super) status: u16,
    /// Of the last Location.
    pub(super) location: Option<String>,
    /// Names of the cookies that are set.
    pub(super) cookies: BTreeSet<String>,
    /// What was switched to.
    pub(super) upgrade: Option<String>,
    /// The beginning of its body, if it is one of success.
    pub(super) body: Vec<u8>,
}

/// Asks `to`, on a connection of its own.
pub(super) fn ask(to: SocketAddr, question: &Question) -> io::Result<Answered> {
    let mut stream = TcpStream::connect_timeout(&to, WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    stream.write_all(question.wire().as_bytes())?;
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    while (bytes.len() as u64) < MOST {
        let read = match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            // Behind a head, what has come is enough.
            Err(_) if head_end(&bytes).is_some() => break,
            Err(error) => return Err(error),
        };
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        // A tunnel has no end, and a refused handshake leaves its connection open.
        if question.how != How::Get && head_end(&bytes).is_some() {
            break;
        }
    }
    parse(&bytes, question.how)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no response of HTTP/1.1"))
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|end| end == b"\r\n\r\n")
}

fn parse(bytes: &[u8], how: How) -> Option<Answered> {
    let end = head_end(bytes)?;
    let head = String::from_utf8_lossy(bytes.get(..end)?);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let (mut location, mut cookies, mut upgrade) = (None, BTreeSet::new(), None);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "location" => location = Some(value.to_owned()),
            "set-cookie" => drop(cookies.insert(value.split('=').next().unwrap_or_default().to_owned())),
            "upgrade" if status == 101 => upgrade = Some(value.to_ascii_lowercase()),
            _ => {}
        }
    }
    let is_compared = how == How::Get && status == 200;
    let body = if is_compared { bytes.get(end.saturating_add(4)..).unwrap_or_default().to_vec() } else { Vec::new() };
    Some(Answered { status, location, cookies, upgrade, body })
}

impl Answered {
    /// What is different in `own`, in words; the body left out.
    pub(super) fn differences(&self, own: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if as_seen(self.status) != as_seen(own.status) {
            differences.push(format!("the status is {} from Apache, {} here", self.status, own.status));
        }
        let shown =
            |value: &Option<String>| value.as_ref().map_or_else(|| "none".to_owned(), |value| format!("`{value}`"));
        for (what, theirs, own) in
            [("Location", &self.location, &own.location), ("Upgrade", &self.upgrade, &own.upgrade)]
        {
            if theirs != own {
                differences.push(format!("{what} is {} from Apache, {} here", shown(theirs), shown(own)));
            }
        }
        if self.cookies != own.cookies {
            let listed = |cookies: &BTreeSet<String>| cookies.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            differences.push(format!(
                "cookies are [{}] from Apache, [{}] here",
                listed(&self.cookies),
                listed(&own.cookies)
            ));
        }
        differences
    }
}

/// A server that is not there is 503 to Apache where it may be 502 here: what is compared is that it is not there.
fn as_seen(status: u16) -> u16 {
    if (502..=504).contains(&status) { 502 } else { status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_different_is_said() {
        let theirs = parse(b"HTTP/1.1 302 Found\r\nLocation: /a\r\nSet-Cookie: A=1; Path=/\r\n\r\n", How::Get).unwrap();
        let own = parse(b"HTTP/1.1 301 Moved\r\nlocation: /b\r\nset-cookie: B=1\r\n\r\n", How::Get).unwrap();

        assert_eq!(
            theirs.differences(&own),
            [
                "the status is 302 from Apache, 301 here",
                "Location is `/a` from Apache, `/b` here",
                "cookies are [A] from Apache, [B] here",
            ]
        );
        assert_eq!(theirs.differences(&theirs), Vec::<String>::new());
    }

    #[test]
    fn a_server_that_is_not_there_is_the_same_by_each_name() {
        let status = |status: &str| parse(format!("HTTP/1.1 {status} x\r\n\r\n").as_bytes(), How::Get).unwrap();

        assert!(status("503").differences(&status("502")).is_empty());
        assert!(!status("503").differences(&status("500")).is_empty());
    }

    #[test]
    fn what_is_no_response_is_none() {
        for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 2\xc3\xa9 \r\n\r\n"] {
            assert_eq!(parse(bytes, How::Get), None);
        }
    }
}
