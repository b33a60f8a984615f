//! A call of gRPC's health service (`grpc/health/v1/health.proto`), over HTTP/2.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use ::http::header::{self, HeaderMap, HeaderValue};
use ::http::{Method, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use tokio::time::Instant;

use super::http::USER_AGENT;
use super::http2::failure;
use super::result::{CheckFailure, ProbeResponse};
use crate::config::GrpcCheck;
use crate::http::{Fields, RequestBody};
use crate::text;
use crate::upstream::{ExchangeCause, LoneRequest, RequestHead, ResponseContent};

const PATH: &str = "/grpc.health.v1.Health/Check";

/// Bytes in front of a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Bytes of the response that are read; a message of the service has two.
const MOST: usize = 4096;

/// Asks, and judges the response. The connection ends with this.
pub(super) async fn call(
    request: LoneRequest,
    check: &GrpcCheck,
    base_path: &str,
    host: &HeaderValue,
    until: Instant,
    within: Duration,
) -> Result<ProbeResponse, CheckFailure> {
    let target = format!("{base_path}{PATH}");
    let mut fields = Fields::default();
    for (name, value) in [(header::USER_AGENT, USER_AGENT), (header::CONTENT_TYPE, "application/grpc")] {
        fields.push(Cow::Owned(name), Cow::Owned(HeaderValue::from_static(value)));
    }
    let (method, fields) = (&Method::POST, &fields);
    let head = RequestHead { method, target: &target, authority: host, fields, offer: None, expects_continue: false };
    let body = Full::new(message(&check.service)).map_err(|never: Infallible| match never {});
    let body = RequestBody::Boxed { body: Box::pin(body), expects_continue: false };
    let asking = async {
        let sent = request.send_with(head, body, within).await.map_err(|error| failure(error, within))?;
        let (head, content) = sent.into_parts();
        if head.status != StatusCode::OK {
            return Err(CheckFailure::Status(head.status.as_u16()));
        }
        let (body, trailers) = read(content).await?;
        judge(trailers.as_ref().unwrap_or(&head.headers), &body)?;
        Ok(ProbeResponse { headers: head.headers, body: Vec::new() })
    };
    tokio::time::timeout_at(until, asking).await.map_err(|_elapsed| CheckFailure::TimedOut(within))?
}

/// `HealthCheckRequest { service }` in protobuf, with its prefix.
fn message(service: &str) -> Bytes {
    let mut message = Vec::new();
    if !service.is_empty() {
        // Field 1, of bytes.
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        message.push(u8::try_from(length).unwrap_or_default());
        message.extend_from_slice(service.as_bytes());
    }
    let length = u32::try_from(message.len()).unwrap_or_default();
    [&[0], &length.to_be_bytes()[..], &message].concat().into()
}

/// What comes behind a head.
async fn read(content: ResponseContent) -> Result<(Vec<u8>, Option<HeaderMap>), CheckFailure> {
    let (mut body, mut trailers) = (Vec::new(), None);
    match content {
        ResponseContent::Whole(bytes, _) => body.extend_from_slice(&bytes),
        ResponseContent::Stream(mut stream) => {
            while let Some(frame) = stream.frame().await {
                let frame = frame.map_err(|broken| CheckFailure::Exchange(ExchangeCause::Broken(broken)))?;
                match frame.into_data() {
                    Ok(data) if body.len() + data.len() > MOST => return Err(CheckFailure::NotServing("too much")),
                    Ok(data) => body.extend_from_slice(&data),
                    Err(frame) => trailers = frame.into_trailers().ok(),
                }
            }
        }
        ResponseContent::Duplex(..) => {}
    }
    Ok((body, trailers))
}

/// Whether a response with this end says that it serves.
fn judge(end: &HeaderMap, body: &[u8]) -> Result<(), CheckFailure> {
    let field = |name: &str| end.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    match field("grpc-status").as_deref() {
        Some("0") => {}
        Some("12") => {
            let why = "it has no such service (UNIMPLEMENTED): add it there, or use probe = \"tcp\"";
            return Err(CheckFailure::Grpc(why.to_owned()));
        }
        Some("5") => {
            return Err(CheckFailure::Grpc(
                "it does not know the `service` that was asked about (NOT_FOUND)".to_owned(),
            ));
        }
        Some(status) => {
            let said = field("grpc-message").unwrap_or_default();
            return Err(CheckFailure::Grpc(text::shortened(
                &text::printable(&format!("grpc-status {status} {said}")),
                200,
            )));
        }
        None => return Err(CheckFailure::Grpc("it ended without a grpc-status".to_owned())),
    }
    match status(body) {
        Some(1) => Ok(()),
        Some(0) => Err(CheckFailure::NotServing("UNKNOWN")),
        Some(2) => Err(CheckFailure::NotServing("NOT_SERVING")),
        Some(3) => Err(CheckFailure::NotServing("SERVICE_UNKNOWN")),
        _ => Err(CheckFailure::NotServing("what is no grpc.health.v1.HealthCheckResponse")),
    }
}

/// `HealthCheckResponse.status`, field 1; the service says nothing else.
fn status(body: &[u8]) -> Option<u8> {
    match body.split_at_checked(PREFIX)? {
        ([0, 0, 0, 0, 0], []) => Some(0),
        ([0, 0, 0, 0, 2], [0x08, status]) => Some(*status),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_written_and_read_as_protobuf_has_them() {
        assert_eq!(&message("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(&message("ab")[..], [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        let long = message(&"x".repeat(300));
        assert_eq!(&long[..8], [0, 0, 0, 1, 47, 0x0a, 0xac, 2]);
        assert_eq!(long.len(), PREFIX + 3 + 300);

        assert_eq!(status(&[0, 0, 0, 0, 2, 8, 1]), Some(1));
        assert_eq!(status(&[0, 0, 0, 0, 0]), Some(0), "what is not said is zero");
        for other in [&[][..], &[0, 0, 0, 0], &[1, 0, 0, 0, 2, 8, 1], &[0, 0, 0, 0, 2, 8], &[0, 0, 0, 0, 3, 8, 1, 0]] {
            assert_eq!(status(other), None, "{other:?}");
        }
    }
}
