//! Rules of servers as routes, with the clusters that they lead to.

use super::super::draft::{ActionDraft, ClientTlsDraft, PathDraft, RouteDraft, RouteOptions, TimeoutsDraft};
use super::super::report::{Report, Severity};
use super::super::tree::Place;
use super::access::{AccessReader, Unsaid};
use super::admission::{ImportedAccess, Limits, admission};
use super::balancers::{self, Balancers, ClusterSetting};
use super::clusters::KnownClusters;
use super::error_pages::{self, PageFiles};
use super::goal::{Goal, GoalPlace};
use super::headers::{self, HeaderLine, HeaderSetting};
use super::networks::{self, Networks};
use super::options::ImportOptions;
use super::path::RulePath;
use super::rule::{RuleEffect, TrafficRule};
use super::scope::ScopeSettings;
use super::sites::Site;
use super::upstream::{self, ProxySections};
use super::worker::duration;

/// Apache's `Timeout` where nothing is said, in milliseconds.
const TIMEOUT: u64 = 60_000;

/// What the routes of one server are made from.
pub(super) struct RouteMaker<'m, 't> {
    pub(super) options: ImportOptions,
    pub(super) site: &'m Site<'t>,
    /// The main server and the site, or the main server alone.
    pub(super) scopes: Vec<&'m ScopeSettings<'t>>,
    pub(super) balancers: &'m Balancers,
    pub(super) proxies: &'m ProxySections<'t>,
    pub(super) pages: PageFiles,
    /// Whether clients have the addresses here that they have in Apache.
    pub(super) knows_addresses: bool,
}

impl RouteMaker<'_, '_> {
    /// The routes of a rule, without hosts and listeners: two where only some of its clients have to log in, none of one that
    /// only kept clients out, where that is not wanted. Clusters that they need are added.
    pub(super) fn routes(
        &self,
        rule: &TrafficRule,
        clusters: &mut KnownClusters,
        report: &mut Report,
    ) -> Vec<RouteDraft> {
        let Some((draft, freed)) = self.route(rule, clusters, report) else { return Vec::new() };
        let Some(first) = freed else { return vec![draft] };
        vec![first, draft]
    }

    /// The route of a rule, and one before it for those who are let in otherwise.
    fn route(
        &self,
        rule: &TrafficRule,
        clusters: &mut KnownClusters,
        report: &mut Report,
    ) -> Option<(RouteDraft, Option<RouteDraft>)> {
        let sections = match &rule.effect {
            RuleEffect::Forward(goal) => self.proxies.about(&[goal]),
            _ => Vec::new(),
        };
        let outer = AccessReader::default();
        let of_sections = sections.iter().fold(outer, |outer, section| section.access.within(&outer));
        let access = admission(&rule.layers.access.within(&of_sections));
        let logs_in = matches!(&access, Some(ImportedAccess::Limited(limits)) if limits.login.is_some());
        let path = match &rule.path {
            RulePath::Prefix(prefix) => PathDraft::Prefix(prefix.clone()),
            RulePath::Pattern { text, .. } => PathDraft::Regex(text.clone()),
        };
        let mut draft = RouteDraft {
            places: rule.places.clone(),
            remarks: rule.remarks.clone(),
            path,
            hosts: rule.hosts.clone(),
            listen: Vec::new(),
            when: rule.when.clone(),
            action: ActionDraft::Exclude,
            options: RouteOptions::default(),
        };
        match &rule.effect {
            RuleEffect::Forward(goal) => self.forward(rule, goal, logs_in, &mut draft, clusters, report),
            RuleEffect::Local { told } if !told => self.local(rule, report),
            RuleEffect::Local { .. } => {}
            RuleEffect::Redirect { to, status } => {
                draft.action = ActionDraft::Redirect { to: to.clone(), status: *status }
            }
            RuleEffect::ToTls { status, host } => {
                let host = host.clone().unwrap_or_else(|| "$host".to_owned());
                let path = match &rule.path {
                    RulePath::Prefix(prefix) if prefix == "/" => String::new(),
                    RulePath::Prefix(prefix) => prefix.replace('$', "$$"),
                    RulePath::Pattern { .. } => "$path".to_owned(),
                };
                draft.action = ActionDraft::Redirect { to: format!("https://{host}{path}"), status: *status };
            }
            RuleEffect::Respond(status) => draft.action = ActionDraft::Respond((*status).clamp(200, 599)),
        }
        let mut freed = None;
        match access {
            Some(ImportedAccess::Denied(place)) => self.deny(&mut draft, place),
            Some(ImportedAccess::Restricted(unsaid)) => self.restrict(rule, &mut draft, unsaid, report)?,
            Some(ImportedAccess::Limited(limits)) => match self.unlimited(rule, &limits) {
                Some(unsaid) => self.restrict(rule, &mut draft, unsaid, report)?,
                None => freed = self.limit(&mut draft, limits, report),
            },
            Some(ImportedAccess::Everybody) | None => {}
        }
        if matches!(draft.action, ActionDraft::Redirect { .. } | ActionDraft::Respond(_)) {
            // What Apache says by itself has the headers of `Header always` alone.
            let lines = self.scopes.iter().flat_map(|scope| &scope.responses).chain(&rule.layers.responses);
            let lines: Vec<HeaderLine> = lines.filter(|line| line.always).cloned().collect();
            draft.options.response_headers = headers::responses(&lines, self.setting(logs_in), report);
        }
        Some((draft, freed))
    }

