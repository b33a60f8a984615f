use chrono::DateTime;
use jwt_compact::alg::{Ed25519, Es256, Hs256, Hs256Key, Rsa, RsaPrivateKey, SigningKey as _};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{AlgorithmExt as _, Claims, Header};
use serde_json::{Map, Value, json};
use tidegate_plugin::edits::Side;
use tidegate_plugin::fake::{Edited, Host, request};
use tidegate_plugin::{Decision, Router as _};

use super::ByToken;

const NOW: i64 = 1_800_000_000;
const SECRET: &[u8] = b"a secret of thirty-two bytes or more";

fn jwk(key: &JsonWebKey<'_>, name: &str) -> Value {
    let mut key = serde_json::to_value(key).unwrap();
    key["kid"] = name.into();
    key
}

fn secret(name: &str) -> Value {
    jwk(&(&Hs256Key::new(SECRET)).into(), name)
}

fn claims(custom: Value) -> Claims<Map<String, Value>> {
    let Value::Object(custom) = custom else { panic!("an object") };
    let mut claims = Claims::new(custom);
    claims.expiration = DateTime::from_timestamp(NOW + 3600, 0);
    claims
}

fn signed(custom: Value) -> String {
    Hs256.token(&Header::empty(), &claims(custom), &Hs256Key::new(SECRET)).unwrap()
}

fn plugin(keys: &[Value], rest: Value) -> ByToken {
    let mut config = rest;
    config["keys"] = json!({ "keys": keys }).to_string().into();
    ByToken::configure(&config.to_string(), Vec::new()).unwrap()
}

/// What becomes of a request with this token: what the client is told, or nothing.
fn told(plugin: &mut ByToken, host: &Host, token: &str) -> Option<String> {
    host.next_request().wall(NOW as f64).header("authorization", &format!("Bearer {token}"));
    challenge(plugin.route(&request()))
}

fn challenge(decision: Decision) -> Option<String> {
    match decision {
        Decision::Next => None,
        Decision::Respond(response) => Some(format!("{} {}", response.status, response.headers[0].1)),
        other => panic!("{other:?}"),
    }
}

fn invalid(why: &str) -> Option<String> {
    Some(format!("401 Bearer error=\"invalid_token\", error_description=\"{why}\""))
}

#[test]
fn each_algorithm_is_checked_with_the_key_that_the_token_names() {
    let host = Host::new();
    let rsa = rsa::RsaPrivateKey::new(&mut rand::thread_rng(), 2048).unwrap();
    let ec = p256(7);
    let edwards = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let rs = RsaPrivateKey::try_from(rsa).unwrap();
    let keys = [
        secret("a"),
        jwk(&(&ec.to_verifying_key()).into(), "b"),
        jwk(&(&edwards.to_verifying_key()).into(), "c"),
        jwk(&(&rs.to_public_key()).into(), "d"),
    ];
    let mut plugin = plugin(&keys, json!({}));
    let claims = claims(json!({}));
    let named = |name: &str| Header::empty().with_key_id(name);

    let tokens = [
        Hs256.token(&named("a"), &claims, &Hs256Key::new(SECRET)).unwrap(),
        Es256.token(&named("b"), &claims, &ec).unwrap(),
        Ed25519.token(&named("c"), &claims, &edwards).unwrap(),
        Rsa::rs256().token(&named("d"), &claims, &rs).unwrap(),
    ];

    for token in &tokens {
        assert_eq!(told(&mut plugin, &host, token), None);
        let changed = format!("{}{}", &token[..token.len() - 4], "AAAA");
        assert_eq!(told(&mut plugin, &host, &changed), invalid("its signature is wrong"));
    }
    // Each is right, under the name of another's key.
    let swapped = Hs256.token(&named("d"), &claims, &Hs256Key::new(SECRET)).unwrap();
    assert_eq!(told(&mut plugin, &host, &swapped), invalid("it is signed with another algorithm than its key is for"));
    let unknown = Hs256.token(&named("e"), &claims, &Hs256Key::new(SECRET)).unwrap();
    assert_eq!(told(&mut plugin, &host, &unknown), invalid("it is signed with an unknown key"));
    assert_eq!(told(&mut plugin, &host, &signed(json!({}))), invalid("it is signed with an unknown key"));
}

fn p256(seed: u8) -> <Es256 as jwt_compact::Algorithm>::SigningKey {
    jwt_compact::alg::SigningKey::<Es256>::from_slice(&[seed; 32]).unwrap()
}

