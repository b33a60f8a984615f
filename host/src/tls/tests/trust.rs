//! Certificates that are trusted as they are, and keys that are pinned. Real handshakes.

use std::fs;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};

use tokio::io::AsyncReadExt;

use super::{Authority, meet, server_tls, shake, trusting};
use crate::config::{CertificateFiles, ClientCertificate, ClientTls, ClusterProtocol, Pin, ServerTls, Verify};
use crate::tls::*;

/// What `openssl req -x509` makes: it signs itself, and is an authority (CA:TRUE).
fn own(
    authority: &Authority,
    file: &str,
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> CertificateFiles {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "localhost");
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    authority.write(file, &params.self_signed(&key).unwrap(), &key)
}

fn knowing(files: &CertificateFiles) -> ClientTls {
    ClientTls {
        ca: Some(files.certificate.clone()),
        verify: Verify::Full,
        pins: Vec::new(),
        server_name: None,
        identity: None,
    }
}

fn pin_of(files: &CertificateFiles) -> Pin {
    let certificate = CertificateDer::from_pem_file(&files.certificate).unwrap();
    Pin::of(&rustls::server::ParsedCertificate::try_from(&certificate).unwrap().subject_public_key_info())
}

async fn refusal(server: &CertificateFiles, client: &ClientTls, name: &str) -> Option<String> {
    let (client, _) = meet(&server_tls(server.clone()), client, name).await;
    client.err().map(|error| explain(&error, HandshakePeer::Endpoint))
}

#[tokio::test]
async fn a_certificate_that_is_in_ca_itself_is_taken() {
    let authority = Authority::new();
    let usual = own(&authority, "usual", &["localhost", "127.0.0.1"], |_| {});
    let nameless = own(&authority, "nameless", &[], |_| {});
    let signing = own(&authority, "signing", &["localhost"], |params| {
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    });
    let signed = authority.sign("signed", &["localhost"]);
    let bundle = authority.folder.path().join("bundle.pem");
    let texts = [&usual, &nameless, &signed].map(|files| fs::read(&files.certificate).unwrap());
    fs::write(&bundle, texts.concat()).unwrap();
    let bundle = ClientTls { ca: Some(bundle), ..knowing(&usual) };

    for (files, client, name) in [
        (&usual, &knowing(&usual), "localhost"),
        (&usual, &knowing(&usual), "127.0.0.1"),
        (&nameless, &knowing(&nameless), "whatever.test"),
        (&signing, &knowing(&signing), "localhost"),
        (&signed, &knowing(&signed), "localhost"),
        (&usual, &bundle, "localhost"),
        (&signed, &bundle, "localhost"),
    ] {
        assert_eq!(refusal(files, client, name).await, None, "{files:?} for {name}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_in_ca_itself_has_dates_and_names_all_the_same() {
    let authority = Authority::new();
    let usual = own(&authority, "usual", &["localhost", "127.0.0.1"], |_| {});
    let expired = own(&authority, "old", &["localhost"], |params| params.not_after = date_time_ymd(2020, 1, 2));
    let early = own(&authority, "early", &["localhost"], |params| params.not_before = date_time_ymd(2999, 1, 2));
    let other = own(&authority, "other", &["localhost"], |_| {});

    for (files, client, name, expected) in [
        (&usual, knowing(&usual), "other.test", "is for localhost, 127.0.0.1, but other.test was asked for"),
        (&usual, knowing(&usual), "127.0.0.2", "but 127.0.0.2 was asked for"),
        (&expired, knowing(&expired), "localhost", "expired on 2020-01-02"),
        (&early, knowing(&early), "localhost", "not valid before 2999-01-02"),
        (&other, knowing(&usual), "localhost", "not one that is in `ca` itself"),
        (&usual, trusting(&authority), "localhost", "not one that is in `ca` itself"),
    ] {
        let text = refusal(files, &client, name).await.unwrap_or_default();
        assert!(text.contains(expected), "{text}");
    }
}

/// A renewed certificate of the same name and key is another one.
#[tokio::test]
async fn a_certificate_must_be_the_very_one() {
    let authority = Authority::new();
    let key = KeyPair::generate().unwrap();
    let [first, second] = ["first", "second"].map(|file| {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.serial_number = Some(file.as_bytes().to_vec().into());
        authority.write(file, &params.self_signed(&key).unwrap(), &key)
    });

    assert_eq!(refusal(&first, &knowing(&first), "localhost").await, None);
    assert!(refusal(&second, &knowing(&first), "localhost").await.is_some());
    let pinned = ClientTls { verify: Verify::None, pins: vec![pin_of(&first)], ..knowing(&first) };
    assert_eq!(refusal(&second, &pinned, "localhost").await, None, "a pin is of the key");
}

/// Anybody can show a certificate: it takes its key to sign the handshake.
#[tokio::test]
async fn a_certificate_that_is_known_or_pinned_must_be_shown_by_who_has_its_key() {
    let authority = Authority::new();
    let (victim, thief) = (own(&authority, "victim", &["localhost"], |_| {}), authority.sign("thief", &["localhost"]));
    let identity = |files| Identity::read(files).unwrap().value.key;
    let stolen = CertifiedKey::new(identity(&victim).cert.clone(), identity(&thief).key.clone());
    let stolen = Arc::new(SingleCertAndKey::from(stolen));
    let pinned = ClientTls { pins: vec![pin_of(&victim)], ..knowing(&victim) };
    let only_pinned = ClientTls { verify: Verify::None, ..pinned.clone() };

    for version in [&TLS12, &TLS13] {
        let server = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[version]).unwrap();
        let server = Arc::new(server.with_no_client_auth().with_cert_resolver(stolen.clone()));
        let honest = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[version]).unwrap();
        let resolver = Arc::new(SingleCertAndKey::from(identity(&victim)));
        let honest = Arc::new(honest.with_no_client_auth().with_cert_resolver(resolver));
        for client in [&knowing(&victim), &pinned, &only_pinned] {
            let config =
                || client_config(client, &[], &PlatformRoots::default(), ClusterProtocol::Http1).unwrap().value;
            assert!(shake(honest.clone(), config(), "localhost").await.0.is_ok(), "{version:?}");

            let (refused, _) = shake(server.clone(), config(), "localhost").await;

            assert!(refused.is_err(), "{client:?} under {version:?}");
        }
    }
}

