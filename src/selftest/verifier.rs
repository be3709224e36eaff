//! The check of a certificate that a listener of this gateway shows.
//!
//! ```text
//! shown is a chain in use   for the name   within its dates   for servers   signed by the one behind it
//! ```
//!
//! Laws: trusted is what the files of the config have, and nothing else: which authorities devices trust is
//! theirs to know, not this machine's. Dates are checked where the clock can be trusted, as devices have
//! clocks of their own.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::policy::group::time::{Now, Trust};
use crate::selftest::run::RowFinding;
use crate::sys::certificate::Dated;
use crate::sys::certificates::ShownChain;

/// Verifier of the chains in use at one moment.
#[derive(Debug)]
pub(super) struct OwnVerifier {
    chains: Vec<ShownChain>,
    /// Seconds since 1970; none where the clock cannot be trusted.
    civil: Option<u64>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl OwnVerifier {
    /// A verifier of these chains.
    pub(super) fn new(chains: Vec<ShownChain>, now: Now, provider: &Arc<CryptoProvider>) -> Self {
        let civil = (now.trust != Trust::Untrusted).then_some(now.civil);
        Self { chains, civil, algorithms: provider.signature_verification_algorithms }
    }

    /// Checks that the certificate behind a server's own has signed it, where the file has one: else its
    /// authority is known to devices alone.
    fn check_signed(
        &self,
        server: &CertificateDer<'_>,
        behind: &[CertificateDer<'_>],
        moment: u64,
    ) -> Result<(), Error> {
        if behind.is_empty() {
            return Ok(());
        }
        let mut anchors = RootCertStore::empty();
        for one in behind {
            anchors.add(one.clone().into_owned())?;
        }
        let moment = UnixTime::since_unix_epoch(Duration::from_secs(moment));
        let server = ParsedCertificate::try_from(server)?;
        let algorithms = self.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&server, &anchors, behind, moment, algorithms)
    }
}

impl ServerCertVerifier for OwnVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_shown = |chain: &&ShownChain| {
            let own = chain.certificates.split_first();
            own.is_some_and(|(first, behind)| first == end_entity && behind == intermediates)
        };
        let shown = self.chains.iter().find(is_shown).ok_or(CertificateError::UnknownIssuer)?;
        let facts = &shown.facts;
        // Without a name a device came by an address, and judges the certificate by what it was told.
        if let ServerName::DnsName(name) = server_name
            && !facts.covers_name(name.as_ref())
        {
            return Err(CertificateError::NotValidForName.into());
        }
        match self.civil.map(|civil| facts.dated(civil)) {
            Some(Dated::Expired(_)) => return Err(CertificateError::Expired.into()),
            Some(Dated::NotYet) => return Err(CertificateError::NotValidYet.into()),
            Some(Dated::Valid(_)) | None => {}
        }
        if !facts.is_for_servers {
            return Err(CertificateError::InvalidPurpose.into());
        }
        let moment = self.civil.unwrap_or(facts.not_before);
        self.check_signed(end_entity, intermediates, moment)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What a row finds of an error of TLS; none for one that is not about a certificate.
pub(super) fn finding(error: &Error) -> Option<RowFinding> {
    use CertificateError as Why;
    let Error::InvalidCertificate(why) = error else { return None };
    Some(match why {
        Why::Expired
        | Why::ExpiredContext { .. }
        | Why::NotValidYet
        | Why::NotValidYetContext { .. } => RowFinding::CertificateDates,
        Why::NotValidForName | Why::NotValidForNameContext { .. } => RowFinding::CertificateName,
        _ => RowFinding::CertificateRefused,
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    use rustls::crypto::aws_lc_rs::default_provider;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;
    use crate::sys::certificate::read_facts;

    fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        (Issuer::new(params, key), pem)
    }

    /// A certificate for `dns.school.example` in 2026, signed by an authority.
    fn signed(by: &Issuer<'static, KeyPair>) -> String {
        let mut params = CertificateParams::new(["dns.school.example".to_owned()]).unwrap();
        [params.not_before, params.not_after] =
            [2026, 2027].map(|year| rcgen::date_time_ymd(year, 1, 1));
        params.signed_by(&KeyPair::generate().unwrap(), by).unwrap().pem()
    }

    fn chain(pem: &str) -> ShownChain {
        let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
        ShownChain {
            facts: read_facts(pem.as_bytes()).unwrap(),
            certificates: certificates.collect::<Result<_, _>>().unwrap(),
        }
    }

    /// What is found of a chain that is shown where another is in use.
    fn judged(in_use: &str, shown: &str, server: &str, year: Option<i32>) -> Option<RowFinding> {
        let trust = if year.is_some() { Trust::Synced } else { Trust::Untrusted };
        let second = rcgen::date_time_ymd(year.unwrap_or(2000), 6, 1).unix_timestamp();
        let now = Now { mono: 0, civil: second.cast_unsigned(), trust };
        let verifier = OwnVerifier::new(vec![chain(in_use)], now, &Arc::new(default_provider()));
        let shown = chain(shown).certificates;
        let (server_own, behind) = shown.split_first().unwrap();
        let server = ServerName::try_from(server.to_owned()).unwrap();
        let clock = UnixTime::since_unix_epoch(Duration::ZERO);
        let verified = verifier.verify_server_cert(server_own, behind, &server, &[], clock);
        verified.err().map(|error| finding(&error).unwrap())
    }

    #[test]
    fn what_devices_refuse_is_found_by_its_cause() {
        let (school, school_pem) = authority("School");
        let (_, other_pem) = authority("Other");
        let name = "dns.school.example";
        let own = signed(&school);
        let whole = format!("{own}{school_pem}");
        let found = |shown: &str, server: &str, year| judged(shown, shown, server, year);
        for right in [&own, &whole] {
            assert_eq!(found(right, name, Some(2026)), None);
            assert_eq!(found(right, "10.20.0.1", Some(2026)), None);
            // Without a clock dates are the device's to judge.
            assert_eq!(found(right, name, None), None);
        }
        let dates = Some(RowFinding::CertificateDates);
        assert_eq!(found(&own, name, Some(2027)), dates);
        assert_eq!(found(&own, name, Some(2025)), dates);
        let other_name = found(&own, "pupils.dns.school.example", Some(2026));
        assert_eq!(other_name, Some(RowFinding::CertificateName));
        let refused = Some(RowFinding::CertificateRefused);
        assert_eq!(found(&format!("{own}{other_pem}"), name, Some(2026)), refused);
        // Another process at the port, whatever its certificate says.
        assert_eq!(judged(&own, &signed(&school), name, Some(2026)), refused);
        assert_eq!(judged(&own, &whole, name, Some(2026)), refused);
    }
}
