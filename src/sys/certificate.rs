//! What a certificate says: names, addresses, dates, key. It is read, and never trusted for it.
//!
//! ```text
//! PEM ▸ certificates in the file's order ▸ CertificateFacts of each; the first is the server's own
//! ```
//!
//! Law: octets come from files that other programs write, in part or broken: each is an error with
//! words, and none a panic. Nothing here asks a clock, and no signature is checked: clients do that.

use std::net::IpAddr;

use ipnet::IpNet;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::{ParsedExtension, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use crate::lang::{Lang, Message, messages};

/// The most octets of a file of certificates or of a key: a chain has a few kilobytes.
pub const MAX_OCTETS: u64 = 256 << 10;
/// The most certificates of one file: a chain has two or three.
const MAX_CERTIFICATES: usize = 16;
/// The most characters of a subject or an issuer that are shown.
const MAX_SHOWN: usize = 200;
/// Seconds of a day.
const DAY: u64 = 86_400;

/// Why a file cannot be used as a certificate or as its key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// It is longer than [`MAX_OCTETS`], or has more than sixteen certificates.
    TooLong,
    /// It has no certificate in PEM.
    NoCertificate,
    /// A block of it is no PEM: it was cut, or another program still writes it.
    NotPem,
    /// The certificate at this place, from 1, cannot be parsed.
    Malformed(usize),
    /// It has no private key in PEM.
    NoKey,
    /// The key cannot be used: a broken one, or a kind that TLS does not have.
    UnusableKey,
    /// The key is not the certificate's.
    WrongKey,
}

impl CertificateError {
    /// What is wrong and what to do, for people.
    pub fn message(&self) -> Message {
        match self {
            Self::TooLong => messages::certs_too_long(MAX_OCTETS >> 10, MAX_CERTIFICATES),
            Self::NoCertificate => messages::certs_none(),
            Self::NotPem => messages::certs_no_pem(),
            Self::Malformed(place) => messages::certs_malformed(place),
            Self::NoKey => messages::certs_no_key(),
            Self::UnusableKey => messages::certs_unusable_key(),
            Self::WrongKey => messages::certs_wrong_key(),
        }
    }
}

impl std::fmt::Display for CertificateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message().in_lang(Lang::En))
    }
}

impl std::error::Error for CertificateError {}

/// Where a moment lies to the dates of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dated {
    /// Before them.
    NotYet,
    /// Within them, with so many whole days left.
    Valid(u64),
    /// After them, for so many whole days.
    Expired(u64),
}

/// What one certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Its subject: the common name, or all of it without one. Control characters are replaced.
    pub subject: String,
    /// Its issuer, likewise.
    pub issuer: String,
    /// The names it is for, in lower case, without a final dot; `*.` may stand for one label.
    pub names: Vec<String>,
    /// The addresses it is for.
    pub addresses: Vec<IpAddr>,
    /// The first second of its validity, since 1970, UTC; 0 for all before.
    pub not_before: u64,
    /// The last second of its validity.
    pub not_after: u64,
    /// The kind of its key: `P-256`, `RSA 2048`.
    pub key: String,
    /// Whether it may sign others.
    pub is_authority: bool,
    /// Whether TLS servers may show it: its key usages have serverAuth, or it names none.
    pub is_for_servers: bool,
    /// What it may sign for, of an authority that is bound: names with all below them, and networks.
    pub permits: Vec<String>,
    /// Subject and issuer as encoded: a chain is in order if an issuer is the next one's subject.
    encoded: (Vec<u8>, Vec<u8>),
}

impl CertificateFacts {
    /// Whether it is for a host name (RFC 9525 §6.3: a `*` stands for the first label alone).
    pub fn covers_name(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.names.iter().any(|own| match own.strip_prefix("*.") {
            None => *own == name,
            Some(zone) => {
                name.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest == zone)
            }
        })
    }

    /// Whether it is for an address.
    pub fn covers_address(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|own| own.to_canonical() == address.to_canonical())
    }

    /// Where a moment, in seconds since 1970, lies to its dates.
    pub fn dated(&self, civil: u64) -> Dated {
        match civil {
            now if now < self.not_before => Dated::NotYet,
            now if now <= self.not_after => Dated::Valid((self.not_after - now) / DAY),
            now => Dated::Expired((now - self.not_after) / DAY),
        }
    }

    /// Whether the next certificate of a file is by name the one that signed it.
    pub fn is_issued_by(&self, next: &Self) -> bool {
        self.encoded.1 == next.encoded.0
    }
}

/// The facts of the first certificate of a PEM text: the server's own.
///
/// # Errors
///
/// [`CertificateError`], for this certificate and each behind it.
pub fn read_facts(pem: &[u8]) -> Result<CertificateFacts, CertificateError> {
    read_chain(pem)?.into_iter().next().ok_or(CertificateError::NoCertificate)
}

