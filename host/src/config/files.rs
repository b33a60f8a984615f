//! Which files a configuration depends on.

use std::path::PathBuf;

use super::model::{CertificateFiles, Config};

impl Config {
    /// Every file whose change changes what is served: the configuration, certificates, keys, CA files, error pages,
    /// files of passwords, plugins and their secrets. A plugin's table is not: another one changes no generation.
    /// Each once, as configured (relative ones joined to the folder of the configuration). The admin token is not among
    /// them: it is read anew for each call.
    #[must_use]
    pub fn watched_files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.source.clone()];
        let pair = |files: &mut Vec<PathBuf>, pair: &CertificateFiles| {
            files.extend([pair.certificate.clone(), pair.key.clone()]);
        };
        for tls in self.listeners.iter().filter_map(|listener| listener.tls.as_ref()) {
            pair(&mut files, &tls.default);
            tls.by_name.iter().for_each(|named| pair(&mut files, &named.certificate));
            let asked = tls.client_ca.iter().chain(tls.by_name.iter().flat_map(|named| &named.client_ca));
            files.extend(asked.map(|(ca, _)| ca.clone()));
        }
        for cluster in &self.clusters {
            cluster.tls.identity.iter().for_each(|identity| pair(&mut files, identity));
            files.extend(cluster.tls.ca.clone());
        }
        files.extend(self.plugins.values().map(|plugin| plugin.file.clone()));
        files.extend(self.plugins.values().flat_map(|plugin| plugin.secrets.values().cloned()));
        files.extend(self.password_files().cloned());
        let of_routes = self.routes.iter().map(|route| &route.error_pages);
        let pages = of_routes.chain([&self.gateway.error_pages]).flat_map(|pages| &pages.pages);
        files.extend(pages.map(|page| page.file.clone()));
        files.sort();
        files.dedup();
        files
    }
    /// The files that `basic_auth` names; some more than once.
    pub(crate) fn password_files(&self) -> impl Iterator<Item = &PathBuf> {
        self.routes.iter().filter_map(|route| route.access.basic.as_ref()?.file.as_ref())
    }
}