#[tokio::test]
async fn pins_are_checked_beside_the_certificate_or_instead_of_it() {
    let (authority, stranger) = (Authority::new(), Authority::named("stranger"));
    let good = authority.sign("good", &["localhost"]);
    let other = authority.sign("other", &["localhost"]);
    let expired = authority.sign_with("old", &["localhost"], |params| params.not_after = date_time_ymd(2020, 1, 2));
    let pinning = |files: &[&CertificateFiles], verify| ClientTls {
        pins: files.iter().map(|files| pin_of(files)).collect(),
        verify,
        ..trusting(&authority)
    };
    let wrong = format!("its public key is {}, which `pin` does not name", pin_of(&good));

    for (files, client, name, expected) in [
        (&good, pinning(&[&good], Verify::Full), "localhost", ""),
        (&good, pinning(&[&other, &good], Verify::Full), "localhost", ""),
        (&good, pinning(&[&other], Verify::Full), "localhost", wrong.as_str()),
        (&good, pinning(&[&good], Verify::Full), "other.test", "other.test was asked for"),
        (
            &good,
            ClientTls { ca: Some(stranger.ca()), ..pinning(&[&good], Verify::Full) },
            "localhost",
            "unknown issuer",
        ),
        (&good, pinning(&[&good], Verify::None), "other.test", ""),
        (&expired, pinning(&[&expired], Verify::Full), "localhost", "expired on 2020-01-02"),
        (&expired, pinning(&[&expired], Verify::None), "localhost", ""),
        (&good, pinning(&[&other], Verify::None), "localhost", wrong.as_str()),
    ] {
        let refused = refusal(files, &client, name).await;
        match refused {
            Some(text) => assert!(!expected.is_empty() && text.contains(expected), "{text}"),
            None => assert!(expected.is_empty(), "{expected}: {client:?}"),
        }
    }
}

