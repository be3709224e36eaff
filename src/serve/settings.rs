//! What the config says, in the words of the parts that do it.

use std::time::Duration;

use tracing::warn;

use crate::admin::token::{self, Token};
use crate::cache::RetentionRules;
use crate::config::Config;
use crate::dns::message::answer::TtlLimits;
use crate::policy::tables::client::PrefixTable;
use crate::serve::budget::{ClientLimits, Rate};
use crate::serve::listener::limits::StreamLimits;
use crate::sys::clock::Clock;
use crate::sys::state_dir::StateDir;

/// The state directory; without one that can be used the gateway works, and says so.
pub(super) fn state(settings: &Config) -> Option<StateDir> {
    let state = StateDir::open(&settings.state);
    state.unwrap_or_else(|error| {
        warn!("{error}");
        None
    })
}

/// The clock, which knows when it was last right.
pub(super) fn clock(state: Option<&StateDir>) -> Clock {
    let clock = Clock::start();
    if let Some(state) = state {
        clock.remember(state);
    }
    clock
}

/// Who may act: whoever can read this file.
pub(super) fn token(settings: &Config, state: Option<&StateDir>) -> Option<Token> {
    let path = settings.admin.token.clone().or_else(|| Some(state?.join(token::FILE)))?;
    let opened = Token::open(&path);
    opened.map_err(|error| warn!(%error, path = %path.display(), "no admin token")).ok()
}

/// UDP workers per address: as configured, or one per core.
pub(super) fn workers(settings: &Config) -> usize {
    match settings.listen.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}

/// What TCP clients may take.
pub(super) fn streams(settings: &Config) -> StreamLimits {
    StreamLimits {
        connections: settings.listen.tcp_connections,
        per_client: settings.listen.tcp_per_client,
        idle: settings.listen.tcp_idle,
        in_flight: settings.listen.tcp_in_flight,
    }
}

/// How long answers are kept.
pub(super) fn ttls(settings: &Config) -> TtlLimits {
    let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    TtlLimits {
        min: seconds(settings.cache.min_ttl),
        max: seconds(settings.cache.max_ttl),
        max_negative: seconds(settings.cache.max_negative_ttl),
    }
}

/// How long answers are of use beyond their TTL.
pub(super) fn cache(settings: &Config) -> RetentionRules {
    let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    RetentionRules {
        stale: seconds(settings.cache.stale),
        prefetch: settings.cache.prefetch,
        failure: seconds(settings.cache.failure_ttl),
        max_failure: seconds(settings.cache.max_failure_ttl),
    }
}

/// What one client may take.
pub(super) fn clients(settings: &Config) -> ClientLimits {
    let limits = &settings.limits;
    ClientLimits {
        rate: Rate::new(limits.client_rate as u64, limits.client_burst as u64),
        in_flight: limits.client_in_flight,
        exempt: PrefixTable::new(limits.exempt.iter().map(|&network| (network, ()))),
    }
}