    fn deny(&self, draft: &mut RouteDraft, place: Place) {
        if matches!(draft.action, ActionDraft::Exclude) {
            return;
        }
        draft.action = ActionDraft::Respond(403);
        draft.options = RouteOptions::default();
        if !draft.places.contains(&place) {
            draft.places.push(place);
        }
    }

    /// Closes a route, unless the user wants such routes open. `None`: there is no other reason for it than to be closed.
    fn restrict(&self, rule: &TrafficRule, draft: &mut RouteDraft, unsaid: Unsaid, report: &mut Report) -> Option<()> {
        let Unsaid { place, what, remedy } = unsaid;
        if self.options.without_access_control {
            let left_out = format!("{what}: left out as asked, the route is open");
            report.add(&place, Severity::Changed, left_out, Some(remedy));
            return (!is_closed(rule)).then_some(());
        }
        if !matches!(draft.action, ActionDraft::Exclude) {
            report.refuse(&place, format!("{what}: the route is closed"), remedy);
            draft.remarks.push(format!("closed: {what}"));
        }
        self.deny(draft, place);
        Some(())
    }

    /// Why a route cannot say these limits.
    fn unlimited(&self, rule: &TrafficRule, limits: &Limits) -> Option<Unsaid> {
        let place = limits.places.first()?.clone();
        let by_address = !limits.networks.is_everybody() || limits.free.is_some();
        if by_address && !self.knows_addresses {
            let what = "who may come is limited by address, and the proxies that say it are not known".to_owned();
            let remedy = "forwarded = { trusted = [ … ] } in [gateway], then `allow` and `deny` on the route";
            return Some(Unsaid { place, what, remedy });
        }
        is_closed(rule).then(|| {
            let path = rule.path.told();
            let what = format!("who may come to {path} is limited, and no route is for these paths alone");
            let remedy = "a route with `path_regex`, `to`, and `allow` or `basic_auth`, before the others";
            Unsaid { place, what, remedy }
        })
    }

    /// Says who may use a route. Where some need no login: the route before it, that is for some of them.
    fn limit(&self, draft: &mut RouteDraft, limits: Limits, report: &mut Report) -> Option<RouteDraft> {
        if matches!(draft.action, ActionDraft::Exclude) {
            return None;
        }
        for place in &limits.local {
            let what = "`Require local` is 127.0.0.0/8 and ::1 here; in Apache it is also who comes from the address that it comes to";
            report.add(
                place,
                Severity::Changed,
                what,
                Some("this machine's own addresses in `allow`, if they are meant"),
            );
        }
        draft.places.extend(limits.places);
        let Some(free) = limits.free else {
            say_networks(draft, &limits.networks);
            draft.options.basic_auth = limits.login;
            return None;
        };
        let mut first = draft.clone();
        // The one before is for those whose networks can be listed.
        match free.listed() {
            Some(list) => {
                first.when.clients = list.iter().map(networks::written).collect();
                say_networks(draft, &limits.networks);
                draft.options.basic_auth = limits.login;
                first.remarks.push("these clients need no login".to_owned());
            }
            None => {
                first.when.clients = free.deny.iter().map(networks::written).collect();
                say_networks(&mut first, &limits.networks);
                first.options.basic_auth = limits.login;
                draft.remarks.push("all other clients need no login".to_owned());
            }
        }
        Some(first)
    }

