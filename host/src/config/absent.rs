//! A configuration on a machine that lacks some of its files.

use std::path::Path;

use super::model::{CertificateFiles, Config};
use crate::files::{limit, open};

impl Config {
    /// Without what is made of files that are not there or may not be read. Those that may not be read are warned of;
    /// that others are not there was said where they are named.
    pub(super) fn without_absent_files(mut self) -> Self {
        let mut unread = Vec::new();
        let mut is_there = |path: &Path| {
            let Err(error) = open(path, limit::ANY) else { return true };
            if path.exists() {
                unread.push(format!(
                    "{}: {} cannot be read: {error}; checked without it",
                    self.source.display(),
                    path.display()
                ));
            }
            false
        };
        for listener in &mut self.listeners {
            if let Some(tls) = &mut listener.tls {
                tls.by_name.retain(|named| pair(&named.certificate, &mut is_there));
            }
            listener.tls.take_if(|tls| !pair(&tls.default, &mut is_there));
        }
        for cluster in &mut self.clusters {
            cluster.tls.identity.take_if(|identity| !pair(identity, &mut is_there));
            cluster.tls.ca.take_if(|ca| !is_there(ca));
        }
        for tls in self.listeners.iter_mut().filter_map(|listener| listener.tls.as_mut()) {
            tls.client_ca.take_if(|(ca, _)| !is_there(ca));
            tls.by_name.iter_mut().for_each(|named| drop(named.client_ca.take_if(|(ca, _)| !is_there(ca))));
        }
        for pages in self.routes.iter_mut().map(|route| &mut route.error_pages).chain([&mut self.gateway.error_pages]) {
            pages.pages.retain(|page| is_there(&page.file));
        }
        // Without its file, a route lets nobody in.
        for basic in self.routes.iter_mut().filter_map(|route| route.access.basic.as_mut()) {
            basic.file.take_if(|file| !is_there(file));
        }
        if let Some(admin) = &mut self.admin {
            admin.token_file.take_if(|token| !is_there(token));
        }
        unread.sort_unstable();
        unread.dedup();
        self.warnings.extend(unread);
        self
    }
}

/// Whether both are there; both are asked for, as each deserves its warning.
fn pair(files: &CertificateFiles, is_there: &mut impl FnMut(&Path) -> bool) -> bool {
    is_there(&files.certificate) & is_there(&files.key)
}
