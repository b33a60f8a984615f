//! Files of certificates and keys: what is refused, with which words, and what is only warned of.

use super::*;

#[test]
fn bad_files_say_what_is_wrong() {
    let authority = Authority::new();
    let (one, two) = (authority.sign("one", &["a.test"]), authority.sign("two", &["b.test"]));
    let file = |name: &str, text: &[u8]| {
        let path = authority.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let encrypted = file("enc", b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let cut = file("cut", b"-----BEGIN CERTIFICATE-----\nAAAA\n");
    let nonsense = file("bad", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let (certificate, key) = (one.certificate.clone(), one.key.clone());

    for (certificate, key, expected, hint) in [
        (certificate.clone(), two.key, "does not match", "comes first"),
        (key.clone(), key.clone(), "no certificate in", "swapped"),
        (certificate.clone(), certificate.clone(), "no private key in", "swapped"),
        (certificate.clone(), encrypted, "is encrypted", "openssl pkey"),
        (file("empty", b"\n"), key.clone(), "is empty", "rename"),
        (file("der", &[0x30, 0x82, 1, 1]), key.clone(), "looks like DER", "-inform der"),
        (file("note", b"hello"), key.clone(), "no certificate in", "BEGIN CERTIFICATE"),
        (cut, key.clone(), "not valid PEM", "ends with"),
        (nonsense, key.clone(), "certificate 1 in", "openssl x509"),
        (authority.folder.path().join("none"), key, "cannot read", "relative"),
    ] {
        let error = Identity::read(&CertificateFiles { certificate, key }).unwrap_err();

        let (text, advice) = (error.to_string(), error.hint().unwrap_or_default());
        assert!(text.contains(expected), "{text}");
        assert!(advice.contains(hint), "{text}: {advice}");
        assert!(error.file().is_some());
    }
}

#[test]
fn what_works_but_deserves_a_word_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let authority = Authority::new();
    let good = authority.sign("good", &["a.test", "127.0.0.1"]);
    let expired = authority.sign_with("old", &["b.test"], |params| params.not_after = date_time_ymd(2020, 1, 2));
    fs::set_permissions(&expired.key, fs::Permissions::from_mode(0o644)).unwrap();
    let mut tls = server_tls(good.clone());
    tls.by_name.push(named(vec!["c.test".to_owned()], expired.clone()));

    let quiet = Identity::read(&good).unwrap();
    let warnings = server_config(&tls, &Tickets::default(), &[]).unwrap().warnings;
    tls.by_name.push(named(vec!["C.test".to_owned()], good));

    assert_eq!(quiet.value.names, ["a.test", "127.0.0.1"]);
    assert!(quiet.warnings.is_empty(), "{:?}", quiet.warnings);
    assert!(quiet.value.not_before.is_some() && quiet.value.not_after.is_some());
    for expected in ["expired on 2020-01-02", "read by everybody", "not for `c.test` but for b.test"] {
        assert!(warnings.iter().any(|warning| warning.contains(expected)), "{expected} in {warnings:?}");
    }
    assert!(matches!(server_config(&tls, &Tickets::default(), &[]), Err(TlsError::DuplicateName { .. })));
}

#[test]
fn what_is_no_file_is_neither_certificate_nor_key_nor_authority() {
    let authority = Authority::new();
    let good = authority.sign("server", &["localhost"]);
    let fifo = authority.folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());

    for files in [
        CertificateFiles { certificate: fifo.clone(), key: good.key.clone() },
        CertificateFiles { certificate: good.certificate.clone(), key: "/dev/zero".into() },
    ] {
        let refused = Identity::read(&files).unwrap_err();

        let why = std::error::Error::source(&refused).unwrap().to_string();
        assert!(why.ends_with("expected a regular file"), "{refused}: {why}");
    }
    assert!(certificate::read_roots(&fifo).is_err());
}