    /// `!` and Alias.
    fn local(&self, rule: &TrafficRule, report: &mut Report) {
        if let Some(place) = rule.places.first() {
            let what = format!("{} is left to Apache's own files; here it is 404", rule.path.told());
            report.add(place, Severity::Changed, what, Some("route it to a server that has those files"));
        }
    }

    fn forward(
        &self,
        rule: &TrafficRule,
        goal: &Goal,
        logs_in: bool,
        draft: &mut RouteDraft,
        clusters: &mut KnownClusters,
        report: &mut Report,
    ) {
        let place = rule.places.first().cloned().unwrap_or_else(|| self.site.place.clone());
        let sections = self.proxies.about(&[goal]);
        let mut requests: Vec<HeaderLine> =
            self.scopes.iter().flat_map(|scope| scope.requests.iter().cloned()).collect();
        let mut responses: Vec<HeaderLine> =
            self.scopes.iter().flat_map(|scope| scope.responses.iter().cloned()).collect();
        for section in &sections {
            requests.extend(section.requests.iter().cloned());
            responses.extend(section.responses.iter().cloned());
        }
        requests.extend(rule.layers.requests.iter().cloned());
        responses.extend(rule.layers.responses.iter().cloned());
        let issues = issued_cookie(&mut responses);
        let at = self.setting(logs_in);
        draft.options.request_headers = headers::requests(&requests, at, report);
        draft.options.response_headers = headers::responses(&responses, at, report);
        let preserved = self.scopes.iter().rev().find_map(|scope| scope.preserve_host).unwrap_or(false);
        draft.options.preserve_host = rule.layers.preserve_host.unwrap_or(preserved);
        draft.options.upgrade = upgrade(rule);
        let documents = self.scopes.iter().flat_map(|scope| &scope.error_documents);
        let overriding = self.scopes.iter().rev().find_map(|scope| scope.error_override.as_ref());
        draft.options.error_pages = error_pages::of_route(
            documents.chain(&rule.layers.error_documents),
            rule.layers.error_override.as_ref().or(overriding),
            &self.pages,
            report,
        );
        draft.options.timeouts = self.timeouts(rule, goal);
        let unpooled = rule.layers.unpooled || self.scopes.iter().any(|scope| scope.unpooled.is_some());
        let setting = ClusterSetting { issues: issues.as_deref(), unpooled };
        let to = match &goal.at {
            GoalPlace::Balancer(name) => self.balancer(name, goal, setting, &place, clusters, report),
            _ => self.server(rule, goal, setting, draft.options.preserve_host, clusters, report),
        };
        match to {
            Ok(to) => draft.action = ActionDraft::To(to),
            Err(status) => {
                draft.action = ActionDraft::Respond(status);
                draft.options = RouteOptions::default();
                draft.remarks.push(format!("Apache answers {status} here"));
            }
        }
    }

    /// `to` of a route to a balancer, or the status that Apache answers.
    fn balancer(
        &self,
        name: &str,
        goal: &Goal,
        setting: ClusterSetting<'_>,
        place: &Place,
        clusters: &mut KnownClusters,
        report: &mut Report,
    ) -> Result<String, u16> {
        if !self.balancers.has(name) {
            let what = format!("balancer://{name} has no members: Apache answers 503");
            report.refuse(place, what, format!("<Proxy balancer://{name}> with a BalancerMember for each server"));
            return Err(503);
        }
        let Some(mut cluster) = self.balancers.cluster(name, setting, &self.scopes, report) else { return Err(503) };
        let members = self.balancers.members(name);
        if members.iter().any(|member| member.at.is_tls()) {
            let mut about = members.clone();
            about.push(goal);
            let sections = self.proxies.about(&about);
            cluster.tls = Some(upstream::tls(&self.scopes, &sections, place, report).ok_or(500u16)?);
        }
        let name = clusters.keep(cluster);
        Ok(format!("balancer://{name}{}", goal.path))
    }

