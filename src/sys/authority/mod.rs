//! A school's own authority, and the certificates that it signs for the resolver.
//!
//! ```text
//! names, addresses ▸ authority: it can sign for these alone ▸ certificate for 397 days
//!                        └ its key: forgotten, or a file on a stick that the next certificate needs
//! ```
//!
//! Laws: an authority must never be able to sign for anything but this resolver: its name constraints
//! are critical (RFC 5280 §4.2.1.10), it signs no further authority, and servers only. Devices install
//! it as one they trust, and a school's authority must not be able to be a bank. Its key must never be
//! on the gateway, which is reached from the network.
//!
//! P-256: some devices take no Ed25519 of a certificate. Files, clock and words are the caller's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
    PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};
use zeroize::Zeroizing;

use crate::dns::name::Name;
use crate::lang::{Message, messages};
use crate::policy::tables::local_zones::{is_public_suffix, is_whole_domain};
use crate::sys::certificate::{CertificateError, CertificateFacts, check_key, read_facts};

/// Days that a certificate is valid. Browsers take no longer than 398 of a public authority and
/// Apple's systems no longer than 825 of one's own: what is below both is taken everywhere, and a
/// renewal each school year stays a habit.
pub const DAYS: u64 = 397;
/// Years that an authority is valid whose key is at hand, where nothing else is said.
pub const YEARS: u64 = 5;
/// The most years.
pub const MAX_YEARS: u64 = 10;
/// The most names and the most addresses of a certificate.
pub const MOST: usize = 32;
/// Seconds of a day.
const DAY: u64 = 86_400;
/// The most octets of a common name (RFC 5280 appendix A, `ub-common-name`).
const MAX_COMMON_NAME: usize = 64;

/// Why an authority or a certificate cannot be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum AuthorityError {
    /// An address stands in the place of a name.
    NameIsAddress(IpAddr),
    /// No name is given.
    NoName,
    /// A text is no name of a host.
    Name(String, String),
    /// A name is no host's: others have names below it.
    Suffix(String),
    /// A wildcard covers a whole domain.
    WholeDomain(String),
    /// An address is no host's.
    Address(IpAddr),
    /// More than [`MOST`] names or addresses.
    TooMany,
    /// The authority is not bound to names, or cannot sign.
    NoAuthority,
    /// The authority has expired.
    Over,
    /// The authority cannot sign for this name or address.
    NotPermitted(String),
    /// The file of the authority or of its key.
    Certificate(CertificateError),
    /// The library failed.
    Failed(String),
}

impl AuthorityError {
    /// What is wrong and what to do, for people.
    pub fn message(&self) -> Message {
        match self {
            Self::NoName => messages::certs_needs_name(),
            Self::Name(name, why) => messages::certs_no_name(name, why),
            Self::Suffix(name) => messages::certs_suffix(name),
            Self::WholeDomain(name) => messages::certs_wild(name),
            Self::Address(address) => messages::certs_no_address(address),
            Self::TooMany => messages::certs_too_many(MOST),
            Self::NoAuthority => messages::certs_no_authority(),
            Self::Over => messages::certs_authority_over(),
            Self::NotPermitted(what) => messages::certs_not_permitted(what),
            Self::Certificate(error) => error.message(),
            Self::NameIsAddress(address) => messages::certs_name_is_address(address, "--address"),
            Self::Failed(why) => messages::certs_failed(why),
        }
    }
}