/// The facts of all certificates of a PEM text, in its order; never none.
///
/// # Errors
///
/// [`CertificateError`].
pub fn read_chain(pem: &[u8]) -> Result<Vec<CertificateFacts>, CertificateError> {
    let each = certificates(pem)?;
    let facts = |(at, one): (usize, &CertificateDer<'_>)| facts(one, at + 1);
    each.iter().enumerate().map(facts).collect()
}

/// Checks that a private key, in PEM, is the one of the first certificate.
///
/// # Errors
///
/// [`CertificateError`].
pub fn check_key(pem: &[u8], key: &[u8]) -> Result<(), CertificateError> {
    certified(pem, key).map(drop)
}

/// The certificates of a PEM text with the private key of the first: what a server shows.
///
/// # Errors
///
/// [`CertificateError`].
pub fn certified(pem: &[u8], key: &[u8]) -> Result<CertifiedKey, CertificateError> {
    let chain = certificates(pem)?;
    if key.len() as u64 > MAX_OCTETS {
        return Err(CertificateError::TooLong);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
        PemError::NoItemsFound => CertificateError::NoKey,
        _ => CertificateError::NotPem,
    })?;
    let provider = default_provider();
    let key = provider.key_provider.load_private_key(key);
    let key = key.map_err(|_| CertificateError::UnusableKey)?;
    let certified = CertifiedKey::new(chain, key);
    // `Unknown`: the library cannot compare keys of that kind.
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
            Err(CertificateError::WrongKey)
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(CertificateError::UnusableKey),
        Err(_) => Err(CertificateError::Malformed(1)),
    }
}

/// The certificates of a PEM text, in its order; never none.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    if pem.len() as u64 > MAX_OCTETS {
        return Err(CertificateError::TooLong);
    }
    let mut each = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        if each.len() == MAX_CERTIFICATES {
            return Err(CertificateError::TooLong);
        }
        each.push(certificate.map_err(|_| CertificateError::NotPem)?);
    }
    if each.is_empty() { Err(CertificateError::NoCertificate) } else { Ok(each) }
}

fn facts(der: &[u8], place: usize) -> Result<CertificateFacts, CertificateError> {
    let malformed = || CertificateError::Malformed(place);
    let (rest, certificate) = parse_x509_certificate(der).map_err(|_| malformed())?;
    let is_broken =
        |extension: &ParsedExtension<'_>| matches!(extension, ParsedExtension::ParseError { .. });
    if !rest.is_empty()
        || certificate.extensions().iter().any(|one| is_broken(one.parsed_extension()))
    {
        return Err(malformed());
    }
    let (names, addresses) = alternatives(&certificate).ok_or_else(malformed)?;
    let usage = certificate.extended_key_usage().map_err(|_| malformed())?;
    let validity = certificate.validity();
    let second = |time: i64| u64::try_from(time).unwrap_or(0);
    Ok(CertificateFacts {
        subject: shown(certificate.subject()),
        issuer: shown(certificate.issuer()),
        names,
        addresses,
        not_before: second(validity.not_before.timestamp()),
        not_after: second(validity.not_after.timestamp()),
        key: key(certificate.public_key()),
        is_authority: certificate.is_ca(),
        permits: permits(&certificate).ok_or_else(malformed)?,
        is_for_servers: usage.is_none_or(|usage| usage.value.any || usage.value.server_auth),
        encoded: (certificate.subject().as_raw().to_vec(), certificate.issuer().as_raw().to_vec()),
    })
}

/// The names and addresses that it is for; none if they cannot be read.
fn alternatives(certificate: &X509Certificate<'_>) -> Option<(Vec<String>, Vec<IpAddr>)> {
    let (mut names, mut addresses) = (Vec::new(), Vec::new());
    let found = certificate.subject_alternative_name().ok()?;
    for name in found.iter().flat_map(|found| &found.value.general_names) {
        match name {
            GeneralName::DNSName(name) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                if name.is_empty() || !name.bytes().all(|octet| octet.is_ascii_graphic()) {
                    return None;
                }
                names.push(name);
            }
            GeneralName::IPAddress(octets) => addresses.push(address(octets)?),
            _ => {}
        }
    }
    Some((names, addresses))
}

/// What an authority may sign for; none if it cannot be read.
fn permits(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let Some(found) = certificate.name_constraints().ok()? else { return Some(Vec::new()) };
    let each = found.value.permitted_subtrees.iter().flatten();
    let word = |base: &GeneralName<'_>| match base {
        GeneralName::DNSName(name) => Some(Some((*name).to_ascii_lowercase())),
        GeneralName::IPAddress(octets) => {
            let (network, mask) = octets.split_at_checked(octets.len() / 2)?;
            let network = IpNet::with_netmask(address(network)?, address(mask)?).ok()?;
            let is_single = network.prefix_len() == network.max_prefix_len();
            Some(Some(if is_single { network.addr().to_string() } else { network.to_string() }))
        }
        _ => Some(None),
    };
    let words: Option<Vec<Option<String>>> = each.map(|one| word(&one.base)).collect();
    Some(words?.into_iter().flatten().collect())
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(v4.into());
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

