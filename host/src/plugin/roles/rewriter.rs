//! A plugin as rewriter: one instance for each worker.

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use ::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use wasmtime::Store;
use wasmtime::component::Instance as WasmInstance;

use super::super::artifact::Artifact;
use super::super::bindings::rewriter as contract;
use super::super::bindings::types::ConfigError;
use super::super::call_error::CallError;
use super::super::contract::Interface;
use super::super::error::{LoadError, LoadErrorKind};
use super::super::factory::{InstanceFactory, PluginRole};
use super::super::host_state::HostState;
use super::super::role::{RoleContract, RoleName};
use super::super::slot::InstanceSlot;
use super::super::suspects::{CallOrigin, CallSubject};
use super::super::text::quoted;
use super::fields;
use super::per_worker::{PROBE_HOST, SELF_TEST_HOST, config_or_no_routes, per_worker};
use super::spec::{RoleKind, RoleSpec};
use crate::lifecycle::PerWorker;
use crate::policy::{Fault, HeaderEdit, ResponseContext, Rewriter, SHOWN_FIELDS, Scheme};

/// Header names of interest. Each costs a look into every response.
const NAMES: usize = 64;

/// Edits of one response.
const EDITS: usize = SHOWN_FIELDS;

/// This role, as [`super::ROLES`] lists it.
pub(super) static ROLE: RoleSpec = RoleSpec {
    contract: RoleContract {
        name: RoleName::new("rewriter"),
        filled_by: &[Interface { name: "rewriter", functions: &["configure", "rewrite"] }],
        optional: &[],
    },
    kind: RoleKind::Rewriter,
    try_out,
};

struct RewriterSetup {
    config: String,
    /// The first header that the plugin asked to see, once it is configured.
    interest: OnceLock<HeaderName>,
}

impl PluginRole for RewriterSetup {
    type Exports = contract::Guest;
    type Configured = Vec<String>;
    const NAME: RoleName = ROLE.contract.name;
    const DECIDES: &'static str = "rewrite";

    /// Two, so that a rewriter that one value makes hang is not taken for one that always does.
    const PROBES: u32 = 2;

    fn probe(
        &self,
        exports: &contract::Guest,
        store: &mut Store<HostState>,
        number: u32,
        origin: Option<CallOrigin<'_>>,
    ) -> wasmtime::Result<()> {
        let context = contract::Context {
            scheme: Scheme::Http.into(),
            host: PROBE_HOST.to_owned(),
            path: "/".to_owned(),
            route: origin.and_then(|origin| origin.route).map(|route| route.0),
            endpoint: origin.map_or_else(|| format!("http://{PROBE_HOST}"), |origin| origin.endpoint.to_owned()),
        };
        let value = if number == 0 { "/" } else { "tidegate=probe" };
        let name = self.interest.get().map_or("location", HeaderName::as_str);
        exports.call_rewrite(store, &context, 200, &[(name.to_owned(), value.to_owned())]).map(drop)
    }

    fn find(
        artifact: &Artifact,
        store: &mut Store<HostState>,
        instance: &WasmInstance,
    ) -> wasmtime::Result<contract::Guest> {
        contract::GuestIndices::new(&artifact.compiled.pre)?.load(store, instance)
    }

    fn configure(
        &self,
        exports: &contract::Guest,
        store: &mut Store<HostState>,
    ) -> wasmtime::Result<Result<Vec<String>, Vec<ConfigError>>> {
        exports.call_configure(store, &self.config)
    }
}

impl Artifact {
    /// A rewriter with one instance for each of `workers`.
    ///
    /// # Errors
    /// If it is no rewriter, refuses its configuration, or fails the self-test.
    pub fn rewriter(self: &Arc<Self>, config: &Value, workers: NonZeroUsize) -> Result<Box<dyn Rewriter>, LoadError> {
        self.note(rewriter(self, config, workers))
    }
}

fn try_out(artifact: &Arc<Artifact>, config: Option<&Value>) -> Result<&'static str, LoadErrorKind> {
    let rewriter = rewriter(artifact, &config_or_no_routes(config), NonZeroUsize::MIN)?;
    Ok(if rewriter.interest().is_empty() {
        "configured; it asks for no header, so it is never called"
    } else {
        "configured, edited 2 made-up responses"
    })
}

fn rewriter(
    artifact: &Arc<Artifact>,
    config: &Value,
    workers: NonZeroUsize,
) -> Result<Box<dyn Rewriter>, LoadErrorKind> {
    let factory =
        InstanceFactory::new(artifact, RewriterSetup { config: config.to_string(), interest: OnceLock::new() })?;
    let (slots, names) = per_worker(&factory, workers)?;
    let interest = interest(&names)?;
    if let Some(first) = interest.first() {
        _ = factory.role.interest.set(first.clone());
        self_test(&factory, &interest)?;
    }
    Ok(Box::new(PluginRewriter { slots, interest }))
}