impl From<rcgen::Error> for AuthorityError {
    fn from(error: rcgen::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The names and addresses of a resolver, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subjects {
    /// In lower case, in ASCII, without a final dot; `*.` may stand in front. Never none.
    names: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Subjects {
    /// Checks names and addresses.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`].
    pub fn new(names: &[String], addresses: &[IpAddr]) -> Result<Self, AuthorityError> {
        if names.len() > MOST || addresses.len() > MOST {
            return Err(AuthorityError::TooMany);
        }
        let mut checked: Vec<String> = Vec::new();
        for name in names {
            let name = host(name)?;
            if !checked.contains(&name) {
                checked.push(name);
            }
        }
        if checked.is_empty() {
            return Err(AuthorityError::NoName);
        }
        let mut own = Vec::new();
        for address in addresses.iter().map(IpAddr::to_canonical) {
            if address.is_unspecified() || address.is_multicast() {
                return Err(AuthorityError::Address(address));
            }
            if !own.contains(&address) {
                own.push(address);
            }
        }
        Ok(Self { names: checked, addresses: own })
    }

    /// The first name.
    pub fn first(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// A name that is a whole domain: with it, an authority may sign for every host there.
    pub fn whole_domain(&self) -> Option<&str> {
        let is_whole =
            |name: &&String| Name::from_text(name).is_ok_and(|name| is_whole_domain(&name));
        self.names.iter().find(is_whole).map(String::as_str)
    }

    /// What an authority for them may sign for.
    fn constraints(&self) -> NameConstraints {
        let zone = |name: &String| name.strip_prefix("*.").unwrap_or(name).to_owned();
        let names = self.names.iter().map(|name| GeneralSubtree::DnsName(zone(name)));
        let single =
            |ip: &IpAddr| CidrSubnet::from_addr_prefix(*ip, if ip.is_ipv4() { 32 } else { 128 });
        let addresses = self.addresses.iter().map(|ip| GeneralSubtree::IpAddress(single(ip)));
        // A kind that is not named is not bound: without an address of its own, every one is excluded.
        let all = [
            CidrSubnet::from_v4_prefix(Ipv4Addr::UNSPECIFIED.octets(), 0),
            CidrSubnet::from_v6_prefix(Ipv6Addr::UNSPECIFIED.octets(), 0),
        ];
        let excluded = all.map(GeneralSubtree::IpAddress).to_vec();
        NameConstraints {
            permitted_subtrees: names.chain(addresses).collect(),
            excluded_subtrees: if self.addresses.is_empty() { excluded } else { Vec::new() },
        }
    }

    /// Checks that an authority may sign for all of them.
    fn check_permitted(&self, by: &CertificateFacts) -> Result<(), AuthorityError> {
        let is_below = |name: &str, zone: &str| {
            name == zone || name.strip_suffix(zone).is_some_and(|front| front.ends_with('.'))
        };
        let refused = |what: &str| Err(AuthorityError::NotPermitted(what.to_owned()));
        for name in &self.names {
            let bare = name.strip_prefix("*.").unwrap_or(name);
            if !by.permits.iter().any(|zone| is_below(bare, zone)) {
                return refused(name);
            }
        }
        for address in self.addresses.iter().map(IpAddr::to_string) {
            if !by.permits.contains(&address) {
                return refused(&address);
            }
        }
        Ok(())
    }
}

/// A host name in lower case and ASCII, without a final dot.
fn host(text: &str) -> Result<String, AuthorityError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Err(AuthorityError::NameIsAddress(address));
    }
    let (wild, bare) = text.strip_prefix("*.").map_or(("", text), |bare| ("*.", bare));
    let name = Name::from_text(bare)
        .map_err(|error| AuthorityError::Name(text.to_owned(), error.to_string()))?;
    if name.label_count() < 2 || is_public_suffix(&name) {
        return Err(AuthorityError::Suffix(text.to_owned()));
    }
    if !wild.is_empty() && is_whole_domain(&name) {
        return Err(AuthorityError::WholeDomain(text.to_owned()));
    }
    Ok(format!("{wild}{}", name.to_string().trim_end_matches('.')))
}

/// A certificate with its key, in PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: Zeroizing<String>,
    /// The last second of its validity, since 1970, UTC.
    pub not_after: u64,
}

/// An authority that can sign.
pub struct SchoolAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    facts: CertificateFacts,
}