/// A name of the directory for people.
fn shown(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().next().and_then(|one| one.as_str().ok());
    let text = common.map_or_else(|| name.to_string(), str::to_owned);
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().take(MAX_SHOWN).map(plain).collect()
}

/// The kind of a key for people.
fn key(info: &SubjectPublicKeyInfo<'_>) -> String {
    let algorithm = info.algorithm.algorithm.to_id_string();
    let parameters = info.algorithm.parameters.as_ref();
    let curve = parameters.and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
    match (algorithm.as_str(), curve.as_deref()) {
        (_, Some("1.2.840.10045.3.1.7")) => "P-256".into(),
        (_, Some("1.3.132.0.34")) => "P-384".into(),
        (_, Some("1.3.132.0.35")) => "P-521".into(),
        ("1.3.101.112", _) => "Ed25519".into(),
        (id, _) => match info.parsed() {
            Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
            _ => id.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn made(names: &[&str], addresses: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        let address = |text: &&str| SanType::IpAddress(text.parse().unwrap());
        params.subject_alt_names.extend(addresses.iter().map(address));
        params.distinguished_name.push(DnType::CommonName, "a\u{7}b");
        [params.not_before, params.not_after] =
            [2026, 2027].map(|year| rcgen::date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn a_certificate_says_what_it_was_made_of() {
        let (pem, _) =
            made(&["DNS.school.example", "*.dns.school.example"], &["10.0.0.1", "fd00::1"]);
        let facts = read_facts(pem.as_bytes()).unwrap();
        assert_eq!(facts.names, ["dns.school.example", "*.dns.school.example"]);
        let addresses: Vec<IpAddr> = vec!["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()];
        assert_eq!(facts.addresses, addresses);
        assert_eq!((facts.not_before, facts.not_after), (1_767_225_600, 1_798_761_600));
        assert_eq!((facts.subject.as_str(), facts.key.as_str()), ("a\u{fffd}b", "P-256"));
        assert!(!facts.is_authority && facts.is_for_servers);
        for (name, is_covered) in [
            ("dns.school.example", true),
            ("Dns.School.Example.", true),
            ("pupils.dns.school.example", true),
            ("a.b.dns.school.example", false),
            (".dns.school.example", false),
            ("school.example", false),
            ("", false),
        ] {
            assert_eq!(facts.covers_name(name), is_covered, "{name}");
        }
        assert!(facts.covers_address("::ffff:10.0.0.1".parse().unwrap()));
        assert!(!facts.covers_address("10.0.0.2".parse().unwrap()));
    }

    #[test]
    fn dates_are_counted_in_whole_days() {
        let facts = read_facts(made(&["a.example"], &[]).0.as_bytes()).unwrap();
        assert_eq!(facts.dated(facts.not_before - 1), Dated::NotYet);
        assert_eq!(facts.dated(facts.not_before), Dated::Valid(365));
        assert_eq!(facts.dated(facts.not_after), Dated::Valid(0));
        assert_eq!(facts.dated(facts.not_after + 1), Dated::Expired(0));
        assert_eq!(facts.dated(facts.not_after + DAY), Dated::Expired(1));
    }

    #[test]
    fn a_wrong_file_is_told_apart() {
        let (pem, own) = made(&["a.example"], &[]);
        let (_, other) = made(&["a.example"], &[]);
        let check = |pem: &str, key: &str| check_key(pem.as_bytes(), key.as_bytes());
        assert_eq!(check(&pem, &own), Ok(()));
        assert_eq!(check(&pem, &other), Err(CertificateError::WrongKey));
        assert_eq!(check(&pem, &pem), Err(CertificateError::NoKey));
        assert_eq!(check(&own, &own), Err(CertificateError::NoCertificate));
        assert_eq!(check("", &own), Err(CertificateError::NoCertificate));
        let cut = &pem[..pem.len() / 2];
        assert_eq!(check(cut, &own), Err(CertificateError::NotPem));
        let nothing = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert_eq!(read_facts(nothing.as_bytes()), Err(CertificateError::Malformed(1)));
        let second = format!("{pem}{nothing}");
        assert_eq!(read_facts(second.as_bytes()), Err(CertificateError::Malformed(2)));
        let many = pem.repeat(MAX_CERTIFICATES + 1);
        assert_eq!(read_facts(many.as_bytes()), Err(CertificateError::TooLong));
        let nokey = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        assert_eq!(check(&pem, nokey), Err(CertificateError::UnusableKey));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
            let text = pem::encode(&pem::Pem::new("CERTIFICATE", octets.clone()));
            let _ = (read_chain(&octets), read_chain(text.as_bytes()));
        }

        #[test]
        fn a_changed_certificate_is_read_or_refused(at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let (text, _) = made(&["a.example"], &["10.0.0.1"]);
            let mut der = pem::parse(text).unwrap().into_contents();
            let at = at.index(der.len());
            der[at] = to;
            let text = pem::encode(&pem::Pem::new("CERTIFICATE", der));
            let _ = check_key(text.as_bytes(), b"");
            let _ = read_chain(text.as_bytes());
        }
    }
}
