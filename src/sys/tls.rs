//! TLS client: the checks of a server's certificate, by the trust in the clock.
//!
//! ```text
//! clock        chain and name   validity dates   session resumption
//! untrusted    checked          not checked      never
//! otherwise    checked          checked          yes
//! ```
//!
//! A board without an RTC battery starts in the year 2000, where no certificate is valid yet:
//! without DNS there is no time server, and without a time server no right clock. Risk until the
//! clock is set: an expired certificate is accepted, also one whose key leaked and that was left
//! to expire. Still required: a trusted authority signed it, for this name, and its chain was
//! valid as a whole at some moment.
//!
//! rustls makes all checks. The moment is found by trial: where rustls reports that a certificate
//! is valid only from (or until) a time, the chain is checked again at that time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, VerifierBuilderError};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tracing::warn;

use crate::sys::clock::Dates;

/// The most moments tried for one chain; a try fails at an edge of one certificate's validity.
const MOMENTS: usize = 8;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The extra certificates are not PEM, or not certificates.
    #[error("the extra TLS roots cannot be read: {0}; give a file of PEM certificates")]
    Roots(String),
    /// The TLS library refused its settings.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] Error),
    /// The TLS library refused the authorities to trust.
    #[error("TLS cannot be set up: {0}")]
    Verifier(#[from] VerifierBuilderError),
}

/// Client settings: the authorities to trust, with and without the check of dates.
#[derive(Debug, Clone)]
pub struct Tls {
    dates: Dates,
    /// Settings while dates can be judged: rustls as it is.
    dated: Arc<ClientConfig>,
    /// Settings while they cannot.
    undated: Arc<ClientConfig>,
}

impl Tls {
    /// Settings that trust the public roots and `extra`, a text of PEM certificates.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub fn new(extra: Option<&[u8]>, dates: Dates) -> Result<Self, TlsError> {
        let roots = Arc::new(roots(extra)?);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
        };
        let dated = builder()?.with_root_certificates(Arc::clone(&roots)).with_no_client_auth();
        let inner =
            WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
        let verifier = Undated { inner, was_told: AtomicBool::new(false) };
        let mut undated = builder()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        // A resumed session shows no certificate: its dates would never be checked later.
        undated.resumption = Resumption::disabled();
        Ok(Self { dates, dated: Arc::new(dated), undated: Arc::new(undated) })
    }

    /// The same for one application protocol (ALPN).
    #[must_use]
    pub fn for_protocol(self, protocol: &[u8]) -> Self {
        let with = |config: Arc<ClientConfig>| {
            let mut config = Arc::unwrap_or_clone(config);
            config.alpn_protocols = vec![protocol.to_vec()];
            Arc::new(config)
        };
        Self { dated: with(self.dated), undated: with(self.undated), dates: self.dates }
    }

    /// The settings for a connection that is made now.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(if self.dates.are_known() { &self.dated } else { &self.undated })
    }
}

/// Checks that [`Tls::new`] accepts a text of PEM certificates.
///
/// # Errors
///
/// [`TlsError::Roots`].
pub fn prove_roots(pem: &[u8]) -> Result<(), TlsError> {
    roots(Some(pem)).map(drop)
}

fn roots(extra: Option<&[u8]>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(pem) = extra {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| TlsError::Roots(error.to_string()))?;
            roots.add(certificate).map_err(|error| TlsError::Roots(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(TlsError::Roots("no certificate in it".into()));
        }
    }
    Ok(roots)
}

/// Verifier of chain and name at a moment at which the whole chain was valid, if there is one.
#[derive(Debug)]
struct Undated {
    inner: Arc<WebPkiServerVerifier>,
    /// True once a certificate was logged that the clock would have refused.
    was_told: AtomicBool,
}

impl ServerCertVerifier for Undated {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut moment = now;
        let mut tries = 0;
        loop {
            tries += 1;
            let checked = self.inner.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                moment,
            );
            match checked {
                Err(Error::InvalidCertificate(ref why)) if tries < MOMENTS => match edge(why) {
                    Some(edge) => moment = edge,
                    None => return checked,
                },
                Ok(_) if moment != now && !self.was_told.swap(true, Ordering::Relaxed) => {
                    warn!(
                        "the certificate of {} is not valid at the time of the clock, which is not \
                         trusted: taken, as it and those after it until the clock is set are \
                         checked without dates",
                        server_name.to_str()
                    );
                    return checked;
                }
                _ => return checked,
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The edge of validity that an error names; `None` for an error that is not about dates.
fn edge(why: &CertificateError) -> Option<UnixTime> {
    match why {
        CertificateError::NotValidYetContext { not_before, .. } => Some(*not_before),
        CertificateError::ExpiredContext { not_after, .. } => Some(*not_after),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;

    /// A date in seconds since 1970.
    fn year(year: i32) -> u64 {
        rcgen::date_time_ymd(year, 1, 1).unix_timestamp().cast_unsigned()
    }

    fn params(name: &str, years: [i32; 2]) -> CertificateParams {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        [params.not_before, params.not_after] = years.map(|y| rcgen::date_time_ymd(y, 1, 1));
        params
    }

    /// Whether a chain of an intermediate and a leaf of these years is accepted in a year.
    fn is_taken(intermediate: [i32; 2], leaf: [i32; 2], now: i32) -> bool {
        let keys = [(); 3].map(|()| KeyPair::generate().unwrap());
        let [root_key, middle_key, leaf_key] = keys;
        let authority = |name, years| {
            let mut params = params(name, years);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        };
        // A root's own dates are not checked: it is trusted by name and key.
        let root = authority("root.example", [1990, 1991]);
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let root = Issuer::new(root, root_key);
        let middle = authority("middle.example", intermediate);
        let middle_der = middle.signed_by(&middle_key, &root).unwrap().der().clone();
        let middle = Issuer::new(middle, middle_key);
        let leaf = params("dns.example", leaf).signed_by(&leaf_key, &middle).unwrap();
        let trusted = Arc::new(roots(Some(root_pem.as_bytes())).unwrap());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let inner = WebPkiServerVerifier::builder_with_provider(trusted, provider).build().unwrap();
        let verifier = Undated { inner, was_told: AtomicBool::new(false) };
        let verify = |name: &str| {
            let name = ServerName::try_from(name.to_owned()).unwrap();
            let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(year(now)));
            let chain = [middle_der.clone()];
            verifier.verify_server_cert(leaf.der(), &chain, &name, &[], now).is_ok()
        };
        assert!(!verify("www.example"), "the name is always checked");
        verify("dns.example")
    }

    #[test]
    fn a_chain_is_taken_if_all_of_it_was_valid_at_one_moment() {
        for now in [1971, 2012, 2017, 2040] {
            assert!(is_taken([2010, 2020], [2015, 2016], now), "{now}");
            // The windows overlap for two years only.
            assert!(is_taken([2010, 2020], [2018, 2025], now), "{now}");
            assert!(is_taken([2018, 2025], [2010, 2020], now), "{now}");
            assert!(!is_taken([2010, 2014], [2015, 2016], now), "{now}");
            assert!(!is_taken([2018, 2025], [2015, 2016], now), "{now}");
        }
    }
}
