//! The same key to the same endpoint, with few moves when endpoints come and go, and nobody overrun.

pub mod choose;
pub mod figures;
pub mod table;

use serde::Deserialize;
use tidegate_parts::Names;
use tidegate_plugin::{About, Balancer, Candidates, Config, ConfigError, Describe, Endpoint, config, export_balancer};

use choose::Chooser;
use table::Member;

/// Slots that may be asked for. More than a million take longer to fill than a plugin may take to start.
const SLOTS: std::ops::RangeInclusive<u32> = 251..=1_000_003;

/// What an operator may set.
#[derive(Debug, Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
struct Written {
    /// Slots, a prime, at least as many as endpoints, better a hundred times as many.
    #[config(range = *SLOTS.start()..=*SLOTS.end())]
    table: u32,
    /// No endpoint above so many times its share of what is in flight; at least 1, or 0 for no bound.
    #[config(range = 0.0..=1000.0)]
    bound: f64,
}

impl Default for Written {
    /// The paper's small table, within 1 % for 655 endpoints; the usual bound.
    fn default() -> Self {
        Self { table: 65_537, bound: 1.25 }
    }
}

/// The plugin.
#[derive(Debug)]
pub struct ConsistentHash(Chooser);

impl Balancer for ConsistentHash {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        // Not `Written::read`: what is out of range gets a table size that would do with its message.
        let Written { table, bound } = config::parse_or_default(config)?;
        let mut faults = Vec::new();
        let size = usize::try_from(table).unwrap_or(usize::MAX);
        if !SLOTS.contains(&table) || !is_prime(table) || size < endpoints.len() {
            let least =
                u32::try_from(endpoints.len()).unwrap_or(u32::MAX).max(table).clamp(*SLOTS.start(), *SLOTS.end());
            let next = (least..=*SLOTS.end()).find(|size| is_prime(*size)).unwrap_or(*SLOTS.end());
            let (start, end) = (SLOTS.start(), SLOTS.end());
            let message = format!(
                "expected a prime from {start} to {end}, at least as many as endpoints ({}), found {table}; {next} \
                 would do",
                endpoints.len()
            );
            faults.push(config::fault("/table", message));
        }
        if bound != 0.0 && !(1.0..=1000.0).contains(&bound) {
            faults.push(config::fault("/bound", format!("expected 1 to 1000, or 0 for no bound, found {bound}")));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let weights: Vec<u32> = endpoints.iter().map(|endpoint| endpoint.weight).collect();
        let names = Names::new(endpoints.into_iter().map(|endpoint| endpoint.name));
        let by_id: Vec<_> = names.iter().zip(weights).collect();
        let member = |id: &u32| {
            let (name, weight) = by_id.get(usize::try_from(*id).ok()?)?;
            Some(Member { id: *id, name, weight: *weight })
        };
        let members: Vec<_> = names.sorted().iter().filter_map(member).collect();
        Ok(Self(Chooser::new(&members, size, (bound != 0.0).then_some(bound))))
    }

    fn pick(&mut self, candidates: Candidates<'_>, affinity: Option<u32>) -> Option<u32> {
        self.0.pick(candidates.ids(), candidates.busy(), affinity)
    }
}

impl Describe for ConsistentHash {
    fn description() -> About {
        About {
            name: "consistent-hash".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "The same affinity key to the same endpoint (Maglev), with a bound on its load.".to_owned(),
            schema: Some(Written::schema()),
        }
    }
}

/// By trial: a thousand divisions at the most, once.
fn is_prime(number: u32) -> bool {
    let divisors = (2..).take_while(|divisor: &u32| divisor.saturating_mul(*divisor) <= number);
    number > 1 && divisors.into_iter().all(|divisor| !number.is_multiple_of(divisor))
}

export_balancer!(ConsistentHash + Describe);

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(names: &[&str]) -> Vec<Endpoint> {
        let endpoint =
            |name: &&str| Endpoint { name: (*name).to_owned(), weight: 100, group: 0, route: None, labels: Vec::new() };
        names.iter().map(endpoint).collect()
    }

    #[test]
    fn every_gateway_sends_a_key_to_the_same_name() {
        let (one, other) = (["a", "b", "c"], ["c", "a", "b"]);
        let mut here = ConsistentHash::configure("{}", endpoints(&one)).unwrap();
        let mut there = ConsistentHash::configure("null", endpoints(&other)).unwrap();

        for key in 0..1000 {
            let here = here.pick(Candidates::new(&[0, 1, 2], &[0; 3]), Some(key)).map(|id| one[id as usize]);
            let there = there.pick(Candidates::new(&[0, 1, 2], &[0; 3]), Some(key)).map(|id| other[id as usize]);
            assert_eq!(here, there, "{key}");
        }
    }

    #[test]
    fn what_it_does_not_know_is_refused_where_it_stands() {
        for (config, path, says) in [
            (r#"{"table":65536}"#, "/table", "65537 would do"),
            (r#"{"table":7}"#, "/table", "251 would do"),
            (r#"{"table":2000003}"#, "/table", "1000003 would do"),
            (r#"{"bound":0.9}"#, "/bound", "found 0.9"),
            (r#"{"bound":-1}"#, "/bound", "0 for no bound"),
            (r#"{"bounds":2}"#, "/bounds", "unknown field"),
        ] {
            let errors = ConsistentHash::configure(config, endpoints(&["a"])).unwrap_err();
            assert_eq!(errors[0].path, path, "{config}: {errors:?}");
            assert!(errors[0].message.contains(says), "{config}: {errors:?}");
        }
        let many: Vec<_> = (0..252).map(|number| number.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert!(ConsistentHash::configure(r#"{"table":251}"#, endpoints(&many)).is_err(), "more endpoints than slots");
        assert!(ConsistentHash::configure(r#"{"table":251,"bound":0}"#, endpoints(&["a"])).is_ok());
    }
}
