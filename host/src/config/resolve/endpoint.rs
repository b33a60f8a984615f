//! An endpoint of which nothing is said but its URL.

use std::path::Path;

use super::super::model::{EndpointConfig, EndpointState};
use super::url::{self, EndpointUrl, UrlFault};
use super::{defaults, membership};

/// The endpoint at `text`, with all defaults. For those who read no configuration file.
pub(crate) fn endpoint_from(text: &str, base: &Path) -> Result<EndpointConfig, UrlFault> {
    url::parse(text, base).map(|url| endpoint_at(&url, true))
}

/// An endpoint with all defaults. With `based`, the URL's path stands before every path sent there.
pub(super) fn endpoint_at(url: &EndpointUrl, based: bool) -> EndpointConfig {
    let base_path = if based { url.path.trim_end_matches('/').to_owned() } else { String::new() };
    let discover = membership::usual(url);
    EndpointConfig {
        url: format!("{}{base_path}", url.origin),
        address: url.address.clone(),
        tls: url.tls,
        authority: membership::authority(url, discover),
        base_path,
        weight: defaults::WEIGHT,
        group: 0,
        route: None,
        redirect: None,
        state: EndpointState::Ready,
        labels: Vec::new(),
        max_connections: None,
        ignore_errors: false,
        discover,
        found_by: None,
    }
}