#[tokio::test]
async fn client_certificates_are_asked_for() {
    let (authority, stranger) = (Authority::new(), Authority::named("stranger"));
    let mut tls = server_tls(authority.sign("server", &["localhost"]));
    let without = trusting(&authority);
    let with = ClientTls { identity: Some(authority.sign("client", &["me"])), ..without.clone() };
    let foreign = ClientTls { identity: Some(stranger.sign("client", &["me"])), ..without.clone() };

    for (mode, client, accepted) in [
        (ClientCertificate::Required, &with, true),
        (ClientCertificate::Required, &without, false),
        (ClientCertificate::Required, &foreign, false),
        (ClientCertificate::Optional, &with, true),
        (ClientCertificate::Optional, &without, true),
        (ClientCertificate::Optional, &foreign, false),
    ] {
        tls.client_ca = Some((authority.ca(), mode));

        let (client, server) = meet(&tls, client, "localhost").await;

        assert_eq!(server.is_ok(), accepted, "{mode:?}: {server:?}");
        if !accepted {
            // The client believes in the handshake until it reads.
            let refusal = client.unwrap().read(&mut [0]).await.unwrap_err();
            let text = explain(&refusal, HandshakePeer::Endpoint);
            assert!(text.contains("client certificate") || text.contains("issuer of our certificate"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_clients_own_certificate_is_taken_where_it_is_in_client_ca_itself() {
    let authority = Authority::new();
    let server = authority.sign("server", &["localhost"]);
    let known = own(&authority, "known", &["me"], |_| {});
    let unknown = own(&authority, "unknown", &["me"], |_| {});
    let expired = own(&authority, "old", &["me"], |params| params.not_after = date_time_ymd(2020, 1, 2));
    let bundle = authority.folder.path().join("clients.pem");
    let texts = [&known, &expired].map(|files| fs::read(&files.certificate).unwrap());
    fs::write(&bundle, texts.concat()).unwrap();
    let tls = ServerTls { client_ca: Some((bundle, ClientCertificate::Required)), ..server_tls(server) };

    for (identity, expected) in [
        (Some(known), ""),
        (Some(unknown), "not one that is in `client_ca`"),
        (Some(expired), "expired"),
        (None, "showed no"),
    ] {
        let (_, met) = meet(&tls, &ClientTls { identity, ..trusting(&authority) }, "localhost").await;

        match met {
            Ok(_) => assert!(expected.is_empty(), "{expected}"),
            Err(error) => {
                let text = explain(&error, HandshakePeer::Client);
                assert!(!expected.is_empty() && text.contains(expected), "{text}");
            }
        }
    }
}

/// `openssl x509 -req -signkey` of OpenSSL 3.0: X.509 version 1, for `localhost`.
const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBJDCBywIUXVfkQ4kS8tHZsoPCW+Y0JxJt1XIwCgYIKoZIzj0EAwIwFDESMBAG
A1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNzE1MTAwMVoYDzIxMjYxMTAzMTUxMDAx
WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAQoSIr9saJL3FlZ8IPeFq5aPVUnwvSVK0b5mL/GJrDbVR7WLViB9Yf5ZNqljjQZ
ZyhyYXnskR9LvfZ+VNp7QrC4MAoGCCqGSM49BAMCA0gAMEUCIBaOw8eSYzYTSsc8
2h1Lk2HksDkKGQrH+cl8VrtqsSEqAiEAwqqJsARR5x9T1BmPW9U17GOkflHru1rM
x/rVVq6L4AA=
-----END CERTIFICATE-----
";
const KEY_OF_VERSION_1: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3/ys3xbTBob5GsYW
kPgrIQ3Qq9yABHkP2UjZuEuJw2ahRANCAAQoSIr9saJL3FlZ8IPeFq5aPVUnwvSV
K0b5mL/GJrDbVR7WLViB9Yf5ZNqljjQZZyhyYXnskR9LvfZ+VNp7QrC4
-----END PRIVATE KEY-----
";

#[tokio::test]
async fn a_certificate_of_version_1_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, VERSION_1).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(VERSION_1.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY_OF_VERSION_1.as_bytes()).unwrap();
    let shown = CertifiedKey::new(chain, provider().key_provider.load_private_key(key).unwrap());
    let server = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13]).unwrap();
    let server = server.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    let client = ClientTls { ca: Some(ca), verify: Verify::Full, pins: Vec::new(), server_name: None, identity: None };
    let client = client_config(&client, &[], &PlatformRoots::default(), ClusterProtocol::Http1).unwrap().value;

    let (refused, _) = shake(Arc::new(server), client, "localhost").await;

    let text = explain(&refused.unwrap_err(), HandshakePeer::Endpoint);
    assert!(text.contains("version 1") && text.contains("openssl req -x509"), "{text}");
}

#[test]
fn a_certificate_that_names_no_host_is_warned_of_where_it_is_an_endpoints() {
    let authority = Authority::new();
    let nameless = own(&authority, "nameless", &[], |_| {});
    let named = own(&authority, "named", &["localhost"], |_| {});
    let warnings = |tls: &ClientTls, name: &str| {
        let endpoint = format!("{name}:8443").parse().unwrap();
        client_config(tls, &[endpoint], &PlatformRoots::default(), ClusterProtocol::Http1).unwrap().warnings
    };

    let told = warnings(&knowing(&nameless), "LocalHost");

    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("openssl req -x509") && told[0].contains("subjectAltName=DNS:LocalHost"), "{told:?}");
    let version_1 = authority.folder.path().join("version-1.pem");
    fs::write(&version_1, VERSION_1).unwrap();
    let told = warnings(&ClientTls { ca: Some(version_1), ..knowing(&named) }, "localhost");
    assert!(told.len() == 1 && told[0].contains("X.509 version 1"), "{told:?}");
    for (tls, name) in
        [(knowing(&named), "localhost"), (knowing(&nameless), "host"), (trusting(&authority), "localhost")]
    {
        assert_eq!(warnings(&tls, name), Vec::<String>::new(), "{name}");
    }
}
