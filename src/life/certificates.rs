//! The certificates of the encrypted listeners while the gateway runs: renewals, and files that come
//! late. Clients are led to the listeners by what is valid now.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info, warn};

use crate::config::Listen;
use crate::dns::name::Name;
use crate::lang::Lang;
use crate::policy::group::time::Trust;
use crate::policy::tables::designated::{Covered, Designated};
use crate::serve::gateway::Gateway;
use crate::sys::certificate::{CertificateFacts, Dated};
use crate::sys::certificates::{Certificates, Change};

/// The interval of looks at the files. They are looked at, not watched: tools that renew move links
/// in other directories, and a look is two calls a file.
const LOOK: Duration = Duration::from_secs(2);

/// Reads what has changed of the certificates, and logs what is wrong with them: the gateway answers
/// without.
pub(super) fn look(certificates: &Certificates) {
    for change in certificates.look() {
        match change {
            Change::Used(path) => info!(path = %path.display(), "a certificate is in use"),
            Change::Refused(fault) => warn!("{}", fault.message().in_lang(Lang::En)),
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
    let groups = in_force.config().groups.iter().flat_map(|group| &group.claims.server_names);
    let groups = groups.filter_map(|name| Name::from_text(name).ok());
    let own: Vec<Name> = listen.names.iter().cloned().chain(groups).collect();
    let is_valid = |facts: &CertificateFacts| {
        now.trust == Trust::Untrusted || matches!(facts.dated(now.civil), Dated::Valid(_))
    };
    let usable = certificates.states().into_iter().filter_map(|state| state.facts);
    let covered = usable
        .filter(is_valid)
        .map(|facts| Covered { names: names_in(&facts, &own), addresses: facts.addresses });
    let designated = Designated {
        certificates: covered.collect(),
        dot: listen.dot.clone(),
        doh: listen.doh.clone(),
    };
    gateway.current.designate(designated);
}

/// The gateway's own names that a certificate covers. Where the config has none, a certificate with one
/// name is the gateway's: the other names of one with several may be other hosts'.
fn names_in(facts: &CertificateFacts, own: &[Name]) -> Vec<Name> {
    let text = |name: &Name| name.to_string();
    match (own, facts.names.as_slice()) {
        ([], [only]) => {
            Name::from_text(only).into_iter().filter(|_| !only.starts_with('*')).collect()
        }
        _ => own.iter().filter(|name| facts.covers_name(&text(name))).cloned().collect(),
    }
}
