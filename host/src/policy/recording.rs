//! One decision and the request that it was made for, in a form that can be kept and read again: a line of JSON.

use serde::{Deserialize, Serialize};

use super::{Choice, Decision, Effects, HeaderEdit, RequestFacts};

/// Version of the form. It rises when a reader of the one before would misunderstand what is written.
const VERSION: u32 = 1;

/// A request, and what was decided for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// What the decider saw.
    pub request: RequestFacts,
    /// What it decided.
    pub decided: Decided,
    /// What it did beside that.
    #[serde(default, skip_serializing_if = "Effects::is_empty")]
    pub effects: Effects,
}

/// A decision of any role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// A router's.
    Route(Decision),
    /// A balancer's.
    Pick(Choice),
    /// A rewriter's.
    Rewrite(Vec<HeaderEdit>),
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// A later gateway has written it.
    #[error("the recording has version {found}; this gateway reads versions up to {VERSION}")]
    Newer {
        /// Its version.
        found: u32,
    },
    /// It is no recording, or a damaged one.
    #[error("the recording cannot be read")]
    Malformed(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    #[serde(flatten)]
    recording: &'a Recording,
}

/// The part that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Recording {
    /// One line, without its end. Fields stand as pairs of name and value; a value that is not UTF-8 comes back byte
    /// for byte.
    ///
    /// # Errors
    /// [`RecordingError::Malformed`] if the request cannot be written, which none is known for.
    pub fn to_json(&self) -> Result<String, RecordingError> {
        Ok(serde_json::to_string(&Written { version: VERSION, recording: self })?)
    }

    /// Reads what [`Self::to_json`] wrote, of this version or one before.
    ///
    /// # Errors
    /// [`RecordingError`] if it is of a later version, or no recording.
    pub fn from_json(line: &str) -> Result<Self, RecordingError> {
        let Version { version } = serde_json::from_str(line)?;
        if version > VERSION {
            return Err(RecordingError::Newer { found: version });
        }
        Ok(serde_json::from_str(line)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

    use super::*;
    use crate::policy::{
        BalancerRefusal, ClusterId, DirectResponse, EndpointId, ExchangeEffects, ForwardTarget, HeadEdit, HeadSide,
        LeaseUnits, Note, RouteId, Scheme,
    };

    fn request() -> RequestFacts {
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_static("a=1"));
        headers.append("x-name", HeaderValue::from_bytes(b"caf\xe9 \xff\x80").unwrap());
        headers.append("cookie", HeaderValue::from_bytes("b=\u{e9}\u{20ac}".as_bytes()).unwrap());
        RequestFacts {
            method: Method::from_bytes(b"PROPFIND").unwrap(),
            scheme: Scheme::Https,
            authority: "[2001:db8::1]:8443".parse().ok(),
            path: "/a%20b".to_owned(),
            query: Some("q=\u{e9}".to_owned()),
            upgrade: "websocket".try_into().ok(),
            client: Some("2001:db8::7".parse().unwrap()),
            sni: Some("front.example".into()),
            headers: Arc::new(headers),
            connection: None,
            effects: ExchangeEffects::default(),
            body: None,
        }
    }

    #[test]
    fn what_was_decided_and_for_what_comes_back_as_it_was() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", HeaderValue::from_bytes(b"\xff").unwrap());
        let response = DirectResponse { status: StatusCode::IM_A_TEAPOT, headers, body: vec![0, 10, 200, 255].into() };
        let target = ForwardTarget { cluster: ClusterId(3), path: Some("/x?y".to_owned()), route: Some(RouteId(1)) };
        let plain = RequestFacts { authority: None, query: None, upgrade: None, client: None, sni: None, ..request() };
        let edits = vec![
            HeaderEdit::Replace(0, HeaderValue::from_bytes(b"/caf\xe9").unwrap()),
            HeaderEdit::Remove(2),
            HeaderEdit::Add(HeaderName::from_static("x-b"), HeaderValue::from_static("1")),
        ];
        let mut effects = Effects::default();
        let mut noted = request();
        for (key, value) in [("tenant", "blue"), ("\"", "caf\u{e9}\n")] {
            effects.note(Note { key: key.to_owned(), value: value.to_owned() });
        }
        noted.effects.add(effects.clone());
        let name = HeaderName::from_static("x-user");
        effects.edit(HeadSide::Request, HeadEdit::Set(name.clone(), HeaderValue::from_bytes(b"\xff").unwrap()));
        effects.edit(HeadSide::Response, HeadEdit::Remove(name));
        for (request, decided) in [
            (request(), Decided::Route(Decision::Forward(target))),
            (request(), Decided::Route(Decision::Respond(response))),
            (plain, Decided::Route(Decision::Unmatched)),
            (noted, Decided::Route(Decision::Next)),
            (request(), Decided::Pick(Choice::one(EndpointId(7)))),
            (request(), Decided::Pick(Choice::Take(EndpointId(7), LeaseUnits::try_from(1000).unwrap()))),
            (request(), Decided::Pick(Choice::Refuse(BalancerRefusal::default()))),
            (request(), Decided::Pick(Choice::Refuse(BalancerRefusal::new(429, Some(3)).unwrap()))),
            (request(), Decided::Pick(Choice::Refuse(BalancerRefusal::new(503, Some(0)).unwrap()))),
            (request(), Decided::Rewrite(edits)),
        ] {
            let recording = Recording { request, decided, effects: effects.clone() };

            let line = recording.to_json().unwrap();

            assert!(!line.contains('\n'), "one line: {line}");
            assert_eq!(Recording::from_json(&line).unwrap(), recording, "{line}");
        }
    }

    #[test]
    fn a_choice_that_says_no_more_than_an_id_is_written_as_one() {
        let written =
            |decided| Recording { request: request(), effects: Effects::default(), decided }.to_json().unwrap();

        assert!(written(Decided::Pick(Choice::one(EndpointId(7)))).ends_with(r#""decided":{"pick":7}}"#));
        assert!(written(Decided::Pick(None.into())).ends_with(r#""decided":{"pick":null}}"#));
        let weighed = written(Decided::Pick(Choice::Take(EndpointId(7), LeaseUnits::try_from(5).unwrap())));
        assert!(weighed.ends_with(r#""decided":{"pick":{"endpoint":7,"units":5}}}"#), "{weighed}");
        for (part, outside) in [("\"units\":5", "\"units\":1001"), ("\"units\":5", "\"units\":0")] {
            assert!(matches!(Recording::from_json(&weighed.replace(part, outside)), Err(RecordingError::Malformed(_))));
        }
    }

    #[test]
    fn a_later_version_is_refused_by_its_number_whatever_else_it_holds() {
        let refused = Recording::from_json(r#"{"version":2,"asked":{"of":"tomorrow"}}"#).unwrap_err();

        assert_eq!(refused.to_string(), "the recording has version 2; this gateway reads versions up to 1");
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        let good = Recording { request: request(), decided: Decided::Pick(None.into()), effects: Effects::default() }
            .to_json()
            .unwrap();

        for bad in ["", "{}", "{\"version\":1}", &good.replace("caf\u{e9}", "caf\u{20ac}"), &good[..good.len() - 1]] {
            assert!(matches!(Recording::from_json(bad), Err(RecordingError::Malformed(_))), "{bad}");
        }
    }
}
