//! The keys that tokens are checked with: a JWK Set (RFC 7517 §5).

use chrono::DateTime;
use jwt_compact::alg::{Ed25519, Es256, Hs256, Rsa};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmExt as _, Claims, TimeOptions, Token, UntrustedToken, ValidationError};
use rsa::RsaPublicKey;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Map, Value};

/// Shortest modulus of an RSA key, in bytes (RFC 7518 §3.3: 2048 bits).
const SHORTEST_MODULUS: usize = 256;

/// Shortest secret of HS256, in bytes (RFC 7518 §3.2: as long as the hash).
const SHORTEST_SECRET: usize = 32;

/// What a token says of its bearer.
pub(crate) type TokenClaims = Claims<Map<String, Value>>;

type KeyOf<A> = <A as Algorithm>::VerifyingKey;

/// One key, with the one algorithm that it is for: what a token says of its algorithm is compared, and never chooses
/// (RFC 8725 §3.1).
enum Verifier {
    Hs256(KeyOf<Hs256>),
    Es256(KeyOf<Es256>),
    EdDsa(KeyOf<Ed25519>),
    Rs256(RsaPublicKey),
}

/// A set of keys.
pub(crate) struct Keys(Vec<(Option<String>, Verifier)>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The keys of HS256 are secrets.
        write!(formatter, "{} keys", self.0.len())
    }
}

impl Keys {
    /// Reads `{"keys": […]}`.
    ///
    /// # Errors
    /// What was expected, for the operator. No key is quoted.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let set: Value = serde_json::from_str(text)
            .map_err(|error| format!("expected a JWK Set, {{\"keys\": […]}}, found no JSON: line {}", error.line()))?;
        let keys = set.get("keys").and_then(Value::as_array).filter(|keys| !keys.is_empty());
        let keys = keys.ok_or("expected a JWK Set, {\"keys\": […]}, with at least one key")?;
        let keys: Vec<_> = keys
            .iter()
            .enumerate()
            .map(|(number, key)| {
                read_key(key).map_err(|problem| format!("key {} of the JWK Set: {problem}", number + 1))
            })
            .collect::<Result<_, _>>()?;
        if keys.len() > 1 && keys.iter().any(|(name, _)| name.is_none()) {
            return Err("expected a `kid` in each key of several, for tokens to name theirs".to_owned());
        }
        Ok(Self(keys))
    }

    /// Checks the signature of `token`, and that it is of now: `seconds` since 1970, give or take `leeway`.
    ///
    /// # Errors
    /// Why it is not to be trusted, for the client.
    pub(crate) fn check(&self, token: &str, seconds: f64, leeway: u32) -> Result<TokenClaims, &'static str> {
        let token = UntrustedToken::<Map<String, Value>>::try_from(token);
        let token = token.map_err(|_| "no token of this form is accepted")?;
        // Who does not understand what must be understood refuses it (RFC 7515 §4.1.11); nothing of the kind is here.
        if token.header().other_fields.contains_key("crit") {
            return Err("it asks for more than is understood here: `crit`");
        }
        let name = token.header().key_id.as_deref();
        let named = self.0.iter().find(|(key, _)| name.is_some() && key.as_deref() == name);
        // A key that stands alone needs no name, and then tokens need none.
        let only = self.0.first().filter(|(key, _)| self.0.len() == 1 && (key.is_none() || name.is_none()));
        let (_, verifier) = named.or(only).ok_or("it is signed with an unknown key")?;
        let checked: Result<Token<_, _>, _> = match verifier {
            Verifier::Hs256(key) => Hs256.validator(key).validate(&token),
            Verifier::Es256(key) => Es256.validator(key).validate(&token),
            Verifier::EdDsa(key) => Ed25519.validator(key).validate(&token),
            Verifier::Rs256(key) => Rsa::rs256().validator(key).validate(&token),
        };
        let claims = checked.map_err(|error| match error {
            ValidationError::AlgorithmMismatch { .. } => "it is signed with another algorithm than its key is for",
            ValidationError::MalformedClaims(_) => "its claims cannot be read",
            _ => "its signature is wrong",
        })?;
        let claims = claims.into_parts().1;
        let now = DateTime::from_timestamp(seconds as i64, 0).unwrap_or_default();
        let times = TimeOptions::new(chrono::Duration::seconds(i64::from(leeway)), move || now);
        claims.validate_expiration(&times).map_err(|error| match error {
            ValidationError::NoClaim(_) => "it never expires: `exp` is missing",
            _ => "it has expired",
        })?;
        if claims.not_before.is_some() {
            claims.validate_maturity(&times).map_err(|_| "it is not valid yet")?;
        }
        Ok(claims)
    }
}

fn read_key(key: &Value) -> Result<(Option<String>, Verifier), String> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let jwk: JsonWebKey<'_> =
        serde_json::from_value(key.clone()).map_err(|_| "expected a JWK of type RSA, EC, OKP or oct (RFC 7517 §4)")?;
    if text("use").is_some_and(|used| used != "sig") {
        return Err("expected a key for signatures (`use` of \"sig\")".to_owned());
    }
    let is_for = |algorithm: &str| text("alg").is_none_or(|said| said == algorithm);
    let wrong = |what: &str| format!("expected {what}");
    let verifier = match text("kty") {
        Some("RSA") if is_for("RS256") => {
            let public = RsaPublicKey::try_from(&jwk).map_err(|_| wrong("an RSA key that can be read"))?;
            if public.size() < SHORTEST_MODULUS {
                return Err(wrong("an RSA key of at least 2048 bits"));
            }
            Verifier::Rs256(public)
        }
        Some("EC") if is_for("ES256") => {
            Verifier::Es256(KeyOf::<Es256>::try_from(&jwk).map_err(|_| wrong("an EC key on the curve P-256"))?)
        }
        Some("OKP") if is_for("EdDSA") || is_for("Ed25519") => {
            Verifier::EdDsa(KeyOf::<Ed25519>::try_from(&jwk).map_err(|_| wrong("an OKP key on the curve Ed25519"))?)
        }
        Some("oct") if is_for("HS256") => {
            let JsonWebKey::Symmetric { secret } = &jwk else { return Err(wrong("a secret")) };
            if secret.len() < SHORTEST_SECRET {
                return Err(wrong("a secret of at least 32 bytes"));
            }
            Verifier::Hs256(KeyOf::<Hs256>::try_from(&jwk).map_err(|_| wrong("a secret that can be read"))?)
        }
        _ => return Err(wrong("a key for RS256, ES256, EdDSA (Ed25519) or HS256, which `kty` and `alg` say")),
    };
    Ok((text("kid").map(str::to_owned), verifier))
}
