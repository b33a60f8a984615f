//! What wit-bindgen makes of the contract: one module per world, so that a plugin exports only what it implements.
//!
//! Interfaces that several worlds share are generated once, in [`balancer_plugin`], so that they are one Rust type.

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

pub mod balancer_plugin {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "balancer-plugin",
        pub_export_macro: true,
        additional_derives: [PartialEq],
    });
}

pub mod router_plugin {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "router-plugin",
        pub_export_macro: true,
        additional_derives: [PartialEq],
        with: {
            "tidegate:plugin/types@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::types,
            "tidegate:plugin/log@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::log,
            "tidegate:plugin/request@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::request,
            "tidegate:plugin/columns@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::columns,
            "tidegate:plugin/counters@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::counters,
            "tidegate:plugin/clock@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::clock,
            "tidegate:plugin/table@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::table,
        },
    });
}

pub mod rewriter_plugin {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "rewriter-plugin",
        pub_export_macro: true,
        additional_derives: [PartialEq],
        with: {
            "tidegate:plugin/types@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::types,
            "tidegate:plugin/log@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::log,
            "tidegate:plugin/request@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::request,
            "tidegate:plugin/columns@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::columns,
            "tidegate:plugin/counters@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::counters,
            "tidegate:plugin/clock@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::clock,
            "tidegate:plugin/table@0.1.0": crate::bindings::balancer_plugin::tidegate::plugin::table,
        },
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
