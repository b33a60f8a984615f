//! What wit-bindgen makes of the contract: one module per interface, so that a plugin exports only what it implements.
//!
//! Worlds of one interface each, and the imports once: the description of every world that is generated here stands in every
//! plugin. The types that several share are generated once, in [`balancing`], so that they are one Rust type.

#![allow(unsafe_code, reason = "the canonical ABI is raw memory")]
#![allow(missing_docs, reason = "what the contract says nothing about, wit-bindgen does not either")]
#![allow(unreachable_pub, reason = "generated")]
#![allow(clippy::all, clippy::allow_attributes_without_reason, reason = "generated")]
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic,
    clippy::unwrap_used,
    reason = "generated"
)]

pub mod imports {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "imports",
        additional_derives: [PartialEq],
        with: { "tidegate:plugin/types@0.1.0": crate::bindings::balancing::tidegate::plugin::types },
    });
}

pub mod balancing {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "balancing",
        pub_export_macro: true,
        additional_derives: [PartialEq],
    });
}

pub mod choosing {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "choosing",
        pub_export_macro: true,
        additional_derives: [PartialEq],
        with: { "tidegate:plugin/types@0.1.0": crate::bindings::balancing::tidegate::plugin::types },
    });
}

pub mod routing {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "routing",
        pub_export_macro: true,
        additional_derives: [PartialEq],
        with: { "tidegate:plugin/types@0.1.0": crate::bindings::balancing::tidegate::plugin::types },
    });
}

pub mod rewriting {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "rewriting",
        pub_export_macro: true,
        additional_derives: [PartialEq],
        with: { "tidegate:plugin/types@0.1.0": crate::bindings::balancing::tidegate::plugin::types },
    });
}

pub mod describing {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "describing",
        pub_export_macro: true,
        additional_derives: [PartialEq],
    });
}

pub mod feeding_back {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "feeding-back",
        pub_export_macro: true,
        additional_derives: [PartialEq],
    });
}

pub mod previewing {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "previewing",
        pub_export_macro: true,
        additional_derives: [PartialEq],
    });
}

pub mod repeating {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "repeating",
        pub_export_macro: true,
    });
}

pub mod handing_over {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "handing-over",
        pub_export_macro: true,
    });
}