/// Lets the plugin edit made-up responses, on an instance that shares nothing with the real ones: an edit outside the
/// contract is mostly one for every response.
fn self_test(factory: &InstanceFactory<RewriterSetup>, interest: &[HeaderName]) -> Result<(), LoadErrorKind> {
    // Of TEST-NET-1 (RFC 5737), which is never in use.
    let value = |name: &HeaderName| match name.as_str() {
        "location" | "content-location" | "refresh" | "link" => "http://192.0.2.1:8080/a?b=c",
        "set-cookie" => "a=b; Path=/; Domain=192.0.2.1",
        _ => "1",
    };
    let fields = |names: &[HeaderName]| -> Vec<_> {
        names.iter().map(|name| (name.clone(), HeaderValue::from_static(value(name)))).collect()
    };
    let context = contract::Context {
        scheme: Scheme::Https.into(),
        host: SELF_TEST_HOST.to_owned(),
        path: "/a".to_owned(),
        route: None,
        endpoint: "http://192.0.2.1:8080".to_owned(),
    };
    let mut instance = factory.throwaway(&factory.role)?;
    let mut ticks = factory.artifact.setup_ticks;
    for (status, fields) in [(200, fields(interest.get(..1).unwrap_or_default())), (302, fields(interest))] {
        let shown: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
        let edited = instance
            .run(RewriterSetup::DECIDES, std::mem::replace(&mut ticks, factory.artifact.ticks), |exports, store| {
                exports.call_rewrite(store, &context, status, &shown)
            })
            .and_then(|edits| checked(edits, &fields));
        edited.map_err(|error| LoadErrorKind::SelfTest {
            with: format!("a response {status} of {}", context.endpoint),
            message: error.detail,
        })?;
    }
    Ok(())
}

/// The header names that the plugin asked to see, each once.
fn interest(names: &[String]) -> Result<Vec<HeaderName>, LoadErrorKind> {
    let refused = |expected: &str, found: String| LoadErrorKind::ConfigureFailed {
        message: format!("expected of `configure` {expected}, found {found}; that is the plugin's own list of headers"),
    };
    if names.len() > NAMES {
        return Err(refused(&format!("at most {NAMES} header names of interest"), names.len().to_string()));
    }
    let mut good = Vec::new();
    for name in names {
        match HeaderName::from_bytes(name.as_bytes()) {
            // A token by the letter, and in no response that there is.
            Ok(_) if name.contains('*') => {
                return Err(refused(
                    "header names of interest",
                    format!("{}, and `*` is no wildcard: name each header", quoted(name)),
                ));
            }
            Ok(_) if name.contains(|c: char| c.is_ascii_uppercase()) => {
                let found = format!("{}: write {}", quoted(name), quoted(&name.to_ascii_lowercase()));
                return Err(refused("header names in lower case", found));
            }
            Ok(name) if good.contains(&name) => {}
            Ok(name) => good.push(name),
            Err(_) => return Err(refused("header names of interest", quoted(name))),
        }
    }
    Ok(good)
}

struct PluginRewriter {
    slots: PerWorker<InstanceSlot<RewriterSetup>>,
    interest: Vec<HeaderName>,
}

impl Rewriter for PluginRewriter {
    fn interest(&self) -> &[HeaderName] {
        &self.interest
    }

    fn rewrite(
        &self,
        context: &ResponseContext<'_>,
        status: StatusCode,
        fields: &[(HeaderName, HeaderValue)],
    ) -> Result<Vec<HeaderEdit>, Fault> {
        let mut slot = self.slots.mine();
        let ticks = slot.factory().artifact.ticks;
        let response = RewrittenResponse { context: *context, status, fields };
        let shown: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
        let context = contract::Context {
            scheme: context.scheme.into(),
            host: context.host.to_owned(),
            path: context.path.to_owned(),
            route: context.route.map(|route| route.0),
            endpoint: context.endpoint.to_owned(),
        };
        let instance = slot.ready_for(&response)?;
        let edits = instance.run(RewriterSetup::DECIDES, ticks, |exports, store| {
            exports.call_rewrite(store, &context, status.as_u16().into(), &shown)
        });
        slot.settle_for(&response, edits.and_then(|edits| checked(edits, fields)))
    }
}

/// A response that is rewritten.
struct RewrittenResponse<'a> {
    context: ResponseContext<'a>,
    status: StatusCode,
    fields: &'a [(HeaderName, HeaderValue)],
}

impl CallSubject for RewrittenResponse<'_> {
    fn hash_input<H: Hasher>(&self, hasher: &mut H) {
        let ResponseContext { scheme, host, path, route, endpoint } = self.context;
        (scheme == Scheme::Https, host, path, route, endpoint, self.status.as_u16(), self.fields).hash(hasher);
    }

    fn origin(&self) -> Option<CallOrigin<'_>> {
        Some(CallOrigin { endpoint: self.context.endpoint, route: self.context.route })
    }
}

