//! The table of paths: each method of each path, what it does, and what a call must bring.

use std::borrow::Cow;

use ::http::Method;

use super::access::Purpose;

/// What can be called: one method of one path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operation {
    /// `GET` stands for `HEAD`, too.
    method: &'static str,
    /// With [`NAME`] where a cluster or a plugin is named.
    pub(super) path: &'static str,
    pub(super) kind: OperationKind,
    pub(super) purpose: Purpose,
    /// Keys that the query may have; none means that the query is not looked at.
    pub(super) query: Option<&'static [&'static str]>,
    /// The document that a call brings; none means that the body is not read.
    pub(super) document: Option<DocumentRule>,
}

/// What a document may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DocumentRule {
    /// Its `Content-Type`: one that no page can send without asking first (Fetch, CORS-safelisted request-header).
    pub(super) media: &'static str,
    /// What it is, for messages.
    pub(super) what: &'static str,
    /// Its length at the most, in KiB.
    pub(super) kibibytes: usize,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperationKind {
    Health,
    Readiness,
    Metrics,
    Clusters,
    Endpoints,
    AddEndpoint,
    ChangeEndpoint,
    RemoveEndpoint,
    ResetEndpoints,
    PushSignals,
    Changes,
    UndoChanges,
    Plugins,
    FillTable,
    Generations,
    Reload,
    Rollback,
}

/// A path of the table, and what a call names in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) path: &'static str,
    /// The cluster or plugin; empty if the path names none.
    pub(super) name: String,
}

/// What stands for a name in [`Operation::path`].
const NAME: &str = "{name}";

/// The longest table in KiB.
const TABLE_KIB: usize = 256 << 10;

/// Methods of one path stand beside each other.
const OPERATIONS: [Operation; 17] = {
    use OperationKind as Kind;
    const ENDPOINTS: &str = "/api/v1/clusters/{name}/endpoints";
    const CHANGES: &str = "/api/v1/changes";
    [
        Operation::probe("/healthz", Kind::Health),
        Operation::probe("/readyz", Kind::Readiness),
        Operation::look("/metrics", Kind::Metrics),
        Operation::look("/api/v1/clusters", Kind::Clusters),
        Operation::look(ENDPOINTS, Kind::Endpoints).keys(&[]),
        Operation::change("POST", ENDPOINTS, Kind::AddEndpoint).keys(&[]).reads(64),
        Operation::change("PATCH", ENDPOINTS, Kind::ChangeEndpoint).keys(&["url"]).reads(64),
        Operation::change("DELETE", ENDPOINTS, Kind::RemoveEndpoint).keys(&["url"]),
        Operation::change("POST", "/api/v1/clusters/{name}/endpoints/reset", Kind::ResetEndpoints).keys(&["url"]),
        // Far more than 32 numbers and their names need.
        Operation::change("POST", "/api/v1/clusters/{name}/signals", Kind::PushSignals).reads(16),
        Operation::look(CHANGES, Kind::Changes).keys(&[]),
        Operation::change("DELETE", CHANGES, Kind::UndoChanges).keys(&["cluster", "url"]),
        Operation::look("/api/v1/plugins", Kind::Plugins),
        Operation::change("PUT", "/api/v1/plugins/{name}/table", Kind::FillTable).keys(&[]).takes_table(),
        Operation::look("/api/v1/generations", Kind::Generations),
        Operation::change("POST", "/api/v1/rollback", Kind::Rollback),
        Operation::change("POST", "/api/v1/reload", Kind::Reload),
    ]
};

impl Operation {
    const fn new(method: &'static str, path: &'static str, kind: OperationKind, purpose: Purpose) -> Self {
        Self { method, path, kind, purpose, query: None, document: None }
    }

    const fn probe(path: &'static str, kind: OperationKind) -> Self {
        Self::new("GET", path, kind, Purpose::Probe)
    }

    const fn look(path: &'static str, kind: OperationKind) -> Self {
        Self::new("GET", path, kind, Purpose::Look)
    }

    const fn change(method: &'static str, path: &'static str, kind: OperationKind) -> Self {
        Self::new(method, path, kind, Purpose::Change)
    }

    const fn keys(self, query: &'static [&'static str]) -> Self {
        Self { query: Some(query), ..self }
    }

    const fn reads(self, kibibytes: usize) -> Self {
        let rule = DocumentRule { media: "application/json", what: "a JSON document", kibibytes };
        Self { document: Some(rule), ..self }
    }

    const fn takes_table(self) -> Self {
        let media = "text/tab-separated-values";
        let rule = DocumentRule { media, what: "lines of a key, a TAB and a value", kibibytes: TABLE_KIB };
        Self { document: Some(rule), ..self }
    }

    fn takes(&self, method: &Method) -> bool {
        self.method == method.as_str() || (self.method == "GET" && method == Method::HEAD)
    }
}

