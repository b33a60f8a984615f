//! A connection as bytes, for either end of it.

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Answer;
use crate::{BoxedIo, within};

/// A connection that is read and written by hand.
#[derive(Debug)]
pub struct Raw {
    io: BoxedIo,
    /// Read already, not asked for yet.
    early: Vec<u8>,
}

impl Raw {
    /// Over `io`.
    #[must_use]
    pub fn new(io: BoxedIo) -> Self {
        Self { io, early: Vec::new() }
    }

    /// Sends bytes. That the other side may be gone already is for what is read next to tell.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _gone = self.try_write(bytes).await;
    }

    /// The same; whether the other side was still there.
    pub async fn try_write(&mut self, bytes: &[u8]) -> bool {
        let written = within("a write", async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        });
        written.await.is_ok()
    }

    /// Ends the direction away from us.
    pub async fn finish(&mut self) {
        let _gone = within("a half-close", self.io.shutdown()).await;
    }

    /// The text up to and with the next empty line; none if the connection ends before.
    pub async fn read_head(&mut self) -> Option<String> {
        let head = self.read_head_bytes().await?;
        Some(String::from_utf8_lossy(&head).into_owned())
    }

    /// The same, as bytes.
    pub async fn read_head_bytes(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.early.windows(4).position(|window| window == b"\r\n\r\n") {
                return Some(self.early.drain(..at + 4).collect());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Exactly so many bytes; fewer if the connection ends before.
    pub async fn read(&mut self, count: usize) -> Vec<u8> {
        while self.early.len() < count && self.more().await {}
        self.early.drain(..count.min(self.early.len())).collect()
    }

    /// What is there, as soon as something is; empty at the end of the connection.
    pub async fn read_some(&mut self) -> Vec<u8> {
        if self.early.is_empty() {
            self.more().await;
        }
        std::mem::take(&mut self.early)
    }

    /// The same; an error if the connection has broken off.
    ///
    /// # Errors
    /// What the system says.
    pub async fn try_read_some(&mut self) -> std::io::Result<Vec<u8>> {
        if self.early.is_empty() {
            let mut bytes = vec![0; 16 * 1024];
            let count = within("bytes", self.io.read(&mut bytes)).await?;
            bytes.truncate(count);
            return Ok(bytes);
        }
        Ok(std::mem::take(&mut self.early))
    }

    /// Everything up to the end of the connection.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.early)
    }

    /// Whether the connection ends now, without another byte, in the way that its protocol has for it: under TLS with a
    /// close_notify, else with a FIN.
    pub async fn ends_properly(&mut self) -> bool {
        self.early.is_empty() && matches!(within("the end", self.io.read(&mut [0])).await, Ok(0))
    }

    /// The next response, its body framed by a length or by chunks; none if the connection ends before its head.
    ///
    /// # Panics
    /// If it is no response.
    pub async fn read_answer(&mut self) -> Option<Answer> {
        let head = self.read_head().await?;
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap_or_else(|| panic!("{head:?}"));
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let name: HeaderName = name.parse().unwrap_or_else(|_| panic!("{head:?}"));
            headers.append(name, HeaderValue::from_str(value.trim()).unwrap());
        }
        let status = StatusCode::from_bytes(status.as_bytes()).unwrap_or_else(|_| panic!("{head:?}"));
        let length = headers.get("content-length").map(|value| value.to_str().unwrap().parse().unwrap());
        let mut trailers = HeaderMap::new();
        let body = match length {
            Some(length) => self.read(length).await,
            None if headers.contains_key("transfer-encoding") => self.read_chunks(&mut trailers).await,
            None => Vec::new(),
        };
        Some(Answer { status, headers, body: body.into(), trailers, interim: Vec::new() })
    }

    async fn read_chunks(&mut self, trailers: &mut HeaderMap) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.read_line().await;
            let Ok(size) = usize::from_str_radix(line.trim(), 16) else { return body };
            if size == 0 {
                break;
            }
            body.extend(self.read(size).await);
            self.read_line().await;
        }
        loop {
            let line = self.read_line().await;
            let Some((name, value)) = line.trim_end().split_once(':') else { return body };
            let name: HeaderName = name.parse().unwrap_or_else(|_| panic!("{line:?}"));
            trailers.append(name, HeaderValue::from_str(value.trim()).unwrap());
        }
    }

    async fn read_line(&mut self) -> String {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            match self.read(1).await[..] {
                [byte] => line.push(byte),
                _ => break,
            }
        }
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Reads what is there; false at the end, however it came.
    async fn more(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        match within("bytes", self.io.read(&mut bytes)).await {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.early.extend_from_slice(&bytes[..count]);
                true
            }
        }
    }
}
