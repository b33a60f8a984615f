//! `<Proxy balancer://…>`, its members and parameters: clusters.

use std::collections::{BTreeMap, HashMap};

use super::super::draft::{ClusterDraft, EndpointDraft};
use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Node, Place, Section};
use super::goal::{Goal, GoalPlace, balancer_name, goal};
use super::health;
use super::members::{MemberFacts, common, endpoint, method, sticky, timeouts};
use super::scope::ScopeSettings;
use super::worker::{WorkerParameters, duration};

/// Balancers and workers with parameters, as one server knows them.
#[derive(Clone, Debug, Default)]
pub(super) struct Balancers {
    /// By name.
    known: BTreeMap<String, BalancerFacts>,
    /// Balancers with the members of another, by name: one for websockets beside one for the rest.
    twins: BTreeMap<String, String>,
    /// Parameters of servers that a Proxy section or a ProxySet names by URL, by who they are.
    workers: HashMap<String, WorkerParameters>,
}

/// A balancer as written.
#[derive(Clone, Debug, Default)]
pub(super) struct BalancerFacts {
    places: Vec<Place>,
    parameters: WorkerParameters,
    members: Vec<MemberFacts>,
}

/// What else of a server counts for its clusters.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClusterSetting<'s> {
    /// The cookie that its lines give to clients, as `Header add Set-Cookie` does it.
    pub(super) issues: Option<&'s str>,
    pub(super) unpooled: bool,
}