#[test]
fn what_says_that_it_needs_no_signature_or_is_no_token_is_refused() {
    let host = Host::new();
    let mut plugin = plugin(&[secret("a")], json!({}));
    let unsigned = "eyJhbGciOiJub25lIn0.eyJleHAiOjk5OTk5OTk5OTl9.";

    for token in [unsigned, "", ".", "..", "a.b.c", "e30.e30.e30", &"x".repeat(8192)] {
        let told = told(&mut plugin, &host, token).unwrap();
        assert!(told.starts_with("401 Bearer error=\"invalid_token\""), "{token}: {told}");
    }
    assert_eq!(told(&mut plugin, &host, &"x".repeat(8193)), invalid("it is too long"));
    let critical = Header::new(json!({ "crit": ["b64"], "b64": false }));
    let critical = Hs256.token(&critical, &claims(json!({})), &Hs256Key::new(SECRET)).unwrap();
    assert_eq!(told(&mut plugin, &host, &critical), invalid("it asks for more than is understood here: `crit`"));
}

#[test]
fn a_token_is_good_for_its_time_by_the_wall_clock_of_the_gateway() {
    let host = Host::new();
    let mut plugin = plugin(&[secret("a")], json!({ "leeway": 60 }));
    let mut of = |expires: Option<i64>, begins: Option<i64>| {
        let mut claims = claims(json!({}));
        claims.expiration = expires.and_then(|seconds| DateTime::from_timestamp(NOW + seconds, 0));
        claims.not_before = begins.and_then(|seconds| DateTime::from_timestamp(NOW + seconds, 0));
        told(&mut plugin, &host, &Hs256.token(&Header::empty(), &claims, &Hs256Key::new(SECRET)).unwrap())
    };

    assert_eq!((of(Some(10), None), of(Some(-59), None), of(Some(10), Some(59))), (None, None, None));
    assert_eq!(of(Some(-61), None), invalid("it has expired"));
    assert_eq!(of(Some(100), Some(61)), invalid("it is not valid yet"));
    assert_eq!(of(None, None), invalid("it never expires: `exp` is missing"));
}

#[test]
fn issuer_and_audience_are_those_of_the_operator() {
    let host = Host::new();
    let mut named = plugin(&[secret("a")], json!({ "issuer": "me", "audience": "app" }));
    let mut of = |custom| told(&mut named, &host, &signed(custom));

    assert_eq!(of(json!({ "iss": "me", "aud": "app" })), None);
    assert_eq!(of(json!({ "iss": "me", "aud": ["else", "app"] })), None);
    assert_eq!(of(json!({ "iss": "you", "aud": "app" })), invalid("it is of another issuer"));
    for audience in [json!("ap"), json!([]), json!(null), json!([["app"]])] {
        assert_eq!(of(json!({ "iss": "me", "aud": audience })), invalid("it is for another audience"));
    }
    let mut nameless = plugin(&[secret("a")], json!({}));
    let told = told(&mut nameless, &host, &signed(json!({ "aud": "app" })));
    assert_eq!(told, invalid("it is for an audience, and this gateway has no name"));
}

#[test]
fn claims_become_headers_and_what_a_client_forged_is_taken_out() {
    let host = Host::new();
    let config = json!({ "claims": { "sub": "x-user", "roles": "x-roles", "age": "x-age", "gone": "x-gone", "deep": "x-deep" } });
    let mut plugin = plugin(&[secret("a")], config);
    let custom = json!({ "sub": "alice", "roles": ["a", "b"], "age": 7, "deep": { "a": 1 } });

    assert_eq!(told(&mut plugin, &host, &signed(custom)), None);

    let edits: Vec<String> = host.edits().iter().map(shown).collect();
    // In the order of the claims' names.
    let expected = ["set x-age 7", "remove x-deep", "remove x-gone", "set x-roles a,b", "set x-user alice"];
    assert_eq!(edits, expected);
    assert_eq!(host.noted("sub").as_deref(), Some("alice"));
    for custom in [json!({ "sub": "a\r\nx-admin: 1" }), json!({ "sub": "\u{7f}" })] {
        let told = told(&mut plugin, &host, &signed(custom));
        assert_eq!(told, invalid("a claim has characters that no header may have"));
        assert!(host.edits().is_empty());
    }
    assert_eq!(self::told(&mut plugin, &host, &signed(json!({ "roles": ["a", "b,admin"] }))), None);
    assert!(
        host.edits().iter().map(shown).any(|edit| edit == "remove x-roles"),
        "an item with a comma is two to a reader"
    );
}

