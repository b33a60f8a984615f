//! Endpoints that answer what they must not, and routes that lead back here.

mod answers;
mod loops;
mod reasons;
mod uploads;

use tidegate_tests::{Origin, OriginSetup, Raw};

/// An origin whose answer to a path is what `answer` says, byte for byte. To `/next` it says `next`.
fn scripted(answer: impl Fn(&str) -> Script + Clone + Send + Sync + 'static) -> OriginSetup {
    Origin::raw(move |mut raw| {
        let answer = answer.clone();
        async move {
            while let Some(head) = raw.read_head().await {
                let target = head.split(' ').nth(1).unwrap_or_default();
                let Script { bytes, closes } = if target == "/next" { Script::open(NEXT) } else { answer(target) };
                raw.write(&bytes).await;
                if closes {
                    return;
                }
            }
        }
    })
}

const NEXT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext";

/// What an origin writes.
#[derive(Clone, Debug)]
struct Script {
    bytes: Vec<u8>,
    /// Whether it closes then.
    closes: bool,
}

impl Script {
    fn open(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), closes: false }
    }

    fn closing(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), closes: true }
    }
}

/// Asks for a target.
async fn ask(raw: &mut Raw, method: &str, target: &str) {
    raw.write(format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await;
}
