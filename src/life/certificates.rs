//! The certificates of the encrypted listeners while the gateway runs: renewals, and files that come
//! late.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info, warn};

use crate::lang::Lang;
use crate::sys::certificates::{Certificates, Change};

/// The interval of looks at the files. They are looked at, not watched: tools that renew move links
/// in other directories, and a look is two calls a file.
const LOOK: Duration = Duration::from_secs(2);

/// Reads the certificates and logs what is wrong with them: the gateway answers without.
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
pub(super) async fn follow(certificates: Arc<Certificates>) -> io::Result<()> {
    loop {
        tokio::time::sleep(LOOK).await;
        let looked = Arc::clone(&certificates);
        if tokio::task::spawn_blocking(move || look(&looked)).await.is_err() {
            error!("the look at the certificates panicked; please report it");
            return Ok(());
        }
    }
}