/// A value as it is shown: one that is not UTF-8 byte for byte, as the characters U+0000 to U+00FF.
fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}

/// A value that takes the place of `old`, in the bytes that [`text`] showed.
fn bytes(text: String, old: &[u8]) -> Vec<u8> {
    if std::str::from_utf8(old).is_ok() {
        return text.into_bytes();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

pub(super) fn checked(
    edits: Vec<contract::Edit>,
    fields: &[(HeaderName, HeaderValue)],
) -> Result<Vec<HeaderEdit>, CallError> {
    if edits.len() > EDITS {
        return Err(CallError::answer(format_args!("at most {EDITS} edits"), edits.len()));
    }
    let find = |index: u32| {
        let field = usize::try_from(index).ok().and_then(|index| Some((index, fields.get(index)?)));
        let (index, (name, value)) = field
            .ok_or_else(|| CallError::answer(format_args!("the index of one of {} fields", fields.len()), index))?;
        fields::allowed(name)?;
        Ok((index, name, value))
    };
    edits
        .into_iter()
        .map(|edit| match edit {
            contract::Edit::Replace((index, text)) => {
                let (index, name, old) = find(index)?;
                Ok(HeaderEdit::Replace(index, fields::value(name, &bytes(text, old.as_bytes()))?))
            }
            contract::Edit::Remove(index) => Ok(HeaderEdit::Remove(find(index)?.0)),
            contract::Edit::Add((name, text)) => {
                let name = fields::name(&name)?;
                let value = fields::value(&name, text.as_bytes())?;
                Ok(HeaderEdit::Add(name, value))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_interest_are_kept_once_and_are_limited() {
        let names = ["location", "set-cookie", "location"].map(str::to_owned);
        let many: Vec<_> = (0..=NAMES).map(|name| format!("x-{name}")).collect();

        assert_eq!(interest(&names).unwrap(), ["location", "set-cookie"]);
        assert!(interest(&many[1..]).is_ok(), "as many as may be");
        assert!(interest(&many).unwrap_err().to_string().contains("at most 64 header names of interest, found 65"));
    }

    #[test]
    fn names_of_interest_that_no_response_has_are_put_down_to_the_plugin() {
        for (name, words) in [
            ("*", "found `*`, and `*` is no wildcard: name each header"),
            ("x-*", "`*` is no wildcard"),
            ("x y", "expected of `configure` header names of interest, found `x y`; that is the plugin's own list"),
            ("Location", "found `Location`: write `location`"),
        ] {
            let refused = interest(&["set-cookie".to_owned(), name.to_owned()]).unwrap_err().to_string();

            assert!(refused.contains(words), "`{words}` is not in: {refused}");
        }
    }

    #[test]
    fn values_that_are_not_utf_8_come_back_byte_for_byte() {
        let table: [(&[u8], &str, &str, &[u8]); 4] = [
            (b"http://a/caf\xe9", "http://a/caf\u{e9}", "http://b/caf\u{e9}", b"http://b/caf\xe9"),
            (b"\xff\x80;\xc3\xa9", "\u{ff}\u{80};\u{c3}\u{a9}", "\u{c3}\u{a9}\u{20ac}", b"\xc3\xa9\xe2\x82\xac"),
            ("http://a/café".as_bytes(), "http://a/café", "http://b/café", "http://b/café".as_bytes()),
            (b"/a", "/a", "/b\u{e9}", "/b\u{e9}".as_bytes()),
        ];

        for (value, shown, answered, expected) in table {
            let field = (HeaderName::from_static("location"), HeaderValue::from_bytes(value).unwrap());
            let edit = contract::Edit::Replace((0, answered.to_owned()));

            assert_eq!(text(value), shown);
            let expected = HeaderEdit::Replace(0, HeaderValue::from_bytes(expected).unwrap());
            assert_eq!(checked(vec![edit], &[field]).unwrap(), [expected], "{shown}");
        }
    }

    #[test]
    fn edits_outside_the_contract_are_refused() {
        let fields = [
            (HeaderName::from_static("location"), HeaderValue::from_static("/a")),
            (HeaderName::from_static("content-length"), HeaderValue::from_static("3")),
        ];
        let refused = |edit| checked(vec![edit], &fields).is_err();

        assert!(refused(contract::Edit::Remove(2)), "no such field");
        assert!(refused(contract::Edit::Remove(1)), "framing, though it was shown");
        assert!(refused(contract::Edit::Replace((0, "/\r\nx: y".into()))), "two lines");
        assert!(refused(contract::Edit::Add(("Transfer-Encoding".into(), "chunked".into()))), "framing");
        assert!(!refused(contract::Edit::Replace((0, "/b".into()))));
        let many = std::iter::repeat_n(contract::Edit::Remove(0), EDITS + 1).collect();
        assert!(checked(many, &fields).is_err(), "too many");
    }
}
