//! The whole file, section by section.

use std::path::Path;

use super::super::model::Config;
use super::super::schema::ConfigFile;
use super::{AbsentFiles, Resolver, roles};
use crate::diagnose::FaultReport;

/// Resolves the whole file; faults go to the report. With faults, what is returned is incomplete.
pub(crate) fn resolve(
    mut file: ConfigFile,
    source: &Path,
    absent: AbsentFiles,
    report: &mut FaultReport<'_>,
) -> Config {
    let base = source.parent().unwrap_or(Path::new("")).to_owned();
    let mut resolver = Resolver { report, base, absent, values: std::mem::take(&mut file.values) };
    let gateway = resolver.gateway(&file.gateway);
    let log = resolver.log(&file.log);
    let listeners = resolver.listeners(&file.listen);
    let admin = resolver.admin(file.admin.as_ref(), &listeners);
    let heartbeat = resolver.heartbeat(file.heartbeat.as_ref());
    let plugins = resolver.plugins(&file.plugin);
    let mut clusters = resolver.clusters(&file.cluster, &gateway.timeouts, &plugins);
    let routes = resolver.routes(&file.route, &gateway, &mut clusters, &plugins);
    resolver.unreached(&file, &gateway, &listeners, &routes);
    resolver.loops(&file, &listeners, &clusters);
    let router = resolver.router(&file.router, &routes, &plugins);
    let rewriter = resolver.rewriter(&file.rewriter, &routes, &clusters, &plugins);
    resolver.rewriters_of_routes(&file, &rewriter, &plugins);
    resolver.unreported(&file, &clusters);
    let reverse = resolver.reverse(&rewriter, &routes, &clusters, &plugins);
    let mapped = roles::mapped(reverse.as_ref().unwrap_or(&rewriter), &routes, &clusters);
    resolver.ways_back_without_effect(&file, &routes, &clusters);
    resolver.edits_without_effect(&file, &gateway, &listeners, &router);
    resolver.unused(&file, &routes, &clusters, [&router, &rewriter]);
    Config {
        source: source.to_owned(),
        gateway,
        listeners,
        routes: routes.into_iter().map(|route| route.used).collect(),
        router,
        rewriter,
        reverse,
        clusters: clusters.into_iter().map(|cluster| cluster.used).collect(),
        mapped,
        plugins,
        heartbeat,
        admin,
        log,
        warnings: Vec::new(),
    }
}
