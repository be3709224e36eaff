//! Waiting for a publication, and its exit code.

use std::future::Future;

use crate::cli::output::{CommandFailure, INVALID};
use crate::publish::error::PublishError;
use crate::sys::clock::{built, system_time};

/// Waits for a publication; `tough` signs asynchronously.
pub(super) fn wait_for<T>(
    work: impl Future<Output = Result<T, PublishError>>,
) -> Result<T, CommandFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| (1, error.to_string()))?;
    runtime.block_on(work).map_err(|error| failure(&error))
}

/// The time, in seconds since 1970, from a clock that can be right.
pub(super) fn now() -> Result<u64, CommandFailure> {
    let now = system_time();
    if now >= built() {
        return Ok(now);
    }
    let text = "the clock of this machine is behind: this program was built later than it says. Set \
                the clock; what is signed now would have expired when gateways read it";
    Err((INVALID, text.to_owned()))
}

/// The exit code of a publication that failed: 3 where what was given is refused.
pub(super) fn failure(error: &PublishError) -> CommandFailure {
    let is_invalid = matches!(
        error,
        PublishError::Key(_)
            | PublishError::Refused(_)
            | PublishError::Told(_)
            | PublishError::Threshold { .. }
    );
    (if is_invalid { 3 } else { 1 }, error.to_string())
}
