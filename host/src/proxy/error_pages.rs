//! Pages of the operator's in place of sentences of the gateway's.

use std::ops::RangeInclusive;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::{Response, StatusCode};
use bytes::Bytes;

use crate::http::ResponseBody;

/// What is said of the content of a response, and not of what takes its place.
const OF_CONTENT: [HeaderName; 13] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_DISPOSITION,
    header::ACCEPT_RANGES,
    header::ETAG,
    header::LAST_MODIFIED,
    header::TRAILER,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
];

/// Pages, the first of which counts that is for a status.
#[derive(Debug, Default)]
pub struct ErrorPages {
    /// In the order in which they count.
    pub pages: Vec<ErrorPage>,
    /// Whether endpoints' responses show them as well.
    pub intercept: bool,
}

/// One page.
#[derive(Debug)]
pub struct ErrorPage {
    /// What it is for.
    pub statuses: RangeInclusive<u16>,
    /// Its media type.
    pub content_type: HeaderValue,
    /// Its content.
    pub content: Bytes,
}

impl ErrorPages {
    /// The page that is shown for a response of the gateway's own.
    fn page(&self, status: StatusCode) -> Option<&ErrorPage> {
        self.pages.iter().find(|page| page.statuses.contains(&status.as_u16()))
    }

    /// Puts the page into a response of the gateway's own that there is one for.
    pub(super) fn show_in(&self, response: &mut Response<ResponseBody>) {
        if let Some(page) = self.page(response.status()) {
            response.headers_mut().insert(header::CONTENT_TYPE, page.content_type.clone());
            *response.body_mut() = ResponseBody::whole(page.content.clone());
        }
    }

    /// The content to show instead of what an endpoint responded, if there is any; `headers` are then those of it.
    #[cold]
    pub(super) fn instead(&self, status: StatusCode, headers: &mut HeaderMap) -> Option<Bytes> {
        let page = self.page(status).filter(|_| self.intercept)?;
        for name in &OF_CONTENT {
            headers.remove(name);
        }
        headers.insert(header::CONTENT_TYPE, page.content_type.clone());
        Some(page.content.clone())
    }
}
