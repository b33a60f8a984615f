//! From Apache's directives to a draft of our configuration.
//!
//! ```text
//! Tree ──▶ sites (names, addresses) ──▶ listeners
//!            └─▶ flow: rules in Apache's order ──▶ routes, clusters ──▶ layout: hosts, listeners ──▶ Draft
//! ```

mod access;
mod admission;
mod balancers;
mod clusters;
mod conditions;
mod error_documents;
mod error_pages;
mod flags;
mod flow;
mod goal;
mod headers;
mod health;
mod hidden;
mod layout;
mod listeners;
mod lists;
mod locations;
mod mapping;
mod members;
mod networks;
mod options;
mod overlay;
mod path;
mod pattern;
mod remote_ip;
mod reverse;
mod rewrite;
mod routes;
mod rule;
mod scope;
mod shape;
mod sites;
mod to_tls;
mod upgrades;
mod upstream;
mod worker;

#[cfg(test)]
mod tests;

use super::draft::Draft;
use super::report::Report;
use super::tree::Tree;
use balancers::Balancers;
use clusters::KnownClusters;
pub use options::ImportOptions;
use routes::RouteMaker;
use scope::ScopeSettings;
use upstream::ProxySections;

/// Translates a configuration of Apache; what is not simply carried over goes to `report`.
pub fn translate(tree: &Tree, options: ImportOptions, report: &mut Report) -> Draft {
    let sites = sites::read(tree, report);
    let front = remote_ip::read(&sites, report);
    let mut plans = listeners::plan(&sites, report);
    let mut draft = Draft::default();
    let mut clusters = KnownClusters::default();
    let mut one_for_all = true;
    let mut served = Vec::with_capacity(sites.sites.len());
    for site in &sites.sites {
        let scopes: Vec<&ScopeSettings<'_>> =
            if site.is_main { vec![&sites.main] } else { vec![&sites.main, &site.scope] };
        let balancers = Balancers::read(&scopes, report);
        let rules = flow::rules(site, &sites.main, &balancers, report);
        let files: Vec<_> = site.scope.files.iter().chain(&sites.main.files).copied().collect();
        let documents = scopes.iter().flat_map(|scope| &scope.error_documents);
        let in_locations = rules.iter().flat_map(|rule| &rule.layers.error_documents);
        let pages = error_pages::files(documents.chain(in_locations), &rules, &files, report);
        one_for_all &= rules.iter().all(|rule| rule.layers.error_documents.is_empty());
        let knows_addresses = front.are_known;
        let proxies = ProxySections::read(&scopes, report);
        let maker =
            RouteMaker { options, site, scopes, balancers: &balancers, proxies: &proxies, pages, knows_addresses };
        let (mut routes, mut kept) = (Vec::with_capacity(rules.len()), Vec::with_capacity(rules.len()));
        for rule in rules {
            for route in maker.routes(&rule, &mut clusters, report) {
                routes.push(route);
                kept.push(rule.clone());
            }
        }
        let rules = kept;
        reverse::tell(&maker.scopes, &rules, &mut routes, &balancers, report);
        served.push(layout::ServedSite { rules, routes });
    }
    draft.trusted = front.trusted;
    draft.clusters = clusters.into_list();
    draft.routes = layout::routes(&sites, served, &mut plans, draft.trusted.is_empty(), report);
    if one_for_all {
        draft.error_pages = error_pages::common(&mut draft.routes);
    }
    draft.listeners = plans.into_iter().map(|plan| plan.draft).collect();
    layout::prune(&mut draft);
    draft
}
