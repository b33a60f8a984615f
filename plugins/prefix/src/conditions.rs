//! What has to hold of a request beside its host and path.
//!
//! What the request line says is looked at first: a decision for which nothing else was asked is remembered by the
//! gateway.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;
use tidegate_plugin::{ConfigError, RequestLine, Scheme, fault, request};

use crate::index::TooLong;
use crate::path::decoded;
use crate::pattern::{Cost, Regex, Use};
use crate::written::{ClientScheme, Test, When};

/// Bytes of the longest value, or of all values of one header, that a pattern must have time for.
const LEAST_FOR_VALUES: usize = 1024;

/// What a rule asks of requests. All of it has to hold.
#[derive(Debug)]
pub struct Conditions {
    methods: Vec<String>,
    scheme: Option<Scheme>,
    upgrade: Option<bool>,
    protocols: Vec<String>,
    query: Vec<Condition>,
    listeners: Vec<String>,
    clients: Vec<IpNet>,
    headers: Vec<Condition>,
}

/// What is asked of the values of one name.
#[derive(Debug)]
struct Condition {
    name: String,
    check: Check,
}

#[derive(Debug)]
enum Check {
    Is(String),
    Not(String),
    Regex(Box<Regex>),
    Present(bool),
}

impl Conditions {
    /// Reads what is written at `at`; none if that is nothing.
    ///
    /// # Errors
    /// Every fault, each with its place.
    pub fn new(written: When, at: &str) -> Result<Self, Vec<ConfigError>> {
        let mut errors = Vec::new();
        let mut conditions = |key: &str, tests: std::collections::BTreeMap<String, Test>| {
            let mut read = Vec::new();
            for (name, test) in tests {
                let place = format!("{at}/{key}/{}", name.replace('~', "~0").replace('/', "~1"));
                match check(test, &place) {
                    Ok(check) => read.push(Condition { name, check }),
                    Err(error) => errors.push(error),
                }
            }
            read
        };
        let (query, headers) = (conditions("query", written.query), conditions("headers", written.headers));
        let mut clients = Vec::new();
        for (number, text) in written.clients.iter().enumerate() {
            let message = || format!("expected an address or address/bits, found {text}");
            match text.parse().or_else(|_no_network| text.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => clients.push(network),
                Err(_neither) => errors.push(fault(format!("{at}/clients/{number}"), message())),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            methods: written.methods,
            scheme: written.scheme.map(|scheme| match scheme {
                ClientScheme::Http => Scheme::Http,
                ClientScheme::Https => Scheme::Https,
            }),
            upgrade: written.upgrade,
            protocols: written.protocols,
            query,
            listeners: written.listeners,
            clients,
            headers,
        })
    }

    /// What its patterns cost.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.query.iter().chain(&self.headers).fold(Cost::default(), |cost, condition| match &condition.check {
            Check::Regex(regex) => cost.and(regex.cost(Use::Match)),
            _ => cost,
        })
    }

    /// Whether they hold of the request that is being decided, whose line this is. Patterns look at values of so many
    /// bytes at the most.
    ///
    /// # Errors
    /// [`TooLong`] if it depends on a pattern and a value that is longer.
    pub fn hold(&self, line: &RequestLine, longest: usize) -> Result<bool, TooLong> {
        Ok(self.hold_of_line(line)
            && self.query_holds(line.query.as_deref().unwrap_or_default(), longest)?
            && self.hold_of_connection()
            && self.headers_hold(longest)?)
    }

    fn hold_of_line(&self, line: &RequestLine) -> bool {
        let asks = || {
            line.upgrade.as_ref().is_some_and(|asked| {
                self.protocols.is_empty() || self.protocols.iter().any(|known| known.eq_ignore_ascii_case(asked))
            })
        };
        (self.methods.is_empty() || self.methods.contains(&line.method))
            && self.scheme.is_none_or(|scheme| scheme == line.scheme)
            && self.upgrade.is_none_or(|wanted| wanted == asks())
    }

    fn query_holds(&self, query: &str, longest: usize) -> Result<bool, TooLong> {
        for Condition { name, check } in &self.query {
            let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            let of_name = pairs.filter(|(found, _)| plain(found) == name.as_bytes());
            let values: Vec<_> = of_name.map(|(_, value)| plain(value)).collect();
            // A query that is empty has one parameter, which has no name.
            if !check.holds(&values, longest).ok_or(TooLong::Query)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn hold_of_connection(&self) -> bool {
        let is_in = |listeners: &[String]| request::listener().is_some_and(|name| listeners.contains(&name));
        let is_of = |networks: &[IpNet]| {
            let address = request::client().and_then(|address| address.parse::<IpAddr>().ok());
            address.is_some_and(|address| networks.iter().any(|network| network.contains(&address)))
        };
        (self.listeners.is_empty() || is_in(&self.listeners)) && (self.clients.is_empty() || is_of(&self.clients))
    }

    fn headers_hold(&self, longest: usize) -> Result<bool, TooLong> {
        for Condition { name, check } in &self.headers {
            let values: Vec<Cow<'_, [u8]>> =
                request::values(name).into_iter().map(|value| value.into_bytes().into()).collect();
            if !check.holds(&values, longest).ok_or(TooLong::Header)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Check {
    /// None if a pattern would have to look at more bytes than `longest`.
    fn holds(&self, values: &[Cow<'_, [u8]>], longest: usize) -> Option<bool> {
        let any_is = |text: &str| values.iter().any(|value| value.as_ref() == text.as_bytes());
        Some(match self {
            Self::Is(text) => any_is(text),
            Self::Not(text) => !any_is(text),
            Self::Present(wanted) => *wanted != values.is_empty(),
            Self::Regex(_) if values.iter().map(|value| value.len()).sum::<usize>() > longest => return None,
            Self::Regex(regex) => values.iter().any(|value| regex.is_match(value)),
        })
    }
}

/// Bytes that the patterns of all conditions together may look at.
///
/// # Errors
/// The fault, if that is not enough for ordinary values.
pub fn longest_value(cost: Cost) -> Result<usize, ConfigError> {
    let longest = cost.longest(1, 0);
    if longest >= LEAST_FOR_VALUES {
        return Ok(longest);
    }
    let message = format!(
        "asking the patterns of all conditions costs too much: there is time for values of {longest} bytes, at least \
         {LEAST_FOR_VALUES} are expected; write + or * for counted repetitions, or `is` for patterns"
    );
    Err(fault("/routes", message))
}

/// A name or value of a query, as it was before it was escaped.
fn plain(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('+') {
        return decoded(text);
    }
    decoded(&text.replace('+', "%20")).into_owned().into()
}

fn check(written: Test, at: &str) -> Result<Check, ConfigError> {
    match written {
        Test { is: Some(text), not: None, regex: None, present: None } => Ok(Check::Is(text)),
        Test { is: None, not: Some(text), regex: None, present: None } => Ok(Check::Not(text)),
        Test { is: None, not: None, regex: None, present: Some(wanted) } => Ok(Check::Present(wanted)),
        Test { is: None, not: None, regex: Some(text), present: None } => {
            let message = |error| format!("not a regular expression: {error}");
            let regex = Regex::new(&text, false).map_err(|error| fault(format!("{at}/regex"), message(error)))?;
            Ok(Check::Regex(regex.into()))
        }
        _ => Err(fault(at, "expected one of is, not, regex and present")),
    }
}

#[cfg(test)]
mod tests;
