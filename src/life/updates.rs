//! The update client of the gateway: what it may do here, and the directory that it watches.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tracing::error;

use crate::config::Config;
use crate::fetch::{FetchError, HttpClient};
use crate::life::reload::Reloads;
use crate::load::assemble::read_config_in_use;
use crate::load::release::urgent::UrgentList;
use crate::policy::group::time::Trust;
use crate::release::layout::TIMESTAMP;
use crate::release::rollout::KnownTime;
use crate::serve::gateway::Gateway;
use crate::sys::clock::built;
use crate::sys::os::step_aside;
use crate::sys::read;
use crate::sys::state_dir::StateDir;
use crate::update::client::{UpdateHooks, Updates};
use crate::update::emergency::UrgentHooks;
use crate::update::poll::Poller;
use crate::update::tried;

/// The interval at which the watched directory and the release on trial are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// The most looks after which a copy that was refused is tried again: it may have been half made. The
/// first time it is one look, and the number doubles.
const AGAIN: u32 = 16;
/// Looks for which a release is on trial: ten minutes.
const TRIAL: u32 = 300;

/// Begins a life: before the first policy is made, a release that ended two lives is left.
pub(super) fn begin_life(config: Option<&Path>) {
    let read = read_config_in_use(config).ok().filter(|config| config.update.root.is_some());
    let state = read.and_then(|config| StateDir::open(&config.state).ok().flatten());
    if let Some(state) = state {
        tried::begin_life(&state);
    }
}

/// Starts the update client of a config; none where it names no repository, or nothing can be
/// stored.
pub(super) fn start(
    gateway: &Arc<Gateway>,
    reloads: &Arc<Reloads>,
    (config, state): (&Config, Option<&StateDir>),
    client: Result<HttpClient, FetchError>,
) -> Option<Arc<Updates>> {
    let (clock, tries, adopts) = (Arc::clone(gateway), Arc::clone(reloads), Arc::clone(reloads));
    let hooks = UpdateHooks {
        is_serving: true,
        time: Box::new(move || {
            let now = clock.clock.now();
            match now.trust {
                Trust::Synced => KnownTime::Synced(now.civil),
                Trust::Plausible | Trust::Untrusted => KnownTime::AtLeast(built()),
            }
        }),
        trial: Box::new(move |directory| tries.try_release(directory)),
        adopt: Box::new(move || adopts.adopt_release()),
        urgent: urgent(gateway),
    };
    let opened = Updates::open(config, state, hooks).unwrap_or_else(|fault| {
        error!("no release is taken: {fault}");
        None
    });
    let updates = Arc::new(opened?);
    let polling = Arc::clone(&updates);
    match client {
        _ if updates.settings().urls.is_empty() => {}
        Err(fault) => error!("no repository is polled: {fault}"),
        Ok(client) => begin("lachan-poll", || Poller::new(polling, client).work()),
    }
    let looking = Arc::clone(&updates);
    begin("lachan-update", move || look(&looking));
    Some(updates)
}

/// Emergency lists, put in force by swapping policies.
fn urgent(gateway: &Arc<Gateway>) -> UrgentHooks {
    let (read, put) = (Arc::clone(gateway), Arc::clone(gateway));
    UrgentHooks {
        version: Box::new(move || read.current.in_force().urgent().version),
        put: Box::new(move |kept| {
            let list = UrgentList::of(kept, put.current.in_force().config())?;
            list.tell();
            put.current.replace_urgent(list);
            Ok(())
        }),
    }
}

/// Begins a thread of low priority, which ends with the process.
fn begin(name: &str, work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name(name.into());
    let spawned = thread.spawn(|| {
        step_aside();
        work();
    });
    if let Err(fault) = spawned {
        error!("no thread `{name}`: {fault}");
    }
}

/// Follows the watched directory and the release on trial: the thread's body, which ends with the
/// process.
fn look(updates: &Updates) {
    let directory = updates.settings().directory.clone();
    let (mut seen, mut refused) = (None, Refused::default());
    let (mut on_trial, mut looks) = (None, 0);
    loop {
        if let Some(directory) = &directory {
            let found = identity(&directory.join(TIMESTAMP));
            let (is_new, is_due) = (found != seen, refused.is_due());
            if found.is_some() && (is_new || is_due) {
                let known = if is_new { Refused::default() } else { refused };
                let is_refused = updates.update_from(directory.clone()).is_err();
                refused = if is_refused { known.again() } else { Refused::default() };
                seen = found;
            }
        }
        let now_on_trial = updates.on_trial();
        looks = if now_on_trial == on_trial { looks + 1 } else { 0 };
        on_trial = now_on_trial;
        if on_trial.is_some() && looks > TRIAL {
            updates.end_trial();
        }
        std::thread::sleep(LOOK);
    }
}

/// A copy that was refused: looks until it is tried again, and those of the time before.
#[derive(Clone, Copy, Default)]
struct Refused {
    left: u32,
    wait: u32,
}

impl Refused {
    /// Counts a look; whether the copy is tried again now.
    fn is_due(&mut self) -> bool {
        let is_last = self.left == 1;
        self.left = self.left.saturating_sub(1);
        is_last
    }

    /// The same, refused once more.
    fn again(self) -> Self {
        let wait = (self.wait * 2).clamp(1, AGAIN);
        Self { left: wait, wait }
    }
}

/// The identity of a file: another one has other numbers.
fn identity(path: &Path) -> Option<(u64, i64, i64, u64)> {
    let found = read::metadata(path).ok()?;
    Some((found.ino(), found.mtime(), found.mtime_nsec(), found.size()))
}
