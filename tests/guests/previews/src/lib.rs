//! A balancer that chooses by the beginning of the body: the JSON field `to` is the id, `ask` refuses with a number.

use tidegate_plugin::{Candidates, Choice, Chooser, ConfigError, Endpoint, Preview, Sight, body, export_chooser};

/// Bytes that are awaited.
pub const BYTES: u32 = 4096;

/// Bytes of a block.
pub const BLOCK: u32 = 64;

/// The plugin.
#[derive(Debug)]
pub struct Previews;

impl Chooser for Previews {
    fn configure(_config: &str, _endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        Ok(Self)
    }

    fn choose(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Choice {
        let count = |length: usize| Choice::refuse(429, u32::try_from(length).ok());
        match body::field("ask").as_deref() {
            Some("bytes") => return count(body::first().len()),
            Some("blocks") => return count(body::blocks().len()),
            // Two that begin alike are alike here.
            Some("hash") => return count(body::blocks().first().map_or(0, |hash| *hash as usize % 86_400)),
            _ => {}
        }
        let named = body::field("to").and_then(|to| to.parse().ok()).filter(|id| candidates.contains(*id));
        let id = named.or_else(|| candidates.first().map(|first| first.id));
        id.map_or(Choice::refuse(503, None), |id| Choice::take(id, 1))
    }
}

impl Preview for Previews {
    fn wants(&self) -> Sight {
        Sight { bytes: BYTES, block: BLOCK }
    }
}

export_chooser!(Previews + Preview);

#[cfg(test)]
mod tests {
    use tidegate_plugin::fake::Host;

    use super::*;

    #[test]
    fn the_field_names_the_endpoint() {
        let host = Host::new();
        let mut previews = Previews::configure("null", Vec::new()).unwrap();
        let mut choose = || previews.choose(Candidates::new(&[4, 7], &[0, 0]), None);
        assert_eq!(choose(), Choice::take(4, 1));

        host.body_field("to", "7");
        assert_eq!(choose(), Choice::take(7, 1));

        host.body_field("ask", "blocks").body_blocks([1, 2, 3]);
        assert_eq!(choose(), Choice::refuse(429, Some(3)));
    }
}
