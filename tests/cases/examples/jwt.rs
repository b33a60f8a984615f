//! Tokens in front of a route, with keys that change.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use tidegate_tests::{Answer, Gateway, Origin, Setup, upgrade_request};

use crate::examples::setup;
use crate::running::{Running, replace};

/// Base64 for addresses (RFC 4648 §5), without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let letters = bytes.chunks(3).flat_map(|chunk| {
        let bits = (0..3).fold(0, |bits: usize, at| bits << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
        (0..=chunk.len()).map(move |at| char::from(LETTERS[bits >> (18 - 6 * at) & 63]))
    });
    letters.collect()
}

/// Somebody who signs tokens, under a name.
struct Signer(&'static str, KeyPair);

impl Signer {
    fn named(name: &'static str) -> Self {
        Self(name, KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap())
    }

    fn key(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.0, "x": base64url(self.1.der_bytes()) })
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "kid": self.0 }).to_string();
        let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.to_string().as_bytes()));
        let signature = base64url(&self.1.sign(signed.as_bytes()).unwrap());
        format!("{signed}.{signature}")
    }

    /// A token for `user` that does not expire while a test runs.
    fn token(&self, user: &str) -> String {
        self.sign(&claims(user, 4_000_000_000))
    }
}

fn claims(user: &str, expires: u64) -> Value {
    json!({ "iss": "https://id.example", "aud": "app", "sub": user, "scope": "read write", "exp": expires })
}

fn keys(signers: &[&Signer]) -> String {
    json!({ "keys": signers.iter().map(|signer| signer.key()).collect::<Vec<_>>() }).to_string()
}

fn configured(app: &Origin, signers: &[&Signer]) -> Setup {
    setup("jwt", &[app], &[]).file("keys.json", keys(signers))
}

async fn ask(gateway: &Gateway, token: &str) -> Answer {
    let request = Request::get("/a").header("host", "front.example").header("authorization", format!("Bearer {token}"));
    gateway
        .send(request.header("x-user", "root").header("x-scope", "all").body(Full::<Bytes>::default()).unwrap())
        .await
}

#[tokio::test]
async fn claims_of_a_token_reach_the_endpoint_and_those_of_a_client_do_not() {
    let (app, signer) = (Origin::named("app").start().await, Signer::named("one"));
    let gateway = configured(&app, &[&signer]).start().await;

    let seen = ask(&gateway, &signer.token("alice")).await.seen();

    assert_eq!(seen.all("x-user"), ["alice"]);
    assert_eq!(seen.all("x-scope"), ["read write"]);
    let without =
        ask(&gateway, &signer.sign(&json!({ "iss": "https://id.example", "aud": "app", "exp": 4e9 }))).await.seen();
    assert!(without.all("x-user").is_empty() && without.all("x-scope").is_empty(), "a client does not say who it is");
}

#[tokio::test]
async fn without_a_good_token_nothing_reaches_the_endpoint() {
    let (app, signer) = (Origin::named("app").start().await, Signer::named("one"));
    let gateway = configured(&app, &[&signer]).start().await;
    let stranger = Signer::named("one");

    let bare = gateway.send(Request::get("/").header("host", "front.example").body(Full::default()).unwrap()).await;
    assert_eq!((bare.status.as_u16(), &bare.headers["www-authenticate"]), (401, &"Bearer".parse().unwrap()));
    for (token, why) in [
        (signer.sign(&claims("alice", 1_000_000_000)), "it has expired"),
        (stranger.token("alice"), "its signature is wrong"),
        (Signer::named("two").token("alice"), "it is signed with an unknown key"),
        (
            format!(
                "{}.{}.",
                base64url(br#"{"alg":"none"}"#),
                base64url(claims("alice", 4_000_000_000).to_string().as_bytes())
            ),
            "it is signed with another algorithm than its key is for",
        ),
    ] {
        let refused = ask(&gateway, &token).await;
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        assert_eq!(challenge, format!("Bearer error=\"invalid_token\", error_description=\"{why}\""));
        assert_eq!(refused.status, 401);
    }
    assert!(gateway.try_websocket(upgrade_request("/websocket")).await.is_err());
    assert!(app.seen().is_empty());
}

#[tokio::test]
async fn a_browser_offers_its_token_as_a_subprotocol() {
    let (app, signer) = (Origin::named("app").start().await, Signer::named("one"));
    let gateway = configured(&app, &[&signer]).start().await;
    let offer = |token: &str| {
        let mut request = upgrade_request("/websocket");
        let offered = format!("bearer, {token}").parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", offered);
        request
    };

    let websocket = gateway.try_websocket(offer(&signer.token("alice"))).await.unwrap();

    assert_eq!(websocket.headers()["sec-websocket-protocol"], "bearer", "the endpoint answers one of them");
    assert!(gateway.try_websocket(offer(&Signer::named("one").token("alice"))).await.is_err());
}

#[tokio::test]
async fn keys_change_while_a_websocket_stays_open_and_bad_ones_are_refused() {
    let (app, old, new) = (Origin::named("app").start().await, Signer::named("old"), Signer::named("new"));
    let running = Running::start(configured(&app, &[&old])).await;
    let file = running.folder().join("keys.json");
    let path = |signer: &Signer| format!("/websocket?access_token={}", signer.token("alice"));
    let mut held = running.websocket(&path(&old)).await;

    running.swapped_by(|| replace(&file, keys(&[&new]).as_bytes())).await;

    held.echo("with a key that is gone").await;
    assert_eq!((running.status(&path(&old)).await, running.status(&path(&new)).await), (401, 200));
    let line = running.refused_after(|| replace(&file, br#"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#)).await;
    assert!(line.contains("key 1 of the JWK Set: expected a secret of at least 32 bytes"), "{line}");
    assert_eq!(running.status(&path(&new)).await, 200, "the keys before go on deciding");
    held.echo("still open").await;
}
