//! The plugins that come with the gateway, compiled from their sources by the build script.

/// Names that need no `[plugin.NAME]`.
pub const SHIPPED: [&str; 3] = ["bybusyness", "prefix", "reverse"];

/// The core module of a shipped plugin.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static [u8]> {
    match name {
        "bybusyness" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/bybusyness.wasm"))),
        "prefix" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/prefix.wasm"))),
        "reverse" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/reverse.wasm"))),
        _ => None,
    }
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
        let table: [(&str, &[&str]); 3] = [
            ("bybusyness", &["balancer", "describe", "handover"]),
            ("prefix", &["describe", "repetition", "router"]),
            ("reverse", &["describe", "rewriter"]),
        ];

        for (name, roles) in table {
            let (mut exports, imports) = interfaces(shipped(name).unwrap());
            exports.sort();

            let expected: Vec<_> = roles.iter().map(|role| format!("tidegate:plugin/{role}@0.1.0")).collect();
            assert_eq!(exports, expected, "{name}");
            let asked = ["tidegate:plugin/log@0.1.0", "tidegate:plugin/types@0.1.0"];
            assert!(imports.iter().all(|import| asked.contains(&import.as_str())), "{name} imports {imports:?}");
        }
    }

    #[test]
    fn every_name_is_shipped() {
        assert!(SHIPPED.iter().all(|name| shipped(name).is_some()));
        assert!(shipped("nobody").is_none());
    }
}