fn shown(edit: &Edited) -> String {
    match edit {
        Edited::Set(Side::Request, name, value) => format!("set {name} {value}"),
        Edited::Remove(Side::Request, name) => format!("remove {name}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_comes_in_one_place_and_once() {
    let host = Host::new();
    let mut plugin = plugin(&[secret("a")], json!({ "query": "access_token" }));
    let token = signed(json!({}));
    let mut of = |headers: &[&str], query: Option<&str>| {
        host.next_request().wall(NOW as f64);
        for value in headers {
            host.header("authorization", value);
        }
        let mut line = request();
        line.query = query.map(str::to_owned);
        challenge(plugin.route(&line))
    };

    assert_eq!(of(&[], None), Some("401 Bearer".to_owned()));
    assert_eq!(of(&["Basic YTpi"], None), Some("401 Bearer".to_owned()));
    assert_eq!(of(&[&format!("bEARER  {token}")], None), None);
    assert_eq!(of(&[], Some(&format!("a=b&access_token={token}"))), None);
    assert_eq!(of(&[], Some(&format!("xaccess_token={token}"))), Some("401 Bearer".to_owned()));
    let several = Some(
        "400 Bearer error=\"invalid_request\", error_description=\"expected one token, found several\"".to_owned(),
    );
    assert_eq!(of(&[&format!("Bearer {token}")], Some(&format!("access_token={token}"))), several);
    assert_eq!(of(&[&format!("Bearer {token}"), "Bearer x"], None), several);
}

#[test]
fn a_websocket_may_offer_its_token_behind_a_subprotocol() {
    let host = Host::new();
    let mut plugin = plugin(&[secret("a")], json!({ "protocol": "bearer", "query": "access_token" }));
    let token = signed(json!({}));
    let mut of = |upgrade: Option<&str>, offered: &[&str], query: Option<&str>| {
        host.next_request().wall(NOW as f64);
        for field in offered {
            host.header("sec-websocket-protocol", field);
        }
        let mut line = request();
        (line.upgrade, line.query) = (upgrade.map(str::to_owned), query.map(str::to_owned));
        challenge(plugin.route(&line))
    };
    let websocket = Some("websocket");

    assert_eq!(of(websocket, &[&format!("bearer, {token}, chat")], None), None);
    assert_eq!(of(websocket, &["chat", "bearer", &token], None), None, "several fields are one list");
    let without = Some("401 Bearer".to_owned());
    assert_eq!(of(None, &[&format!("bearer, {token}")], None), without, "no websocket");
    assert_eq!(of(websocket, &[&format!("Bearer, {token}")], None), without, "names of subprotocols have a case");
    assert_eq!(of(websocket, &[&format!("{token}, bearer")], None), without);
    assert_eq!(
        of(websocket, &["bearer, x"], None).unwrap().split(',').next(),
        Some("401 Bearer error=\"invalid_token\"")
    );
    let several = of(websocket, &[&format!("bearer, {token}")], Some(&format!("access_token={token}")));
    assert!(several.unwrap().ends_with("expected one token, found several\""));
    let several = of(websocket, &[&format!("bearer, {token}, bearer, {token}")], None);
    assert!(several.unwrap().ends_with("expected one token, found several\""));
    for name in ["", "a b", "a,b"] {
        let config = json!({ "keys": json!({ "keys": [secret("a")] }).to_string(), "protocol": name });
        let faults = ByToken::configure(&config.to_string(), Vec::new()).unwrap_err();
        assert_eq!((faults.len(), faults[0].path.as_str()), (1, "/protocol"));
        assert!(faults[0].message.starts_with("expected the name of a subprotocol"), "{}", faults[0].message);
    }
}

#[test]
fn keys_that_cannot_be_used_are_refused_and_not_quoted() {
    let of = |keys: &str| {
        let faults = ByToken::configure(&json!({ "keys": keys }).to_string(), Vec::new()).unwrap_err();
        assert_eq!((faults.len(), faults[0].path.as_str()), (1, "/keys"));
        faults[0].message.clone()
    };
    let one = |key: Value| of(&json!({ "keys": [key] }).to_string());

    assert_eq!(of(""), "expected a JWK Set: write `secrets = { keys = \"keys.json\" }` in the plugin's section");
    assert_eq!(of("hush"), "expected a JWK Set, {\"keys\": […]}, found no JSON: line 1");
    assert_eq!(of("{\"keys\": []}"), "expected a JWK Set, {\"keys\": […]}, with at least one key");
    assert_eq!(
        one(json!({ "kty": "oct", "k": "c2hvcnQ" })),
        "key 1 of the JWK Set: expected a secret of at least 32 bytes"
    );
    let mut other = secret("a");
    other["alg"] = "HS512".into();
    let expected =
        "key 1 of the JWK Set: expected a key for RS256, ES256, EdDSA (Ed25519) or HS256, which `kty` and `alg` say";
    assert_eq!(one(other), expected);
    let mut nameless = secret("a");
    nameless.as_object_mut().unwrap().remove("kid");
    let several = json!({ "keys": [secret("b"), nameless] }).to_string();
    assert_eq!(of(&several), "expected a `kid` in each key of several, for tokens to name theirs");
    assert!(!one(json!({ "kty": "oct", "k": 7, "hush": "hush" })).contains("hush"));
}
