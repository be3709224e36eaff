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
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, ServerConfig};

use crate::config::CertificateFiles;
use crate::lang::{Message, messages};
use crate::sys::certificate::{
    CertificateError, CertificateFacts, MAX_OCTETS, certified, read_facts,
};
use crate::sys::read;

/// Why a certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateFault {
    /// A file cannot be read.
    Unreadable(PathBuf, String),
    /// What a file has cannot be used.
    Unusable(PathBuf, CertificateError),
}

impl CertificateFault {
    /// The file.
    fn path(&self) -> &Path {
        let (Self::Unreadable(path, _) | Self::Unusable(path, _)) = self;
        path
    }

    /// What is wrong with the file, and what to do.
    pub fn why(&self) -> Message {
        match self {
            Self::Unreadable(_, why) => messages::certificate_unread(why),
            Self::Unusable(_, error) => error.message(),
        }
    }

    /// The same with the file's path.
    pub fn message(&self) -> Message {
        messages::certificate_file(self.path().display(), self.why())
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

/// A certificate with its key, and what it says.
#[derive(Debug)]
struct InUse {
    key: Arc<CertifiedKey>,
    facts: CertificateFacts,
}

/// A certificate in its place in the config.
#[derive(Debug)]
struct Slot {
    files: CertificateFiles,
    in_use: ArcSwapOption<InUse>,
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
pub enum CertificateChange {
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
    pub fn look(&self) -> Vec<CertificateChange> {
        self.0.iter().filter_map(Slot::look).collect()
    }

    /// The state of each, in the order of the config.
    pub fn states(&self) -> Vec<CertificateState> {
        let state = |slot: &Slot| CertificateState {
            files: slot.files.clone(),
            facts: slot.in_use.load().as_ref().map(|one| one.facts.clone()),
            fault: slot.lock().fault.clone(),
        };
        self.0.iter().map(state).collect()
    }

    /// What listeners show, in the order of the config.
    pub fn chains(&self) -> Vec<ShownChain> {
        let shown = |one: Arc<InUse>| ShownChain {
            facts: one.facts.clone(),
            certificates: one.key.cert.clone(),
        };
        self.0.iter().filter_map(|slot| slot.in_use.load_full()).map(shown).collect()
    }
}

/// A certificate in use, with those behind it.
#[derive(Debug, Clone)]
pub struct ShownChain {
    /// What the first says.
    pub facts: CertificateFacts,
    /// All of them, the server's own first.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// One certificate: its files, what is in use of it, and what is wrong.
#[derive(Debug, Clone)]
pub struct CertificateState {
    /// Its files.
    pub files: CertificateFiles,
    /// What the one in use says; none where none is.
    pub facts: Option<CertificateFacts>,
    /// The fault of the files as they are now.
    pub fault: Option<CertificateFault>,
}

impl Slot {
    fn lock(&self) -> std::sync::MutexGuard<'_, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> Option<CertificateChange> {
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
                Some(CertificateChange::Used(self.files.certificate.clone()))
            }
            Err(fault) if looked.fault.as_ref() == Some(&fault) => None,
            Err(fault) => {
                looked.fault = Some(fault.clone());
                Some(CertificateChange::Refused(fault))
            }
        }
    }
}

/// Reads a certificate with its key, and proves that they belong together.
///
/// # Errors
///
/// [`CertificateFault`].
fn read_pair(files: &CertificateFiles) -> Result<InUse, CertificateFault> {
    let octets = |path: &Path| {
        let unreadable =
            |error: io::Error| CertificateFault::Unreadable(path.to_owned(), error.to_string());
        read::octets(path, MAX_OCTETS).map_err(unreadable)
    };
    let chain = octets(&files.certificate)?;
    let unusable = |error| CertificateFault::Unusable(files.certificate.clone(), error);
    let facts = read_facts(&chain).map_err(unusable)?;
    let of_key = |error| match error {
        CertificateError::Malformed(_) => unusable(error),
        _ => CertificateFault::Unusable(files.key.clone(), error),
    };
    let key = certified(&chain, &octets(&files.key)?).map_err(of_key)?;
    Ok(InUse { key: Arc::new(key), facts })
}

impl ResolvesServerCert for Certificates {
    /// The first that is for the name that the client asks for; else the first: a client that came
    /// by the address asks for none, or for one that we do not know, and judges for itself.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut usable = self.0.iter().filter_map(|slot| slot.in_use.load_full());
        let first = usable.next()?;
        let name = hello.server_name().filter(|_| self.0.len() > 1);
        let is_for = |one: &Arc<InUse>| name.is_none_or(|name| one.facts.covers_name(name));
        let wanted = if is_for(&first) { None } else { usable.find(is_for) };
        Some(Arc::clone(&wanted.unwrap_or(first).key))
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
