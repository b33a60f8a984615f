//! The plugins that come with the gateway, compiled from their sources by the build script.

/// Names that need no `[plugin.NAME]`.
pub const SHIPPED: [&str; 10] = [
    "bybusyness",
    "byrequests",
    "bytraffic",
    "consistent-hash",
    "heartbeat",
    "least-busy",
    "peak-ewma",
    "prefix",
    "random",
    "reverse",
];

/// The core module of a shipped plugin.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static [u8]> {
    match name {
        "bybusyness" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/bybusyness.wasm"))),
        "byrequests" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/byrequests.wasm"))),
        "bytraffic" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/bytraffic.wasm"))),
        "consistent-hash" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/consistent-hash.wasm"))),
        "heartbeat" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/heartbeat.wasm"))),
        "least-busy" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/least-busy.wasm"))),
        "peak-ewma" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/peak-ewma.wasm"))),
        "prefix" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/prefix.wasm"))),
        "random" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/random.wasm"))),
        "reverse" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/reverse.wasm"))),
        _ => None,
    }
}

/// Whether these are the bytes of a plugin that ships: the build that made this program made them.
pub(super) fn is_shipped(bytes: &[u8]) -> bool {
    SHIPPED.iter().any(|name| shipped(name) == Some(bytes))
}

#[cfg(test)]
mod tests {
    use wit_component::{ComponentEncoder, DecodedWasm};
    use wit_parser::WorldItem;

    use super::*;

    /// Names of the interfaces that the component exports, and that it imports.
    fn interfaces(core: &[u8]) -> (Vec<String>, Vec<String>) {
        let component = ComponentEncoder::default().validate(true).module(core).unwrap().encode().unwrap();
        let DecodedWasm::Component(resolve, world) = wit_component::decode(&component).unwrap() else {
            panic!("not a component");
        };
        let names = |items: Vec<&WorldItem>| {
            let interfaces = items.into_iter().filter_map(|item| match item {
                WorldItem::Interface { id, .. } => resolve.id_of(*id),
                _ => None,
            });
            interfaces.collect::<Vec<_>>()
        };
        let world = &resolve.worlds[world];
        (names(world.exports.values().collect()), names(world.imports.values().collect()))
    }

    #[test]
    fn each_exports_its_roles_and_nothing_else() {
        const BALANCER: &[&str] = &["balancer", "describe", "handover"];
        let table: [(&str, &[&str], &[&str]); 10] = [
            ("bybusyness", BALANCER, &[]),
            ("byrequests", BALANCER, &[]),
            ("bytraffic", BALANCER, &["columns"]),
            ("consistent-hash", &["balancer", "describe"], &[]),
            ("heartbeat", BALANCER, &["columns"]),
            ("least-busy", BALANCER, &[]),
            ("peak-ewma", BALANCER, &["clock", "columns"]),
            ("prefix", &["describe", "repetition", "router"], &["request"]),
            ("random", BALANCER, &[]),
            ("reverse", &["describe", "rewriter"], &[]),
        ];
        assert!(table.iter().map(|(name, ..)| *name).eq(SHIPPED));

        let full =
            |names: &[&str]| names.iter().map(|name| format!("tidegate:plugin/{name}@0.1.0")).collect::<Vec<_>>();
        for (name, roles, needs) in table {
            let (mut exports, mut imports) = interfaces(shipped(name).unwrap());
            exports.sort();
            // Types ask for nothing, and panics are logged.
            imports.retain(|import| !full(&["log", "types"]).contains(import));
            imports.sort();

            assert_eq!(exports, full(roles), "{name}");
            assert_eq!(imports, full(needs), "{name}");
        }
    }

    /// Whoever adds what is worth more than a tenth sets the size anew, and says why.
    #[test]
    fn none_grows_by_more_than_a_tenth_unnoticed() {
        let bytes = [
            ("bybusyness", 60_645),
            ("byrequests", 60_800),
            ("bytraffic", 62_929),
            ("consistent-hash", 136_470),
            ("heartbeat", 74_224),
            ("least-busy", 87_361),
            ("peak-ewma", 88_903),
            ("prefix", 718_760), // of which 80 KB are the conditions of routes
            ("random", 45_995),
            ("reverse", 165_234), // of which 40 KB are what its table form maps
        ];
        assert!(bytes.iter().map(|(name, _)| *name).eq(SHIPPED));

        for (name, usual) in bytes {
            let found = shipped(name).unwrap().len();
            assert!(found <= usual + usual / 10, "{name}: {found} bytes instead of {usual}");
        }
    }

    #[test]
    fn every_name_is_shipped() {
        assert!(SHIPPED.iter().all(|name| shipped(name).is_some()));
        assert!(shipped("nobody").is_none());
        assert!(is_shipped(shipped("random").unwrap()) && !is_shipped(b""));
    }
}
