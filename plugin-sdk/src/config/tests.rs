use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read")]
struct Sample {
    routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read")]
struct Route {
    path: String,
    weight: Option<u32>,
}

#[test]
fn fault_points_at_the_value() {
    let table = [
        (r#"{"routes":[{"path":"/"},{"path":7}]}"#, "/routes/1/path"),
        (r#"{"routes":[{"path":"/"},{"weight":1}]}"#, "/routes/1"),
        ("{\"routes\":[\n{\"path\":\"/\",\n \"weight\":\"x\"}]}", "/routes/0/weight"),
        (r#"{"routes":[{"path":"/\"","wieght":1}]}"#, "/routes/0/wieght"),
        (r#"{"routes":[{"path":"/","a/b~c":1}]}"#, "/routes/0/a~1b~0c"),
        (r#"{"routes":{}}"#, "/routes"),
        ("7", ""),
        ("{", ""),
    ];

    for (json, pointer) in table {
        let errors = parse::<Sample>(json).unwrap_err();
        assert_eq!(errors[0].path, pointer, "{json}: {errors:?}");
    }
}

#[test]
fn nothing_means_null_or_an_empty_object() {
    assert!(nothing("null").is_ok() && nothing("{ }").is_ok() && nothing("{\"a\":1}").is_err());
    let (routes, other) = (r#"{ "routes": [{"path":"/"}]}"#, r#"{"route":[]}"#);
    assert!(
        nothing_but_routes("{}").is_ok() && nothing_but_routes(routes).is_ok() && nothing_but_routes(other).is_err()
    );
    assert!(parse_or_default::<Sample>("null").is_ok(), "left out means default");
}

/// Of everything that the derive follows, one.
#[derive(Debug, PartialEq, Deserialize, Config)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Everything {
    /// Required,
    /// in two lines.
    #[config(range = 1..=HOUR)]
    slow_after: u32,
    #[serde(default = "three")]
    #[config(range = ..=9)]
    tries: u8,
    #[serde(rename = "share")]
    #[config(range = 0.5..)]
    portion: Option<f64>,
    #[serde(default)]
    #[config(non_empty)]
    names: Vec<Name>,
    #[serde(default)]
    by_name: BTreeMap<String, Part>,
    mode: Option<Mode>,
    #[serde(skip)]
    ready: bool,
}

#[derive(Debug, PartialEq, Deserialize, Config)]
struct Name(String);

#[derive(Debug, PartialEq, Deserialize, Config)]
#[serde(default)]
struct Part {
    #[config(range = 1..=100)]
    weight: i64,
    label: String,
}

#[derive(Debug, PartialEq, Deserialize, Config)]
#[serde(rename_all = "snake_case")]
enum Mode {
    AllAtOnce,
    #[serde(rename = "one\"")]
    One,
}

const HOUR: u32 = 3600;

fn three() -> u8 {
    3
}

impl Default for Part {
    fn default() -> Self {
        Self { weight: 7, label: "a\\\u{1}é".to_owned() }
    }
}

#[test]
fn schema_follows_types_attributes_and_defaults() {
    let name = r#"{"type":"string"}"#;
    let part = r#"{"type":"object","properties":{"weight":{"type":"integer","minimum":1,"maximum":100,"default":7},"label":{"type":"string","default":"a\\\u0001é"}}}"#;
    let expected = [
        r#"{"type":"object","additionalProperties":false,"required":["slow-after"],"properties":{"#,
        r#""slow-after":{"type":"integer","minimum":1,"maximum":3600,"description":"Required, in two lines."},"#,
        r#""tries":{"type":"integer","maximum":9,"default":3},"#,
        r#""share":{"type":"number","minimum":0.5},"#,
        &format!(r#""names":{{"type":"array","items":{name},"default":[],"minItems":1}},"#),
        &format!(r#""by-name":{{"type":"object","additionalProperties":{part},"default":{{}}}},"#),
        r#""mode":{"enum":["all_at_once","one\""]}}}"#,
    ];

    assert_eq!(Everything::schema(), expected.concat());
}

#[test]
fn every_value_out_of_its_range_is_a_fault_at_its_place() {
    let config = r#"{"slow-after":3601,"tries":10,"share":0.25,"by-name":{"a/b":{"weight":0},"c":{}}}"#;

    let faults = Everything::read(config).unwrap_err();

    let found: Vec<_> = faults.iter().map(|fault| (&*fault.path, &*fault.message)).collect();
    let expected = [
        ("/slow-after", "expected 1 to 3600, found 3601"),
        ("/tries", "expected at most 9, found 10"),
        ("/share", "expected at least 0.5, found 0.25"),
        ("/names", "expected something, found it empty"),
        ("/by-name/a~1b/weight", "expected 1 to 100, found 0"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_was_read_is_what_was_written() {
    let config =
        r#" {"slow-after":1,"tries":0,"share":1e2,"names":["\u00e9\ud83c\udf0a\n"],"by-name":{},"mode":"one\""} "#;

    let read = Everything::read(config).unwrap();

    let names = vec![Name("é🌊\n".to_owned())];
    let (portion, mode) = (Some(100.0), Some(Mode::One));
    let by_name = BTreeMap::new();
    assert_eq!(read, Everything { slow_after: 1, tries: 0, portion, names, by_name, mode, ready: false });
}

#[test]
fn left_out_is_the_default_and_what_is_required_is_named() {
    assert_eq!(Part::read("null").unwrap(), Part::default());
    let faults = Everything::read("null").unwrap_err();
    assert_eq!((&*faults[0].path, &*faults[0].message), ("", "missing field `slow-after`"));
}

#[test]
fn messages_say_what_was_expected_and_what_was_found() {
    let table = [
        (r#"{"slow-after":"10s"}"#, "/slow-after", "expected a whole number from 0 to 4294967295, found \"10s\""),
        (r#"{"slow-after":-1}"#, "/slow-after", "expected a whole number from 0 to 4294967295, found -1"),
        (r#"{"slow-after":1.5}"#, "/slow-after", "expected a whole number from 0 to 4294967295, found 1.5"),
        (
            r#"{"slow-after":4294967296}"#,
            "/slow-after",
            "expected a whole number from 0 to 4294967295, found 4294967296",
        ),
        (r#"{"slow-after":1,"share":true}"#, "/share", "expected a number, found true"),
        (r#"{"slow-after":1,"names":"a"}"#, "/names", "expected a list, found \"a\""),
        (r#"{"slow-after":1,"names":["a",null]}"#, "/names/1", "expected a string, found null"),
        (r#"{"slow-after":1,"mode":"two"}"#, "/mode", "unknown variant `two`, expected `all_at_once` or `one\"`"),
        (r#"{"slow-after":1,"by-name":{"a":[]}}"#, "/by-name/a", "expected an object, found a list"),
        (r#"{"slow-after":1} x"#, "", "expected the end of the JSON text, found x"),
        (r#"{"slow-after":1,}"#, "", "expected a text in quotes, found }"),
        (r#"{"slow-after":}"#, "/slow-after", "expected a JSON value, found }"),
        (r#"[1]"#, "", "expected an object, found a list"),
    ];

    for (config, path, message) in table {
        let faults = Everything::read(config).unwrap_err();
        assert_eq!((&*faults[0].path, &*faults[0].message), (path, message), "{config}");
    }
}

#[test]
fn a_list_that_never_ends_is_no_overflow() {
    let deep = "[".repeat(100_000);

    let faults = parse::<serde::de::IgnoredAny>(&deep).unwrap_err();

    assert!(faults[0].message.contains("inside each other"), "{faults:?}");
}

/// Enums with data are read as serde writes them.
#[test]
fn variants_with_data_are_read() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase", deny_unknown_fields)]
    enum Action {
        Exclude,
        Forward { to: String },
        Respond(u16),
        Pair(u8, u8),
    }

    let read = |json| parse::<Vec<Action>>(json);

    let json = r#"["exclude",{"forward":{"to":"a"}},{"respond":404},{"pair":[1,2]},{"exclude":null}]"#;
    let expected = vec![
        Action::Exclude,
        Action::Forward { to: "a".to_owned() },
        Action::Respond(404),
        Action::Pair(1, 2),
        Action::Exclude,
    ];
    assert_eq!(read(json).unwrap(), expected);
    for (json, path) in [
        (r#"[{"forward":{"to":1}}]"#, "/0/forward/to"),
        (r#"[{"respond":70000}]"#, "/0/respond"),
        (r#"[{"redirect":1}]"#, "/0/redirect"),
        (r#"[{"respond":1,"exclude":1}]"#, "/0"),
        (r#"[{}]"#, "/0"),
        (r#"["forward"]"#, "/0"),
    ] {
        assert_eq!(read(json).unwrap_err()[0].path, path, "{json}");
    }
}

#[derive(Debug, PartialEq, Deserialize, Config)]
struct Percent(#[config(range = 1..=100)] u32);

#[derive(Debug, PartialEq, Deserialize, Config)]
struct Label(#[config(non_empty)] String);

#[derive(Debug, PartialEq, Deserialize, Config)]
#[allow(non_camel_case_types, reason = "as it is written")]
enum Kind {
    r#type,
}

#[derive(Debug, PartialEq, Deserialize, Config)]
#[serde(rename_all = "lowercase")]
enum Size {
    GrÖße,
}

#[derive(Debug, PartialEq, Deserialize, Config)]
struct Wrapped {
    share: Percent,
    label: Label,
    kind: Kind,
    size: Size,
}

#[test]
fn limits_of_a_wrapped_value_and_words_are_those_that_serde_reads() {
    let expected = [
        r#"{"type":"object","required":["share","label","kind","size"],"properties":{"#,
        r#""share":{"type":"integer","minimum":1,"maximum":100},"#,
        r#""label":{"type":"string","minLength":1},"kind":{"enum":["type"]},"size":{"enum":["grÖße"]}}}"#,
    ];
    assert_eq!(Wrapped::schema(), expected.concat());

    let faults = Wrapped::read(r#"{"share":101,"label":"","kind":"type","size":"grÖße"}"#).unwrap_err();
    let found: Vec<_> = faults.iter().map(|fault| (&*fault.path, &*fault.message)).collect();
    let expected = [("/share", "expected 1 to 100, found 101"), ("/label", "expected something, found it empty")];
    assert_eq!(found, expected);
}