impl Balancers {
    /// Reads those of a server: the main server's first.
    pub(super) fn read(scopes: &[&ScopeSettings<'_>], report: &mut Report) -> Self {
        let mut all = Self::default();
        for scope in scopes {
            for section in &scope.proxies {
                all.section(section, report);
            }
            for line in &scope.members {
                let mut words = line.words.as_slice();
                let target = words.first().map(|word| word.text.as_str()).filter(|word| !word.contains('='));
                if target.is_some() {
                    words = words.get(1..).unwrap_or_default();
                }
                match target {
                    Some(target) if line.is("ProxySet") => all.set(target, words, line, report),
                    Some(target) if is_balancer(target) => all.member(&name_of(target), words, line, report),
                    _ => report.refuse(
                        &line.place,
                        format!("{} outside of a Proxy section names no balancer", line.name),
                        "put it into <Proxy balancer://NAME>",
                    ),
                }
            }
            // Parameters of a balancer may stand where it is used.
            for line in &scope.mappings {
                let Some(at) = line.words.iter().position(|word| is_balancer(&word.text)) else { continue };
                let (Some(target), Some(words)) = (line.word(at), line.words.get(at + 1..)) else { continue };
                if let Some(known) = all.known.get_mut(&name_of(target)) {
                    // What is wrong with them is said where the mapping is read.
                    let _faults = known.parameters.add(words, &line.place);
                }
            }
        }
        all.find_twins(report);
        all
    }

    fn section(&mut self, section: &Section, report: &mut Report) {
        let Some(target) = section.word(0) else { return };
        let parameters = section.words.get(1..).unwrap_or_default();
        if section.is("ProxyMatch") || !target.contains("://") {
            return;
        }
        if is_balancer(target) {
            let name = name_of(target);
            let facts = self.known.entry(name.clone()).or_default();
            facts.places.push(section.place.clone());
            let _faults = facts.parameters.add(parameters, &section.place);
            for line in lines(&section.children) {
                if line.is("BalancerMember") {
                    self.member(&name, &line.words, line, report);
                } else if line.is("ProxySet") {
                    let facts = self.known.entry(name.clone()).or_default();
                    let own = line.words.first().is_none_or(|word| word.text.contains('='));
                    let words = if own { line.words.as_slice() } else { line.words.get(1..).unwrap_or_default() };
                    let _faults = facts.parameters.add(words, &line.place);
                }
            }
            let facts = self.known.entry(name).or_default();
            unknown(&facts.parameters, report);
            refuse_misplaced(&facts.parameters, report);
        } else if let Ok(goal) = goal(target) {
            let mut own = WorkerParameters::default();
            let _faults = own.add(parameters, &section.place);
            for line in lines(&section.children).filter(|line| line.is("ProxySet")) {
                let _faults = own.add(&line.words, &line.place);
            }
            self.worker(&goal, &own);
        }
    }

    fn set(&mut self, target: &str, words: &[super::super::tree::Word], line: &Directive, report: &mut Report) {
        if is_balancer(target) {
            let facts = self.known.entry(name_of(target)).or_default();
            let _faults = facts.parameters.add(words, &line.place);
            refuse_misplaced(&facts.parameters, report);
        } else if let Ok(goal) = goal(target) {
            let mut own = WorkerParameters::default();
            let _faults = own.add(words, &line.place);
            self.worker(&goal, &own);
        }
    }

    fn worker(&mut self, goal: &Goal, own: &WorkerParameters) {
        let known = self.workers.entry(goal.at.key()).or_default();
        *known = known.extended(own);
    }

    fn member(&mut self, name: &str, words: &[super::super::tree::Word], line: &Directive, report: &mut Report) {
        let facts = self.known.entry(name.to_owned()).or_default();
        let Some((first, rest)) = words.split_first() else {
            report.refuse(&line.place, "BalancerMember names no server", "write its URL");
            return;
        };
        let Some(parameters) = super::mapping::parameters(rest, &line.place, report) else { return };
        match goal(&first.text) {
            Ok(goal) if matches!(goal.at, GoalPlace::Balancer(_)) => {
                report.refuse(&line.place, "a balancer is no member of a balancer", "name the servers");
            }
            Ok(goal) => {
                // Apache would put the path behind the slash: `//x`.
                let path = goal.path.trim_end_matches('/').to_owned();
                facts.members.push(MemberFacts { place: line.place.clone(), goal: Goal { path, ..goal }, parameters });
            }
            Err(no) => report.refuse(&line.place, no.what, no.remedy),
        }
    }

    fn find_twins(&mut self, report: &mut Report) {
        let mut firsts: HashMap<Vec<String>, String> = HashMap::new();
        // The one for plain requests keeps its name.
        let order =
            |facts: &BalancerFacts| facts.members.iter().any(|member| member.goal.at.origin().starts_with("ws"));
        let mut names: Vec<_> =
            self.known.iter().map(|(name, facts)| (order(facts), facts.places.clone(), name.clone())).collect();
        names.sort();
        let mut merged = Vec::new();
        for (is_ws, places, name) in names {
            let Some(facts) = self.known.get(&name) else { continue };
            let members: Vec<_> = facts
                .members
                .iter()
                .map(|member| {
                    format!(
                        "{}{} {:?} {:?}",
                        member.goal.at.key(),
                        member.goal.path,
                        member.parameters.get("route"),
                        member.parameters.get("loadfactor")
                    )
                })
                .collect();
            if members.is_empty() {
                continue;
            }
            match firsts.get(&members) {
                Some(first) if is_ws => {
                    if let Some(place) = places.first() {
                        let what = format!(
                            "the same members as balancer://{first}: one cluster, as an upgrade works with each"
                        );
                        report.add(place, Severity::Note, what, None);
                    }
                    merged.push((name.clone(), first.clone()));
                }
                Some(_) => {}
                None => _ = firsts.insert(members, name),
            }
        }
        for (twin, first) in merged {
            if let Some(gone) = self.known.remove(&twin)
                && let Some(kept) = self.known.get_mut(&first)
            {
                kept.parameters = gone.parameters.extended(&kept.parameters);
                kept.places.extend(gone.places);
            }
            self.twins.insert(twin, first);
        }
    }

    /// The goal, with the balancer that stands for its twin.
    pub(super) fn settled(&self, goal: Goal) -> Goal {
        match &goal.at {
            GoalPlace::Balancer(name) => match self.twins.get(name) {
                Some(first) => Goal { at: GoalPlace::Balancer(first.clone()), ..goal },
                None => goal,
            },
            _ => goal,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(|facts| !facts.members.is_empty())
    }

    /// Parameters that stand elsewhere for the server of `goal`.
    pub(super) fn parameters_of(&self, goal: &Goal) -> WorkerParameters {
        self.workers.get(&goal.at.key()).cloned().unwrap_or_default()
    }

    /// The goals of the members of a balancer, for rules about URLs of servers.
    pub(super) fn members(&self, name: &str) -> Vec<&Goal> {
        self.known.get(name).map(|facts| facts.members.iter().map(|member| &member.goal).collect()).unwrap_or_default()
    }

    /// Timeouts of the members, which count for tunnels and requests: what they say, the largest.
    pub(super) fn member_timeout(&self, name: &str) -> Option<u64> {
        self.known.get(name)?.members.iter().filter_map(|member| member.parameters.millis("timeout", 1000)).max()
    }

    /// The cluster of a balancer.
    pub(super) fn cluster(
        &self,
        name: &str,
        at: ClusterSetting<'_>,
        scopes: &[&ScopeSettings<'_>],
        report: &mut Report,
    ) -> Option<ClusterDraft> {
        let facts = self.known.get(name)?;
        let own = &facts.parameters;
        let mut cluster =
            ClusterDraft { name: name.to_owned(), places: facts.places.clone(), ..ClusterDraft::default() };
        if cluster.places.is_empty() {
            cluster.places.extend(facts.members.first().map(|member| member.place.clone()));
        }
        cluster.balancer = Some(method(own, report));
        for member in &facts.members {
            let endpoint = endpoint(member, report);
            if cluster.endpoints.iter().any(|known| known.url == endpoint.url) {
                report.add(
                    &member.place,
                    Severity::Dropped,
                    "the server is a member already, and Apache ignores the parameters of the second line",
                    None,
                );
            } else {
                cluster.endpoints.push(endpoint);
            }
        }
        let members: Vec<_> = facts.members.iter().map(|member| &member.parameters).collect();
        cluster.timeouts = timeouts(&facts.members, report);
        let http2 = |member: &&MemberFacts| member.goal.at.is_http2();
        cluster.http2 = !facts.members.is_empty() && facts.members.iter().all(|member| http2(&member));
        if let Some(member) = facts.members.iter().find(http2).filter(|_member| !cluster.http2) {
            let what = "members speak HTTP/2 and HTTP/1.1, and a cluster speaks one of them: HTTP/1.1 for all";
            report.refuse(&member.place, what, "protocol = \"h2\" in the [cluster], if all of them speak it");
        }
        if let Some(place) = own.place("failontimeout").filter(|_place| own.is_on("failontimeout")) {
            let what = "failontimeout: a response that does not come in time says nothing against its endpoint";
            report.add(place, Severity::Changed, what, Some("`health` or `outlier` of the [cluster]"));
        }
        cluster.unpooled = at.unpooled || members.iter().any(|member| member.is_on("disablereuse"));
        cluster.pause = common(&facts.members, "retry", report).filter(|millis| *millis > 0).map(duration);
        let wait =
            own.millis("timeout", 1000).or_else(|| members.iter().find_map(|member| member.millis("acquire", 1)));
        cluster.wait = wait.map(duration);
        cluster.attempts = own.number("maxattempts").map(|retries| retries.saturating_add(1).clamp(1, 100));
        cluster.force_recovery =
            own.get("forcerecovery").filter(|value| value.eq_ignore_ascii_case("off")).map(|_off| false);
        if let Some(statuses) = own.get("failonstatus") {
            cluster.fail_on = statuses.split([',', ' ']).filter_map(|status| status.parse().ok()).collect();
        }
        cluster.sticky = sticky(own, at.issues, report);
        let expressions: Vec<&Directive> =
            scopes.iter().flat_map(|scope| scope.health_expressions.iter().copied()).collect();
        let checked: Vec<_> = facts.members.iter().map(|member| (&member.place, &member.parameters)).collect();
        cluster.health = health::of_members(&checked, &expressions, report);
        Some(cluster)
    }
}

/// The cluster of one server, for parameters that a URL on a route cannot hold.
pub(super) fn single(goal: &Goal, place: &Place, worker: &WorkerParameters, unpooled: bool) -> ClusterDraft {
    ClusterDraft {
        name: goal.at.cluster_name(),
        places: vec![place.clone()],
        endpoints: vec![EndpointDraft {
            url: goal.at.plain_origin(),
            max_connections: worker.number("max").filter(|most| *most > 0),
            ..EndpointDraft::default()
        }],
        http2: goal.at.is_http2(),
        unpooled: unpooled || worker.is_on("disablereuse"),
        wait: worker.millis("acquire", 1).map(duration),
        ..ClusterDraft::default()
    }
}

fn lines(nodes: &[Node]) -> impl Iterator<Item = &Directive> {
    nodes.iter().filter_map(|node| match node {
        Node::Directive(directive) => Some(directive),
        Node::Section(_) => None,
    })
}

fn is_balancer(text: &str) -> bool {
    text.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("balancer://"))
}

fn name_of(url: &str) -> String {
    let name = url.get(11..).unwrap_or_default();
    balancer_name(name.split('/').next().unwrap_or_default())
}

fn unknown(parameters: &WorkerParameters, report: &mut Report) {
    for (name, place) in parameters.unknown() {
        report.refuse(
            place,
            format!("the parameter `{name}` is not known, and Apache refuses the file"),
            "correct its name",
        );
    }
}

/// Health checks belong to members: Apache refuses them at a balancer.
fn refuse_misplaced(parameters: &WorkerParameters, report: &mut Report) {
    const OF_MEMBERS: [&str; 7] = ["hcmethod", "hcuri", "hcinterval", "hcpasses", "hcfails", "hcexpr", "hctemplate"];
    if let Some((name, place)) = OF_MEMBERS.iter().find_map(|name| Some((name, parameters.place(name)?))) {
        let what = format!("`{name}` belongs to members, and Apache refuses the file");
        let remedy =
            "health = { probe = \"http\", path = \"/ping\", interval = \"10s\" } is for the whole cluster here";
        report.refuse(place, what, remedy);
    }
}
