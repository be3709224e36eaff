//! Waiting for a publication, and its exit code.

use std::future::Future;

use crate::cli::output::CommandFailure;
use crate::publish::error::PublishError;

/// Waits for a publication; `tough` signs asynchronously.
pub(super) fn wait_for<T>(
    work: impl Future<Output = Result<T, PublishError>>,
) -> Result<T, CommandFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| (1, error.to_string()))?;
    runtime.block_on(work).map_err(|error| failure(&error))
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