impl SchoolAuthority {
    /// Makes an authority for these names and addresses alone, from a second on, for so many days.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Failed`].
    pub fn make(subjects: &Subjects, now: u64, days: u64) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = dated(now, now.saturating_add(days * DAY));
        // Two authorities of one school are told apart in a device's list.
        let end = format!(" {}", params.not_before.date());
        let mut common = format!("School DNS {}", subjects.first());
        common.truncate(MAX_COMMON_NAME - end.len());
        params.distinguished_name.push(DnType::CommonName, common + &end);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.name_constraints = Some(subjects.constraints());
        let certificate = params.self_signed(&key)?;
        let pem = to_pem("CERTIFICATE", certificate.der());
        let facts = read_facts(pem.as_bytes()).map_err(AuthorityError::Certificate)?;
        Ok(Self { issuer: Issuer::new(params, key), pem, facts })
    }

    /// An authority from its certificate and its key, in PEM.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`].
    pub fn open(pem: &[u8], key: &[u8]) -> Result<Self, AuthorityError> {
        let facts = read_facts(pem).map_err(AuthorityError::Certificate)?;
        check_key(pem, key).map_err(AuthorityError::Certificate)?;
        if !facts.is_authority || facts.permits.is_empty() {
            return Err(AuthorityError::NoAuthority);
        }
        let failed = |_| AuthorityError::Certificate(CertificateError::UnusableKey);
        let key = PrivatePkcs8KeyDer::from_pem_slice(key).map_err(failed)?;
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256)?;
        let failed = |_| AuthorityError::Certificate(CertificateError::NotPem);
        let der = CertificateDer::from_pem_slice(pem).map_err(failed)?;
        let issuer = Issuer::from_ca_cert_der(&der, key)?;
        Ok(Self { issuer, pem: to_pem("CERTIFICATE", &der), facts })
    }

    /// Its certificate in PEM, for devices.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its key in PEM, for a stick.
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(to_pem("PRIVATE KEY", self.issuer.key().serialized_der()))
    }

    /// What it says of itself.
    pub fn facts(&self) -> &CertificateFacts {
        &self.facts
    }

    /// All names and addresses that it may sign for.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`] for one that no certificate of ours may have.
    pub fn subjects(&self) -> Result<Subjects, AuthorityError> {
        let (addresses, names): (Vec<_>, Vec<_>) = self
            .facts
            .permits
            .iter()
            .map(|text| (text.parse::<IpAddr>().ok(), text.clone()))
            .partition(|(ip, _)| ip.is_some());
        let names: Vec<String> = names.into_iter().map(|(_, name)| name).collect();
        let addresses: Vec<IpAddr> = addresses.into_iter().filter_map(|(ip, _)| ip).collect();
        Subjects::new(&names, &addresses)
    }

    /// Signs a certificate with a new key, from a second on, for [`DAYS`], and never longer than the
    /// authority is valid.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::NotPermitted`], [`AuthorityError::Over`], [`AuthorityError::Failed`].
    pub fn issue(&self, subjects: &Subjects, now: u64) -> Result<Issued, AuthorityError> {
        subjects.check_permitted(&self.facts)?;
        if now >= self.facts.not_after {
            return Err(AuthorityError::Over);
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let not_after = now.saturating_add(DAYS * DAY).min(self.facts.not_after);
        let mut params = dated(now, not_after);
        if subjects.first().len() <= MAX_COMMON_NAME {
            params.distinguished_name.push(DnType::CommonName, subjects.first());
        }
        for name in &subjects.names {
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        params.subject_alt_names.extend(subjects.addresses.iter().copied().map(SanType::IpAddress));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            certificate: to_pem("CERTIFICATE", certificate.der()),
            key: Zeroizing::new(to_pem("PRIVATE KEY", key.serialized_der())),
            not_after,
        })
    }
}

/// Parameters with these dates, an hour early: clocks of devices differ.
fn dated(from: u64, until: u64) -> CertificateParams {
    let moment = |second: u64| date_time_ymd(1970, 1, 1) + Duration::from_secs(second);
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = moment(from.saturating_sub(3600));
    params.not_after = moment(until);
    params
}

fn to_pem(tag: &str, der: &[u8]) -> String {
    pem::encode_config(
        &pem::Pem::new(tag, der),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    )
}

#[cfg(test)]
mod tests;