impl Resource {
    /// The resource at `path`.
    pub(super) fn find(path: &str) -> Option<Self> {
        OPERATIONS.iter().find_map(|operation| {
            let name = name_in(operation.path, path)?.into_owned();
            Some(Self { path: operation.path, name })
        })
    }

    /// What `method` does to it.
    pub(super) fn operation(&self, method: &Method) -> Option<&'static Operation> {
        const { &OPERATIONS }.iter().find(|operation| operation.path == self.path && operation.takes(method))
    }

    /// For `Allow`.
    pub(super) fn methods(&self) -> String {
        let mut methods = Vec::new();
        for operation in OPERATIONS.iter().filter(|operation| operation.path == self.path) {
            methods.push(operation.method);
            if operation.method == "GET" {
                methods.push("HEAD");
            }
        }
        methods.join(", ")
    }
}

/// Every path, once.
pub(super) fn paths() -> Vec<&'static str> {
    let mut paths: Vec<_> = OPERATIONS.iter().map(|operation| operation.path).collect();
    paths.dedup();
    paths
}

/// What `path` names where `pattern` has [`NAME`]; empty if the pattern has none.
fn name_in<'p>(pattern: &str, path: &'p str) -> Option<Cow<'p, str>> {
    let Some((before, after)) = pattern.split_once(NAME) else {
        return (path == pattern).then_some(Cow::Borrowed(""));
    };
    let name = path.strip_prefix(before)?.strip_suffix(after)?;
    // A direct route's cluster is named by a URL: its slashes are escaped here.
    (!name.is_empty() && !name.contains('/')).then(|| unescaped(name))
}

/// A path segment without its escapes. Target reading has refused those that are none.
fn unescaped(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    // The same escapes as a query's value, but for `+`, which means itself here.
    let literal = format!("name={}", segment.replace('+', "%2B"));
    let name = form_urlencoded::parse(literal.as_bytes()).next().map(|(_, value)| value.into_owned());
    Cow::Owned(name.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_name_a_cluster() {
        const ENDPOINTS: &str = "/api/v1/clusters/{name}/endpoints";
        for (path, found) in [
            ("/api/v1/clusters", Some(("/api/v1/clusters", ""))),
            ("/api/v1/clusters/chat/endpoints", Some((ENDPOINTS, "chat"))),
            ("/api/v1/clusters/chat/endpoints/reset", Some(("/api/v1/clusters/{name}/endpoints/reset", "chat"))),
            ("/api/v1/clusters/ws:%2F%2F10.0.0.1:80/endpoints", Some((ENDPOINTS, "ws://10.0.0.1:80"))),
            ("/api/v1/clusters/a+b%20c/endpoints", Some((ENDPOINTS, "a+b c"))),
            ("/api/v1/clusters/a%2Fb/signals", Some(("/api/v1/clusters/{name}/signals", "a/b"))),
            ("/api/v1/plugins/tenants/table", Some(("/api/v1/plugins/{name}/table", "tenants"))),
            ("/api/v1/clusters//endpoints", None),
            ("/api/v1/clusters/a/b/endpoints", None),
            ("/api/v1/clusters//signals", None),
            ("/api/v1/clusters/a/b/signals", None),
            ("/api/v1/clusters/chat", None),
            ("/api/v1/clusters/chat/endpoints/", None),
        ] {
            let expected = found.map(|(path, name)| Resource { path, name: name.to_owned() });

            assert_eq!(Resource::find(path), expected, "{path}");
        }
    }

    #[test]
    fn the_page_about_admin_lists_every_path_with_its_methods_and_who_needs_no_token() {
        let page = include_str!("../../../docs/admin.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `/")).map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            (format!("/{}", cells[0].trim_end_matches('`')), cells[1].to_owned(), cells[2] == "yes")
        });
        let documented: Vec<_> = rows.collect();

        let listed = paths().into_iter().map(|path| {
            let of_path = || OPERATIONS.iter().filter(move |operation| operation.path == path);
            let methods: Vec<_> = of_path().map(|operation| operation.method).collect();
            (path.to_owned(), methods.join(", "), of_path().all(|operation| operation.purpose != Purpose::Probe))
        });

        assert_eq!(documented, listed.collect::<Vec<_>>());
    }
}
