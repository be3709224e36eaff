//! Certificates of the encrypted listeners: read from files, chosen by server name, swapped when
//! their files change.
//!
//! Laws: what is in use stays in use until what follows it is whole (a certificate whose key is not
//! there yet is half of a change); a certificate that is missing keeps no other out. Dates are the
//! client's to judge: a gateway without a clock battery does not know them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, ServerConfig};

use crate::config::CertificateFiles;
use crate::lang::{Message, messages};
use crate::sys::read;

/// The most octets of a file.
const MOST: u64 = 1 << 20;

/// Why a certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateFault {
    /// A file cannot be read.
    Unreadable(PathBuf, String),
    /// There is no certificate in the file.
    NoCertificate(PathBuf),
    /// There is no private key in the file, or one of a kind that is not known.
    NoKey(PathBuf),
    /// The key belongs to another certificate.
    OtherKey(PathBuf, PathBuf),
    /// The certificate cannot be understood.
    Unusable(PathBuf, String),
}

impl CertificateFault {
    /// What is wrong and what to do.
    pub fn message(&self) -> Message {
        let shown = |path: &Path| path.display().to_string();
        match self {
            Self::Unreadable(path, why) => messages::certificate_unreadable(shown(path), why),
            Self::NoCertificate(path) => messages::certificate_not_there(shown(path)),
            Self::NoKey(path) => messages::certificate_no_key(shown(path)),
            Self::OtherKey(certificate, key) => {
                messages::certificate_other_key(shown(key), shown(certificate))
            }
            Self::Unusable(path, why) => messages::certificate_unusable(shown(path), why),
        }
    }
}

/// The state of a file, to see whether it has changed: what a link leads to, not the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp(u64, u64, i64, i64, u64);

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let of = read::metadata(path).ok()?;
        Some(Self(of.dev(), of.ino(), of.mtime(), of.mtime_nsec(), of.size()))
    }
}

/// A certificate in its place in the config.
#[derive(Debug)]
struct Slot {
    files: CertificateFiles,
    in_use: ArcSwapOption<CertifiedKey>,
    looked: Mutex<Looked>,
}

/// What the last look found.
#[derive(Debug, Default)]
struct Looked {
    stamps: Option<[Option<Stamp>; 2]>,
    fault: Option<CertificateFault>,
}

/// What a look found of one certificate, where it is another than before.
#[derive(Debug)]
pub enum Change {
    /// It is in use now.
    Used(PathBuf),
    /// It cannot be used; what was in use before stays so.
    Refused(CertificateFault),
}

/// The certificates of the gateway.
#[derive(Debug)]
pub struct Certificates(Vec<Slot>);

impl Certificates {
    /// The certificates of a config, none of them read yet.
    pub fn new(files: &[CertificateFiles]) -> Self {
        let slot = |files: &CertificateFiles| Slot {
            files: files.clone(),
            in_use: ArcSwapOption::empty(),
            looked: Mutex::default(),
        };
        Self(files.iter().map(slot).collect())
    }

    /// Reads what has changed since the last look, and uses it.
    pub fn look(&self) -> Vec<Change> {
        self.0.iter().filter_map(Slot::look).collect()
    }

    /// The files of each certificate, what is in use (the first is the gateway's own), and what is
    /// wrong with the files.
    pub fn states(&self) -> Vec<CertificateState> {
        let state = |slot: &Slot| CertificateState {
            files: slot.files.clone(),
            in_use: slot.in_use.load().as_ref().and_then(|one| Some(one.cert.first()?.to_vec())),
            fault: slot.lock().fault.clone(),
        };
        self.0.iter().map(state).collect()
    }
}

/// One certificate: its files, what is in use of it, and what is wrong.
#[derive(Debug, Clone)]
pub struct CertificateState {
    /// Its files.
    pub files: CertificateFiles,
    /// The certificate in use, DER.
    pub in_use: Option<Vec<u8>>,
    /// The fault of the files as they are now.
    pub fault: Option<CertificateFault>,
}

impl Slot {
    fn lock(&self) -> std::sync::MutexGuard<'_, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> Option<Change> {
        let stamps = [&self.files.certificate, &self.files.key].map(|path| Stamp::of(path));
        let mut looked = self.lock();
        if looked.stamps == Some(stamps) {
            return None;
        }
        looked.stamps = Some(stamps);
        match read_pair(&self.files) {
            Ok(read) => {
                looked.fault = None;
                self.in_use.store(Some(Arc::new(read)));
                Some(Change::Used(self.files.certificate.clone()))
            }
            Err(fault) if looked.fault.as_ref() == Some(&fault) => None,
            Err(fault) => {
                looked.fault = Some(fault.clone());
                Some(Change::Refused(fault))
            }
        }
    }
}

/// Reads a certificate with its key, and proves that they belong together.
///
/// # Errors
///
/// [`CertificateFault`].
pub fn read_pair(files: &CertificateFiles) -> Result<CertifiedKey, CertificateFault> {
    let octets = |path: &Path| {
        let unreadable =
            |error: io::Error| CertificateFault::Unreadable(path.to_owned(), error.to_string());
        read::octets(path, MOST).map_err(unreadable)
    };
    let CertificateFiles { certificate, key } = files;
    let unusable = |why: String| CertificateFault::Unusable(certificate.clone(), why);
    let chain = octets(certificate)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.map_err(|error| unusable(error.to_string()))?;
    if chain.is_empty() {
        return Err(CertificateFault::NoCertificate(certificate.clone()));
    }
    let secret = PrivateKeyDer::from_pem_slice(&octets(key)?)
        .map_err(|_| CertificateFault::NoKey(key.clone()))?;
    CertifiedKey::from_der(chain, secret, &default_provider()).map_err(|error| match error {
        Error::InconsistentKeys(_) => CertificateFault::OtherKey(certificate.clone(), key.clone()),
        Error::General(_) => CertificateFault::NoKey(key.clone()),
        other => unusable(other.to_string()),
    })
}

impl ResolvesServerCert for Certificates {
    /// The first that is for the name that the client asks for; else the first: a client that came
    /// by the address asks for none, or for one that we do not know, and judges for itself.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut usable = self.0.iter().filter_map(|slot| slot.in_use.load_full());
        let first = usable.next()?;
        let Some(name) = hello.server_name().filter(|_| self.0.len() > 1) else {
            return Some(first);
        };
        let Ok(name) = ServerName::try_from(name) else { return Some(first) };
        let is_for = |one: &Arc<CertifiedKey>| {
            let leaf = one.cert.first().and_then(|leaf| ParsedCertificate::try_from(leaf).ok());
            leaf.is_some_and(|leaf| verify_server_name(&leaf, &name).is_ok())
        };
        if is_for(&first) {
            return Some(first);
        }
        Some(usable.find(is_for).unwrap_or(first))
    }
}

/// Settings of a server with these certificates and application protocols: TLS 1.2 and 1.3, sessions
/// resumed by tickets, no early data (it could be sent again by others, RFC 8446 §8).
///
/// # Errors
///
/// The library's refusal of its settings.
pub fn server(
    certificates: &Arc<Certificates>,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(certificates) as _);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    // The client keeps the session, and no connection leaves anything here.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = Ticketer::new()?;
    config.send_tls13_tickets = 1;
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}
