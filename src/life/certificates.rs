//! The certificates of the encrypted listeners while the gateway runs: renewals, and files that come
//! late. Clients are led to the listeners by what is valid now.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info, warn};

use crate::config::{Config, Listen};
use crate::dns::name::Name;
use crate::lang::Lang;
use crate::policy::group::time::Trust;
use crate::policy::tables::designated::{Covered, Designated};
use crate::serve::gateway::Gateway;
use crate::sys::certificate::{CertificateFacts, Dated};
use crate::sys::certificates::{CertificateChange, Certificates};

/// The interval of looks at the files. They are looked at, not watched: tools that renew move links
/// in other directories, and a look is two calls a file.
const LOOK: Duration = Duration::from_secs(2);

/// Reads what has changed of the certificates, and logs what is wrong with them: the gateway answers
/// without.
pub(super) fn look(certificates: &Certificates) {
    for change in certificates.look() {
        match change {
            CertificateChange::Used(path) => {
                info!(path = %path.display(), "a certificate is in use");
            }
            CertificateChange::Refused(fault) => warn!("{}", fault.message().in_lang(Lang::En)),
        }
    }
}

/// Looks again and again, until aborted.
///
/// # Errors
///
/// None.
pub(super) async fn follow(
    certificates: Arc<Certificates>,
    gateway: Arc<Gateway>,
    listen: Arc<Listen>,
) -> io::Result<()> {
    loop {
        tokio::time::sleep(LOOK).await;
        let (certificates, gateway) = (Arc::clone(&certificates), Arc::clone(&gateway));
        let listen = Arc::clone(&listen);
        let looked = tokio::task::spawn_blocking(move || {
            look(&certificates);
            lead(&certificates, &gateway, &listen);
        });
        if looked.await.is_err() {
            error!("the look at the certificates panicked; please report it");
            return Ok(());
        }
    }
}

/// Leads clients to the listeners of what is valid now; without a clock, of all there is.
pub(super) fn lead(certificates: &Certificates, gateway: &Gateway, listen: &Listen) {
    let now = gateway.clock.now();
    let in_force = gateway.current.in_force();
    let dates = (now.trust != Trust::Untrusted).then_some(now.civil);
    gateway.current.designate(designated(certificates, (listen, in_force.config()), dates));
}

/// Where a gateway with this config leads clients at a civil time, by the files as they are.
pub fn designated_by_files(config: &Config, civil: u64) -> Designated {
    let certificates = Certificates::new(&config.listen.tls);
    certificates.look();
    designated(&certificates, (&config.listen, config), Some(civil))
}

/// Where clients are led by certificates that are valid at a civil time; by all of them where none is
/// known.
fn designated(
    certificates: &Certificates,
    (listen, config): (&Listen, &Config),
    civil: Option<u64>,
) -> Designated {
    let groups = config.groups.iter().flat_map(|group| &group.claims.server_names);
    let groups: Vec<Name> = groups.filter_map(|name| Name::from_text(name).ok()).collect();
    let is_valid = |facts: &CertificateFacts| {
        civil.is_none_or(|civil| matches!(facts.dated(civil), Dated::Valid(_)))
    };
    let usable = certificates.states().into_iter().filter_map(|state| state.facts);
    let covered = usable.filter(is_valid).map(|facts| Covered {
        names: names_in(&facts, &listen.names, &groups),
        group_names: covered_by(&facts, &groups),
        addresses: facts.addresses,
    });
    let (certificates, dot, doh) = (covered.collect(), listen.dot.clone(), listen.doh.clone());
    Designated { certificates, dot, doh }
}

/// The names of the config that a certificate covers.
fn covered_by(facts: &CertificateFacts, names: &[Name]) -> Vec<Name> {
    names.iter().filter(|name| facts.covers_name(&name.to_string())).cloned().collect()
}

/// The gateway's own names that a certificate covers. Where the config has none, a certificate with one
/// name, beside those of groups, is the gateway's: of several, some may be other hosts'.
fn names_in(facts: &CertificateFacts, own: &[Name], groups: &[Name]) -> Vec<Name> {
    if !own.is_empty() {
        return covered_by(facts, own);
    }
    let plain = facts.names.iter().filter(|name| !name.starts_with('*'));
    let plain = plain.filter_map(|name| Name::from_text(name).ok());
    let ours: Vec<Name> = plain.filter(|name| !groups.contains(name)).collect();
    if ours.len() == 1 { ours } else { Vec::new() }
}
