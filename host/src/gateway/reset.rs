//! Forgetting the failures of endpoints.

use super::generation::Generation;
use crate::cluster::Live;
use crate::config::{ChangeError, Changes};

/// An endpoint whose failures were forgotten.
#[derive(Debug)]
pub(super) struct ResetHealth {
    pub(super) endpoint: String,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

/// Forgets the failures of an endpoint of `generation`, of all addresses of a name, or of all of a cluster.
pub(super) fn reset(
    generation: &Generation,
    cluster: &str,
    url: Option<&str>,
) -> Result<Vec<ResetHealth>, ChangeError> {
    let meant = generation.changes().apply(generation.file()).config;
    let used = &**generation.config();
    let url = url.map(|url| Changes::find(&meant, used, cluster, url)).transpose()?.map(|found| found.url.clone());
    let (Some(prepared), Some(configured)) =
        (generation.cluster(cluster), used.clusters.iter().find(|known| known.name == cluster))
    else {
        let known = used.clusters.iter().map(|known| known.name.clone()).collect();
        return Err(ChangeError::NoCluster { name: cluster.to_owned(), known });
    };
    let health = |live: &Live| live.health(live.now()).as_str();
    let members = configured.endpoints.iter().zip(prepared.cluster.members());
    let wanted = members.filter(|(endpoint, _)| {
        url.as_ref().is_none_or(|url| endpoint.url == *url || endpoint.found_by.as_ref() == Some(url))
    });
    let reset = wanted.map(|(endpoint, member)| {
        let before = health(&member.live);
        member.live.reset(member.live.now());
        ResetHealth { endpoint: endpoint.url.clone(), before, after: health(&member.live) }
    });
    Ok(reset.collect())
}
