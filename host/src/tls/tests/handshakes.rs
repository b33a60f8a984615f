//! Handshakes: what is negotiated, who is believed, and what is said of failures.

use super::*;

/// The first bytes of the chain that the client got, to compare with a file.
fn shown(met: &Met) -> Vec<u8> {
    met.0.as_ref().unwrap().get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

fn der(files: &CertificateFiles) -> Vec<u8> {
    Identity::read(files).unwrap().value.key.cert[0].to_vec()
}

#[tokio::test]
async fn certificate_is_picked_by_server_name() {
    let authority = Authority::new();
    let default = authority.sign("default", &["default.test"]);
    let exact = authority.sign("exact", &["a.shop.test"]);
    let wildcard = authority.sign("wildcard", &["*.shop.test"]);
    let mut tls = server_tls(default.clone());
    tls.by_name.push(named(vec!["*.Shop.test".to_owned()], wildcard.clone()));
    tls.by_name.push(named(Vec::new(), exact.clone()));
    let anybody = ClientTls { verify: Verify::None, ..trusting(&authority) };

    for (name, expected) in [
        ("a.shop.test", &exact),
        ("A.SHOP.test", &exact),
        ("b.shop.test", &wildcard),
        ("c.b.shop.test", &default),
        ("shop.test", &default),
        ("elsewhere.test", &default),
        ("127.0.0.1", &default),
    ] {
        let met = meet(&tls, &anybody, name).await;

        assert_eq!(shown(&met), der(expected), "{name}");
    }
}

#[tokio::test]
async fn post_quantum_group_and_http1_are_negotiated() {
    let authority = Authority::new();
    let tls = server_tls(authority.sign("server", &["localhost"]));

    let (client, server) = meet(&tls, &trusting(&authority), "localhost").await;

    let client = client.unwrap();
    let (_, connection) = client.get_ref();
    assert_eq!(connection.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519MLKEM768);
    assert_eq!(connection.alpn_protocol(), Some(HTTP1));
    assert_eq!(server.unwrap().get_ref().1.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
}

#[tokio::test]
async fn tls12_can_be_switched_off() {
    let authority = Authority::new();
    let mut tls = server_tls(authority.sign("server", &["localhost"]));
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates([rustls::pki_types::pem::PemObject::from_pem_file(authority.ca()).unwrap()]);
    let old = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();

    for allowed in [true, false] {
        tls.allow_tls12 = allowed;
        let config = server_config(&tls, &Tickets::default(), &[]).unwrap().value;
        let (client, server) = shake(config, Arc::new(old.clone()), "localhost").await;

        assert_eq!(client.is_ok(), allowed);
        if let Err(error) = server {
            assert!(explain(&error, HandshakePeer::Client).contains("no tls version"), "{error}");
        }
    }
}

#[tokio::test]
async fn the_order_of_ciphers_is_the_clients_unless_the_operator_wants_his_own() {
    use rustls::CipherSuite;
    let authority = Authority::new();
    let mut tls = server_tls(authority.sign("server", &["localhost"]));
    let mut provider = (*provider()).clone();
    provider.cipher_suites.reverse();
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates([rustls::pki_types::pem::PemObject::from_pem_file(authority.ca()).unwrap()]);
    let backwards = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();

    for (order, expected) in [
        (CipherOrder::Client, CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
        (CipherOrder::Server, CipherSuite::TLS13_AES_256_GCM_SHA384),
    ] {
        tls.cipher_order = order;
        let config = server_config(&tls, &Tickets::default(), &[]).unwrap().value;

        let (client, _server) = shake(config, Arc::new(backwards.clone()), "localhost").await;

        assert_eq!(client.unwrap().get_ref().1.negotiated_cipher_suite().unwrap().suite(), expected);
    }
}

#[tokio::test]
async fn failed_checks_are_told_apart() {
    let (authority, stranger, renewed) = (Authority::new(), Authority::named("stranger"), Authority::new());
    let good = authority.sign("good", &["localhost", "10.0.0.1"]);
    let expired = authority.sign_with("old", &["localhost"], |params| params.not_after = date_time_ymd(2020, 1, 2));
    let authority_itself = authority.sign_with("ca-true", &["localhost"], |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    let full = trusting(&authority);
    let (by_stranger, renewed) = (trusting(&stranger), trusting(&renewed));

    for (files, client, name, expected) in [
        (&good, &by_stranger, "localhost", "unknown issuer"),
        (&good, &renewed, "localhost", "another issuer of the same name"),
        (&good, &full, "other.test", "is for localhost, 10.0.0.1, but other.test was asked for"),
        (&expired, &full, "localhost", "expired on 2020-01-02"),
        (&authority_itself, &full, "localhost", "CA:FALSE"),
    ] {
        let tls = server_tls(files.clone());

        let (refused, _) = meet(&tls, client, name).await;
        let (taken, _) = meet(&tls, &ClientTls { verify: Verify::None, ..client.clone() }, name).await;

        let text = explain(&refused.unwrap_err(), HandshakePeer::Endpoint);
        assert!(text.contains(expected), "{text}");
        assert!(taken.is_ok(), "verify = none takes it");
    }
    assert!(meet(&server_tls(good), &full, "10.0.0.1").await.0.is_ok());
}

#[tokio::test]
async fn platform_roots_are_used_without_a_ca_file() {
    let authority = Authority::new();
    let server =
        server_config(&server_tls(authority.sign("server", &["localhost"])), &Tickets::default(), &[]).unwrap();
    let tls = ClientTls { ca: None, ..trusting(&authority) };

    match client_config(&tls, &[], &PlatformRoots::default(), ClusterProtocol::Http1) {
        Ok(client) => {
            let (refused, _) = shake(server.value, client.value, "localhost").await;
            let text = explain(&refused.unwrap_err(), HandshakePeer::Endpoint);
            assert!(text.contains("unknown issuer"), "{text}");
        }
        // A machine without roots is told so, here and nowhere else.
        Err(error) => assert!(error.hint().unwrap().contains("ca-certificates"), "{error}"),
    }
}

#[tokio::test]
async fn plain_peers_are_named() {
    let authority = Authority::new();
    let server =
        server_config(&server_tls(authority.sign("server", &["localhost"])), &Tickets::default(), &[]).unwrap();
    let client = client_config(&trusting(&authority), &[], &PlatformRoots::default(), ClusterProtocol::Http1).unwrap();

    let (near, mut far) = duplex(64 << 10);
    far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let endpoint = TlsConnector::from(client.value).connect(name, near).await.unwrap_err();
    let (mut near, far) = duplex(64 << 10);
    near.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let visitor = TlsAcceptor::from(Arc::clone(&server.value)).accept(far).await.unwrap_err();
    let (near, far) = duplex(64 << 10);
    drop(near);
    let gone = TlsAcceptor::from(server.value).accept(far).await.unwrap_err();

    assert!(explain(&endpoint, HandshakePeer::Endpoint).contains("does not speak tls"), "{endpoint}");
    assert!(explain(&visitor, HandshakePeer::Client).contains("does not speak tls"), "{visitor}");
    assert!(explain(&gone, HandshakePeer::Client).contains("closed the connection"), "{gone}");
}

#[tokio::test]
async fn sessions_resume_after_a_renewal_but_not_into_stricter_listeners() {
    let authority = Authority::new();
    let open = server_tls(authority.sign("server", &["localhost"]));
    let strict = ServerTls { client_ca: Some((authority.ca(), ClientCertificate::Required)), ..open.clone() };
    let tickets = Tickets::default();
    let config = |tls| server_config(tls, &tickets, &[]).unwrap().value;
    let first = config(&open);
    authority.sign("server", &["localhost"]);
    let (renewed, strict) = (config(&open), config(&strict));
    let client =
        client_config(&trusting(&authority), &[], &PlatformRoots::default(), ClusterProtocol::Http1).unwrap().value;

    let mut kinds = Vec::new();
    for server in [first, renewed] {
        let (client, server) = shake(server, Arc::clone(&client), "localhost").await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        server.write_all(b"x").await.unwrap();
        client.read_exact(&mut [0]).await.unwrap();
        kinds.push(client.get_ref().1.handshake_kind().unwrap());
    }
    let (_, refused) = shake(strict, client, "localhost").await;

    assert_eq!(kinds, [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed]);
    assert!(refused.is_err(), "a ticket from a listener that asks for nothing must not open one that does");
}

#[tokio::test]
async fn names_with_the_same_rules_share_a_configuration_and_tickets_open_no_others() {
    let authority = Authority::new();
    let identity = authority.sign("server", &["a.test", "b.test", "c.test"]);
    let copy = authority.folder.path().join("copy.pem");
    fs::copy(authority.ca(), &copy).unwrap();
    let mut tls = server_tls(identity.clone());
    let asking = |name: &str, ca: PathBuf, demand| NamedTls {
        client_ca: Some((ca, demand)),
        ..named(vec![name.to_owned()], identity.clone())
    };
    tls.by_name.push(asking("b.test", authority.ca(), ClientCertificate::Required));
    tls.by_name.push(asking("c.test", copy, ClientCertificate::Required));
    tls.by_name.push(asking("*.d.test", authority.ca(), ClientCertificate::Optional));
    let tickets = Tickets::default();
    let made = |tls: &ServerTls| server_configs(tls, &tickets, &[]).unwrap().value;

    let ServerConfigs::ByName(names) = made(&tls) else { panic!("rules by name") };
    let all_strict =
        ServerTls { client_ca: tls.by_name[0].client_ca.clone(), by_name: tls.by_name[..2].to_vec(), ..tls };
    let rules = |name| names.pick(name).rules.clone();

    assert_eq!(rules(Some("b.test")), rules(Some("c.test")), "the same certificates in another file");
    assert_eq!(rules(None), rules(Some("a.test")));
    assert_ne!(rules(None), rules(Some("b.test")));
    assert_ne!(rules(Some("x.d.test")), rules(Some("b.test")), "one is required and one is not");
    assert!(matches!(made(&all_strict), ServerConfigs::One(_)), "all names ask for the same");
    let client =
        client_config(&trusting(&authority), &[], &PlatformRoots::default(), ClusterProtocol::Http1).unwrap().value;
    let (first, second) = (names.pick(None).config.clone(), names.pick(Some("b.test")).config.clone());
    let (client_side, server_side) = shake(first.clone(), Arc::clone(&client), "a.test").await;
    let (mut client_side, mut server_side) = (client_side.unwrap(), server_side.unwrap());
    server_side.write_all(b"x").await.unwrap();
    client_side.read_exact(&mut [0]).await.unwrap();
    let (_, strict) = shake(second, Arc::clone(&client), "a.test").await;
    let (again, _) = shake(first, client, "a.test").await;

    assert!(strict.is_err(), "a ticket of a name that asks for nothing");
    assert_eq!(
        again.unwrap().get_ref().1.handshake_kind(),
        Some(rustls::HandshakeKind::Resumed),
        "the ticket was good"
    );
}

#[tokio::test]
async fn demo_certificate_is_for_the_local_host() {
    let made = self_signed().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = CertificateFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    fs::write(&files.certificate, &made.certificate).unwrap();
    private(&files.key, &made.key);
    let ca = Some(files.certificate.clone());
    let client = ClientTls { ca, verify: Verify::Full, pins: Vec::new(), server_name: None, identity: None };

    for name in ["localhost", "127.0.0.1", "::1"] {
        let (client, server) = meet(&server_tls(files.clone()), &client, name).await;

        assert!(client.is_ok() && server.is_ok(), "{name}: {client:?}");
    }
    assert!(!format!("{made:?}").contains("PRIVATE"), "a key is never shown");
}

#[test]
fn endpoints_are_asked_for_by_host_or_by_configured_name() {
    let mut tls = ClientTls { ca: None, verify: Verify::Full, pins: Vec::new(), server_name: None, identity: None };

    for (authority, expected) in
        [("a.test:8443", "a.test"), ("a.test", "a.test"), ("[::1]:1", "::1"), ("1.2.3.4", "1.2.3.4")]
    {
        assert_eq!(server_name(&tls, &authority.parse().unwrap()).unwrap().to_str(), expected);
    }
    let authority = "10.0.0.1:443".parse().unwrap();
    tls.server_name = Some("a b".to_owned());
    assert!(matches!(server_name(&tls, &authority), Err(TlsError::BadName { .. })));
    tls.server_name = Some("inner.test".to_owned());
    assert_eq!(server_name(&tls, &authority).unwrap().to_str(), "inner.test");
}
