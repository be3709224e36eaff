//! An authority signs for its resolver, and for nothing else.

use std::process::Command;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{ServerName, UnixTime};

use super::*;
use crate::sys::clock::system_time;

fn subjects(names: &[&str], addresses: &[&str]) -> Result<Subjects, AuthorityError> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    Subjects::new(&names, &addresses)
}

/// A certificate that the authority's key signs, whatever the authority may sign for.
fn stolen(authority: &SchoolAuthority, subject: &str, now: u64) -> String {
    let mut params = dated(now, now + DAY);
    let own = CertificateParams::new([subject.to_owned()]).unwrap();
    params.subject_alt_names = own.subject_alt_names;
    // Without it openssl refuses whatever the constraints say.
    params.use_authority_key_identifier_extension = true;
    params.distinguished_name.push(DnType::CommonName, "stolen");
    let key = KeyPair::generate().unwrap();
    to_pem("CERTIFICATE", params.signed_by(&key, &authority.issuer).unwrap().der())
}

/// Whether rustls and openssl take a certificate for a name under an authority.
fn taken(authority: &str, certificate: &str, subject: &str, now: u64) -> (bool, bool) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let server = ServerName::try_from(subject.to_owned()).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    let by_rustls =
        verifier.build().unwrap().verify_server_cert(&der, &[], &server, &[], now).is_ok();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let check = if subject.parse::<IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
    let mut openssl = Command::new("openssl");
    openssl.args(["verify", "-x509_strict", "-purpose", "sslserver"]);
    openssl.args([check, subject, "-CAfile"]);
    openssl.arg(file("ca.pem", authority)).arg(file("cert.pem", certificate));
    (by_rustls, openssl.output().unwrap().status.success())
}

#[test]
fn a_certificate_is_taken_for_the_resolver_and_for_nothing_else() {
    let now = system_time();
    let own = subjects(&["DNS.school.example."], &["10.20.0.1", "fd00::1"]).unwrap();
    let authority = SchoolAuthority::make(&own, now, DAYS).unwrap();
    let issued = authority.issue(&own, now).unwrap();
    for subject in ["dns.school.example", "10.20.0.1", "fd00::1"] {
        let found = taken(authority.pem(), &issued.certificate, subject, now);
        assert_eq!(found, (true, true), "{subject}");
    }
    check_key(issued.certificate.as_bytes(), issued.key.as_bytes()).unwrap();
    // What whoever has the authority's key could make.
    let below = stolen(&authority, "pupils.dns.school.example", now);
    let found = taken(authority.pem(), &below, "pupils.dns.school.example", now);
    assert_eq!(found, (true, true));
    for subject in ["bank.example", "school.example", "xdns.school.example", "10.20.0.2", "fd00::2"]
    {
        let certificate = stolen(&authority, subject, now);
        let found = taken(authority.pem(), &certificate, subject, now);
        assert_eq!(found, (false, false), "{subject}");
    }
}

#[test]
fn an_authority_without_an_address_signs_for_none() {
    let now = system_time();
    let own = subjects(&["dns.school.example"], &[]).unwrap();
    let authority = SchoolAuthority::make(&own, now, DAYS).unwrap();
    let issued = authority.issue(&own, now).unwrap();
    let found = taken(authority.pem(), &issued.certificate, "dns.school.example", now);
    assert_eq!(found, (true, true));
    for subject in ["10.20.0.1", "fd00::1"] {
        let certificate = stolen(&authority, subject, now);
        let found = taken(authority.pem(), &certificate, subject, now);
        assert_eq!(found, (false, false), "{subject}");
    }
}

#[test]
fn the_key_on_the_stick_signs_the_next_certificate() {
    let now = 1_800_000_000;
    let own = subjects(&["dns.school.example", "*.dns.school.example"], &["10.20.0.1"]).unwrap();
    let made = SchoolAuthority::make(&own, now, 2 * 366).unwrap();
    let key = made.key_pem();
    let again = SchoolAuthority::open(made.pem().as_bytes(), key.as_bytes()).unwrap();
    assert_eq!(again.pem(), made.pem());
    let all = again.subjects().unwrap();
    assert_eq!(all, subjects(&["dns.school.example"], &["10.20.0.1"]).unwrap());
    let first = again.issue(&own, now).unwrap();
    assert_eq!(first.not_after, now + DAYS * DAY);
    // Never longer than the authority.
    let last = now + 2 * 366 * DAY - DAY;
    assert_eq!(again.issue(&own, last).unwrap().not_after, last + DAY);
    let over = again.issue(&own, last + DAY);
    assert!(matches!(over, Err(AuthorityError::Over)));
    for other in
        [subjects(&["bank.example"], &[]), subjects(&["a.dns.school.example"], &["10.20.0.2"])]
    {
        let refused = again.issue(&other.unwrap(), now);
        assert!(matches!(refused, Err(AuthorityError::NotPermitted(_))));
    }
    let other = SchoolAuthority::make(&own, now, 1).unwrap();
    let wrong = SchoolAuthority::open(made.pem().as_bytes(), other.key_pem().as_bytes());
    let wrong = wrong.err();
    assert!(matches!(wrong, Some(AuthorityError::Certificate(CertificateError::WrongKey))));
    let no_authority = SchoolAuthority::open(first.certificate.as_bytes(), first.key.as_bytes());
    assert!(matches!(no_authority.err(), Some(AuthorityError::NoAuthority)));
}

#[test]
fn no_authority_is_made_for_more_than_a_resolver() {
    for name in ["vn", "edu.vn", "*.edu.vn", "*.vn", "lan", "com"] {
        let refused = subjects(&[name], &[]);
        assert!(matches!(refused, Err(AuthorityError::Suffix(_))), "{name}");
    }
    for name in ["*.school.example", "*.school.edu.vn", "*.school.com"] {
        let refused = subjects(&[name], &[]);
        assert!(matches!(refused, Err(AuthorityError::WholeDomain(_))), "{name}");
        let plain = name.trim_start_matches("*.");
        let taken = subjects(&["dns.school.example", plain], &[]).unwrap();
        assert_eq!(taken.whole_domain(), Some(plain));
    }
    for name in ["dns.school.example", "*.dns.school.example", "dns.lan", "*.dns.lan"] {
        assert_eq!(subjects(&[name], &[]).unwrap().whole_domain(), None, "{name}");
    }
    for name in ["", "a b.example", "a..example", "*"] {
        assert!(subjects(&[name], &[]).is_err(), "{name}");
    }
    assert!(matches!(subjects(&[], &["10.0.0.1"]), Err(AuthorityError::NoName)));
    for address in ["0.0.0.0", "::", "224.0.0.1", "ff02::1"] {
        let refused = subjects(&["a.example"], &[address]);
        assert!(matches!(refused, Err(AuthorityError::Address(_))), "{address}");
    }
    let many: Vec<String> = (0..=MOST).map(|n| format!("a{n}.example")).collect();
    assert!(matches!(Subjects::new(&many, &[]), Err(AuthorityError::TooMany)));
}

#[test]
fn a_long_name_fits() {
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.example");
    let own = subjects(&[&long], &[]).unwrap();
    let now = system_time();
    let authority = SchoolAuthority::make(&own, now, DAYS).unwrap();
    let issued = authority.issue(&own, now).unwrap();
    assert_eq!(taken(authority.pem(), &issued.certificate, &long, now), (true, true));
}