    /// `to` of a route to one server.
    fn server(
        &self,
        rule: &TrafficRule,
        goal: &Goal,
        setting: ClusterSetting<'_>,
        preserves_host: bool,
        clusters: &mut KnownClusters,
        report: &mut Report,
    ) -> Result<String, u16> {
        let place = rule.places.first().unwrap_or(&self.site.place);
        let mut cluster = balancers::single(goal, place, &rule.worker, setting.unpooled);
        let mut tls = ClientTlsDraft::default();
        if goal.at.is_tls() {
            let sections = self.proxies.about(&[goal]);
            tls = upstream::tls(&self.scopes, &sections, place, report).ok_or(500u16)?;
            // Apache asks for the client's name where it passes it on.
            if preserves_host
                && let [name] = self.site.names.as_slice()
                && !name.starts_with('*')
            {
                tls.server_name = Some(name.clone());
            }
        }
        let plain = tls == ClientTlsDraft::default() && !cluster.http2 && !cluster.unpooled && cluster.wait.is_none();
        if plain && cluster.endpoints.iter().all(|endpoint| endpoint.max_connections.is_none()) {
            return Ok(goal.url());
        }
        if tls != ClientTlsDraft::default() {
            cluster.tls = Some(tls);
        }
        let name = clusters.keep(cluster);
        Ok(format!("balancer://{name}{}", goal.path))
    }

    /// What edits of headers have to know.
    fn setting(&self, logs_in: bool) -> HeaderSetting {
        let port = self.site.addresses.first().map(|address| address.port);
        HeaderSetting { tls: self.site.tls, port, logs_in }
    }

    fn timeouts(&self, rule: &TrafficRule, goal: &Goal) -> TimeoutsDraft {
        let seconds = |pick: fn(&ScopeSettings<'_>) -> Option<u64>| {
            self.scopes.iter().rev().find_map(|scope| pick(scope)).map(|seconds| seconds.saturating_mul(1000))
        };
        let general = seconds(|scope| scope.timeout);
        let own = match &goal.at {
            GoalPlace::Balancer(name) => self.balancers.member_timeout(name),
            _ => rule.worker.millis("timeout", 1000),
        };
        let response = own.or_else(|| seconds(|scope| scope.proxy_timeout)).or(general).filter(|millis| *millis > 0);
        TimeoutsDraft {
            connect: rule.worker.millis("connectiontimeout", 1000).filter(|millis| *millis > 0).map(duration),
            response: response.map(duration),
            tunnel_idle: response.map(|response| duration(response.max(general.unwrap_or(TIMEOUT)))),
        }
    }
}

fn say_networks(draft: &mut RouteDraft, all: &Networks) {
    draft.options.allow = all.allow.iter().flatten().map(networks::written).collect();
    draft.options.deny = all.deny.iter().map(networks::written).collect();
}

/// Whether it stands for a Location whose paths no route is for alone.
fn is_closed(rule: &TrafficRule) -> bool {
    matches!(rule.effect, RuleEffect::Respond(403)) && rule.in_location
}

/// `upgrade=` of the worker.
fn upgrade(rule: &TrafficRule) -> Option<Vec<String>> {
    let written = rule.worker.get("upgrade")?;
    let names: Vec<String> =
        written.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect();
    (names != ["websocket"]).then_some(names)
}

/// The cookie that `Header add Set-Cookie "NAME=.%{BALANCER_WORKER_ROUTE}e; path=/"` gives out; the line is taken out.
fn issued_cookie(lines: &mut Vec<HeaderLine>) -> Option<String> {
    let mut found = None;
    lines.retain(|line| {
        let value = line.value.as_deref().unwrap_or_default();
        let issues = line.name.eq_ignore_ascii_case("set-cookie") && value.contains("BALANCER_WORKER_ROUTE");
        if issues {
            found = value.split_once('=').map(|(name, _rest)| name.trim().to_owned());
        }
        !issues
    });
    found
}
