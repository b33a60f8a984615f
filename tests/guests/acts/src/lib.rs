//! A router, balancer and rewriter that does what a header of the request says, so that a test writes down what a plugin
//! does.
//!
//! `{"reads": "x-do"}` names the header, and `"last": true` a router that forwards unless told something else. The values of the header are commands: `set request x-user alice`, `append`, `remove`,
//! `note tenant blue`, `count asked label`, `next`, `forward 1 /path 0`, `respond 401`, `unmatched`, `trap`. Of the balancer and the rewriter
//! `x-do-pick` and `x-do-rewrite` say what they note.

use tidegate_plugin::edits::Side;
use tidegate_plugin::{
    Balancer, Candidates, ConfigError, Context, Decision, Edit, Endpoint, Field, Repeats, RequestLine, Response,
    Rewriter, Router, Target, edits, export_balancer, export_rewriter, export_router, metrics, notes, request,
};

/// The header that has the commands.
fn reads(config: &str) -> Result<String, Vec<ConfigError>> {
    let header = config.split_once("\"reads\":\"").and_then(|(_, rest)| rest.split_once('"'));
    Ok(header.map_or_else(|| "x-do".to_owned(), |(name, _)| name.to_owned()))
}

/// The router.
#[derive(Debug)]
pub struct Routes {
    reads: String,
    is_last: bool,
}

impl Router for Routes {
    fn configure(config: &str, _clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
        Ok(Self { reads: reads(config)?, is_last: config.contains("\"last\":true") })
    }

    fn route(&mut self, line: &RequestLine) -> Decision {
        let mut decision = if self.is_last { forward("0", None, None) } else { Decision::Next };
        if line.path.starts_with("/unasked") {
            return decision;
        }
        for command in request::values(&self.reads) {
            act(&command, &mut decision);
        }
        decision
    }
}

#[expect(clippy::panic, reason = "a command that is none is a mistake of the test")]
fn act(command: &str, decision: &mut Decision) {
    let words: Vec<&str> = command.splitn(4, ' ').collect();
    let side = |word: &str| if word == "request" { Side::Request } else { Side::Response };
    match words[..] {
        ["set", to, name, value] => edits::set(side(to), name, value),
        ["append", to, name, value] => edits::append(side(to), name, value),
        ["remove", to, name] => edits::remove(side(to), name),
        ["count", name, label] => metrics::count(name, label, 1.0),
        ["note", key, value] => notes::note(key, value),
        ["tell", key] => edits::set(Side::Request, "x-noted", &notes::noted(key).unwrap_or("nothing".to_owned())),
        ["next"] => *decision = Decision::Next,
        ["unmatched"] => *decision = Decision::Unmatched,
        ["forward", cluster] => *decision = forward(cluster, None, None),
        ["forward", cluster, path] => *decision = forward(cluster, Some(path.to_owned()), None),
        ["forward", cluster, path, route] => *decision = forward(cluster, Some(path.to_owned()), route.parse().ok()),
        ["respond", status] => {
            let status = status.parse().unwrap_or(500);
            let headers = vec![("x-plugin".to_owned(), "own".to_owned())];
            *decision = Decision::Respond(Response { status, headers, body: b"of a plugin\n".to_vec() });
        }
        _ => panic!("no command: {command}"),
    }
}

fn forward(cluster: &str, path: Option<String>, route: Option<u32>) -> Decision {
    Decision::Forward(Target { cluster: cluster.parse().unwrap_or_default(), path, route })
}

impl Repeats for Routes {}

/// The balancer: the first, and a note.
#[derive(Debug)]
pub struct Picks;

impl Balancer for Picks {
    fn configure(_config: &str, _endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        Ok(Self)
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        if let Some(value) = request::header("x-do-pick") {
            notes::note("pick", &format!("{value} after {}", notes::noted("tenant").unwrap_or_default()));
        }
        candidates.first().map(|candidate| candidate.id)
    }
}

/// The rewriter: says in a header that it saw the response, with what it knows of the request.
#[derive(Debug)]
pub struct Rewrites {
    reads: String,
}

impl Rewriter for Rewrites {
    fn configure(config: &str) -> Result<Self, Vec<ConfigError>> {
        Ok(Self { reads: reads(config)? })
    }

    fn interest(&self) -> Vec<String> {
        [":status", "location"].map(str::to_owned).to_vec()
    }

    fn rewrite(&mut self, _context: &Context, status: u32, headers: &[Field]) -> Vec<Edit> {
        if let Some(value) = request::header("x-do-rewrite") {
            notes::note("rewrite", &value);
        }
        let (user, note) = (request::header("x-user"), notes::noted("tenant"));
        let seen = format!("{} {status} {} {user:?} {note:?}", self.reads, headers.len());
        vec![Edit::Add(("x-rewritten".to_owned(), seen))]
    }
}

export_router!(Routes + Repeats);
export_balancer!(Picks);
export_rewriter!(Rewrites);
