//! A caller of the admin API.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::{Answer, Http, within};

/// Where the admin server of a gateway is.
#[derive(Clone, Copy, Debug)]
pub struct Admin(SocketAddr);

impl Admin {
    /// Starts the admin server of `gateway`.
    ///
    /// # Panics
    /// If its configuration has no `[admin]`.
    #[must_use]
    pub fn of(gateway: &tidegate::gateway::Gateway) -> Self {
        gateway.start_admin();
        Self(gateway.admin_address().expect("an [admin] section"))
    }

    /// The admin server at `address`, of a gateway in another process.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self(address)
    }

    /// One call with a document, as operators send it.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.exactly(method, path, &[("content-type", "application/json")], body.as_bytes()).await
    }

    /// One call with these fields.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn exactly(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", self.0.to_string());
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let stream = within("a connection", TcpStream::connect(self.0)).await.unwrap();
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
        Http::new(Box::new(stream)).await.send(request).await
    }

    /// What a call is answered, which must be 2xx.
    ///
    /// # Panics
    /// If it is not.
    pub async fn good(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(method, path, body).await;
        assert!(answer.status.is_success(), "{method} {path} {body}: {} {}", answer.status, answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }
}
