//! What cannot be followed is refused where it is written.

use syn::parse_str;

use crate::implementation;

fn refusal(written: &str) -> String {
    implementation(&parse_str(written).unwrap()).map_or_else(|error| error.to_string(), |_| "taken".to_owned())
}

#[test]
fn what_would_make_the_schema_wrong_is_refused() {
    let table = [
        ("struct A { #[serde(alias = \"old\")] a: u32 }", "serde's `alias`"),
        ("enum A { #[serde(alias = \"old\")] B }", "serde's `alias`"),
        ("struct A(#[serde(deserialize_with = \"f\")] u32);", "serde's `deserialize_with`"),
        ("struct A(#[serde(skip)] u32);", "at the value of"),
        ("struct A { #[serde(flatten)] a: u32 }", "serde's `flatten`"),
        ("#[serde(tag = \"t\")] enum A { B }", "serde's `tag`"),
        ("#[serde(variant_identifier)] enum A { B }", "serde's `variant_identifier`"),
        ("enum A { #[serde(untagged)] B }", "serde's `untagged`"),
        ("enum A { #[config(non_empty)] B }", "a word has no limits"),
        ("struct A(#[config(range = 1..9)] u32);", "both limits are allowed values"),
        ("struct A(#[config(most = 9)] u32);", "expected `range"),
    ];
    for (written, expected) in table {
        let found = refusal(written);
        assert!(found.contains(expected), "{written}: {found}");
    }
}

#[test]
fn what_only_concerns_writing_is_taken() {
    for written in [
        "#[serde(crate = \"s\", expecting = \"a\", rename = \"B\")] struct A { #[serde(skip_serializing_if = \"f\")] a: u32 }",
        "struct A { #[serde(rename(serialize = \"b\"), serialize_with = \"f\", borrow)] a: u32 }",
        "#[serde(rename_all(deserialize = \"lowercase\"))] enum A { B }",
    ] {
        assert_eq!(refusal(written), "taken", "{written}");
    }
}
