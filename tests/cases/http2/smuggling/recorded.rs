//! An endpoint that writes down each byte that reaches it, and a reader that guesses nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tidegate_tests::{Origin, OriginSetup, Raw};

/// The bytes of one connection.
type Bytes = Arc<Mutex<Vec<u8>>>;

/// The bytes of each connection to an endpoint.
#[derive(Clone, Default)]
pub(super) struct Recorded(Arc<Mutex<Vec<Bytes>>>);

/// A request as it was written, to its end or not.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) target: String,
    /// Whatever of head and body has come.
    pub(super) text: String,
}

impl Recorded {
    /// An endpoint that says `200` for each message that is whole.
    pub(super) fn endpoint(&self) -> OriginSetup {
        let recorded = self.clone();
        Origin::raw(move |mut raw: Raw| {
            let bytes = Arc::new(Mutex::new(Vec::new()));
            recorded.0.lock().unwrap().push(bytes.clone());
            async move {
                let mut responded = 0;
                loop {
                    let some = raw.read_some().await;
                    if some.is_empty() {
                        return;
                    }
                    bytes.lock().unwrap().extend_from_slice(&some);
                    let whole = messages(&bytes.lock().unwrap()).0.len();
                    for _ in responded..whole {
                        raw.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                    }
                    responded = whole;
                }
            }
        })
    }

    /// Every request that has come, those that have no end included.
    pub(super) fn requests(&self) -> Vec<Written> {
        let connections: Vec<_> = self.0.lock().unwrap().clone();
        let read = |bytes: Arc<Mutex<Vec<u8>>>| {
            let (whole, rest) = messages(&bytes.lock().unwrap());
            whole.into_iter().chain(rest)
        };
        connections.into_iter().flat_map(read).collect()
    }

    /// How often each target was asked for.
    pub(super) fn targets(&self) -> HashMap<String, usize> {
        self.requests().into_iter().fold(HashMap::new(), |mut all, request| {
            *all.entry(request.target).or_default() += 1;
            all
        })
    }
}

/// The messages that are whole, and the one that is not. Whatever the RFCs leave to a reader is not as it should be.
fn messages(mut bytes: &[u8]) -> (Vec<Written>, Option<Written>) {
    let mut whole = Vec::new();
    while !bytes.is_empty() {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return (whole, Some(Written { target: target(&text), text }));
        };
        let (head, rest) = bytes.split_at(end + 4);
        let Some(length) = length(head, rest) else {
            return (whole, Some(Written { target: target(&text), text }));
        };
        let (message, behind) = bytes.split_at(head.len() + length);
        let text = String::from_utf8_lossy(message).into_owned();
        whole.push(Written { target: target(&text), text });
        bytes = behind;
    }
    (whole, None)
}

fn target(text: &str) -> String {
    let line = text.split("\r\n").next().unwrap_or_default();
    let [_method, target, "HTTP/1.1"] = line.split(' ').collect::<Vec<_>>()[..] else {
        panic!("no request line: {line:?}")
    };
    target.to_owned()
}

/// Bytes of the body behind `head`, if all are there.
fn length(head: &[u8], rest: &[u8]) -> Option<usize> {
    let lines: Vec<_> = head[..head.len() - 4].split(|byte| *byte == b'\n').skip(1).collect();
    let mut framing = None;
    for line in lines {
        let text = String::from_utf8_lossy(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (name, value) = text.split_once(':').unwrap_or_else(|| panic!("no field: {text:?}"));
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-0123456789_".contains(&byte)), "{text:?}");
        assert!(line.iter().all(|byte| *byte == b'\t' || *byte >= b' ' && *byte != 0x7f), "{text:?}");
        let value = value.trim_end_matches('\r').strip_prefix(' ').unwrap_or(value);
        assert_eq!(value, value.trim_matches([' ', '\t']), "{text:?}");
        if name == "content-length" || name == "transfer-encoding" {
            assert!(framing.is_none(), "framed twice: {:?}", String::from_utf8_lossy(head));
            framing = Some((name.to_owned(), value.to_owned()));
        }
    }
    match framing {
        None => Some(0),
        Some((name, value)) if name == "content-length" => {
            let length = value.parse().unwrap();
            (rest.len() >= length).then_some(length)
        }
        Some((_, coding)) => {
            assert_eq!(coding, "chunked");
            chunks(rest)
        }
    }
}

/// Bytes of a body in chunks with its trailers, if all are there.
fn chunks(bytes: &[u8]) -> Option<usize> {
    let line = |from: usize| {
        let end = bytes.get(from..)?.windows(2).position(|window| window == b"\r\n")?;
        Some((String::from_utf8(bytes[from..from + end].to_vec()).unwrap(), from + end + 2))
    };
    let mut at = 0;
    loop {
        let (size, data) = line(at)?;
        let size = usize::from_str_radix(&size, 16).unwrap_or_else(|_| panic!("no size: {size:?}"));
        at = data;
        if size == 0 {
            break;
        }
        let behind = at + size + 2;
        assert_eq!(bytes.get(at + size..behind)?, b"\r\n");
        at = behind;
    }
    loop {
        let (text, behind) = line(at)?;
        at = behind;
        if text.is_empty() {
            return Some(at);
        }
        assert!(text.contains(": "), "{text:?}");
    }
}
