//! A call that was let in, read: who calls which operation, with which query and document.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use ::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use bytes::Buf as _;
use http_body_util::BodyExt as _;
use serde_json::json;

use super::operation::{DocumentRule, Operation, Resource};
use super::reply::{closing, failure, json};
use crate::config::ChangeFault;
use crate::http::ResponseBody;

/// How long a document may take.
const DOCUMENT_TIME: Duration = Duration::from_secs(10);

/// How much longer, for each MiB that it may have.
const TIME_FOR_A_MIB: Duration = Duration::from_secs(1);

/// One call, with all that it brings.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) peer: IpAddr,
    pub(super) method: Method,
    pub(super) operation: &'static Operation,
    /// The cluster or plugin; empty if the path names none.
    pub(super) name: String,
    pub(super) query: Query,
    /// Empty if the operation reads none.
    pub(super) document: Vec<u8>,
}

/// What a query says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) url: Option<String>,
    pub(super) cluster: Option<String>,
}

impl Call {
    /// Reads what `operation` needs of a request; `query` is the one of its target.
    ///
    /// # Errors
    /// The response to a request that cannot be understood.
    pub(super) async fn read<B>(
        peer: IpAddr,
        operation: &'static Operation,
        resource: Resource,
        query: Option<&str>,
        request: Request<B>,
    ) -> Result<Self, Response<ResponseBody>>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let query = match operation.query {
            Some(known) => Query::read(query.unwrap_or_default(), known).map_err(|fault| not_understood(&fault))?,
            None => Query::default(),
        };
        let (head, body) = request.into_parts();
        let document = match operation.document {
            Some(rule) if is_media(rule.media, &head.headers) => read(body, rule.kibibytes).await?,
            Some(DocumentRule { media, what, .. }) => {
                let error = format!("expected {what} with `content-type: {media}`");
                return Err(closing(failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error)));
            }
            None => Vec::new(),
        };
        Ok(Self { peer, method: head.method, operation, name: resource.name, query, document })
    }
}

impl Query {
    /// Reads a query that may have the keys `known`, each once.
    fn read(text: &str, known: &[&str]) -> Result<Self, ChangeFault> {
        let mut query = Self::default();
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            let place = match &*key {
                "url" if known.contains(&"url") => &mut query.url,
                "cluster" if known.contains(&"cluster") => &mut query.cluster,
                _ => {
                    let none = || "leave the query out".to_owned();
                    let hint = if known.is_empty() { none() } else { format!("expected {}", known.join(", ")) };
                    return Err(ChangeFault { message: format!("unknown key `{key}` in the query"), hint: Some(hint) });
                }
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(ChangeFault { message: format!("`{key}` is in the query twice"), hint: None });
            }
        }
        Ok(query)
    }
}

/// The response to a query or document that has a fault.
pub(super) fn not_understood(fault: &ChangeFault) -> Response<ResponseBody> {
    json(StatusCode::BAD_REQUEST, &json!({ "error": fault.message, "hint": fault.hint }))
}

/// Whether the document is said to be `media`, once.
fn is_media(media: &str, headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let said = one.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    said.trim_ascii().eq_ignore_ascii_case(media.as_bytes())
}

/// The whole document, in one piece and once.
async fn read<B>(body: B, kibibytes: usize) -> Result<Vec<u8>, Response<ResponseBody>>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let most = kibibytes.saturating_mul(1024);
    let collect = async {
        let (mut whole, mut body) = (Vec::new(), pin!(body));
        while let Some(frame) = body.as_mut().frame().await {
            let frame = frame.map_err(|error| {
                closing(failure(StatusCode::BAD_REQUEST, &format!("the body breaks off: {}", error.into())))
            })?;
            let Ok(mut data) = frame.into_data() else { continue };
            if data.remaining() > most.saturating_sub(whole.len()) {
                return Err(too_large(kibibytes));
            }
            while data.has_remaining() {
                let piece = data.chunk();
                whole.extend_from_slice(piece);
                let length = piece.len();
                data.advance(length);
            }
        }
        Ok(whole)
    };
    let mebibytes = u32::try_from(kibibytes >> 10).unwrap_or(u32::MAX);
    let late = |_elapsed| closing(failure(StatusCode::REQUEST_TIMEOUT, "the body took too long"));
    tokio::time::timeout(DOCUMENT_TIME + TIME_FOR_A_MIB.saturating_mul(mebibytes), collect).await.map_err(late)?
}

pub(super) fn too_large(kibibytes: usize) -> Response<ResponseBody> {
    closing(failure(StatusCode::PAYLOAD_TOO_LARGE, &format!("a body has at most {kibibytes} KiB here")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_an_endpoint_with_or_without_escapes() {
        for text in ["url=ws://10.0.0.1:8080/a", "url=ws%3A%2F%2F10.0.0.1%3A8080%2Fa"] {
            let read = Query::read(text, &["url"]).ok();

            assert_eq!(read.and_then(|query| query.url).as_deref(), Some("ws://10.0.0.1:8080/a"), "{text}");
        }
        for (text, known) in [("url=a&url=b", &["url"][..]), ("ulr=a", &["url"]), ("url=a", &[])] {
            assert_eq!(not_understood(&Query::read(text, known).unwrap_err()).status(), 400, "{text}");
        }
    }

    #[test]
    fn only_json_is_json() {
        for (value, good) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/plain", false),
            ("text/plain; application/json", false),
            ("application/x-www-form-urlencoded", false),
            ("application/jsonp", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);

            assert_eq!(is_media("application/json", &headers), good, "{value}");
        }
        assert!(!is_media("application/json", &HeaderMap::new()));
    }
}
