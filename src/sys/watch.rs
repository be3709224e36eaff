//! File watch: detects the change of a file, however it is made.
//!
//! Directories are watched, not files: an editor's rename, a deleted file that is created again
//! and a replaced symbolic link are all events in the directory of the name. Each directory on
//! the path whose entry is a symbolic link is watched too, and where a directory is missing, the
//! nearest above it: it may be made again. An event is only a hint to read again,
//! for whichever file, so none can be misread. File systems without events are polled every half
//! minute.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::warn;

use crate::sys::read;

/// Time without another event after which a change is complete.
const QUIET: Duration = Duration::from_millis(100);
/// Time after which a change that does not end is reported.
const PATIENCE: Duration = Duration::from_secs(1);
/// Polling interval where no event arrives.
const LOOK: Duration = Duration::from_secs(30);
/// The most symbolic links that are followed from one path.
const MAX_LINKS: usize = 16;

/// A watch over the directories of some paths.
pub struct Watch {
    /// None where the system has no watcher: then files are only polled.
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
    events: Arc<Notify>,
}

impl Watch {
    /// Starts to watch `paths`.
    pub fn start(paths: &[PathBuf]) -> Self {
        let events = Arc::new(Notify::new());
        let sender = Arc::clone(&events);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading changes nothing; errors and lost events may hide a change.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                sender.notify_one();
            }
        });
        let watcher = watcher
            .map_err(|error| warn!(%error, "no file events here; looking every 30 s instead"))
            .ok();
        let mut watch = Self { watcher, directories: BTreeSet::new(), events };
        watch.follow(paths);
        watch
    }

    /// Replaces the watched paths; whether a directory is watched that was not before. Those of a disk that
    /// hangs stay as they are, until it answers.
    pub fn follow(&mut self, paths: &[PathBuf]) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let mut wanted: BTreeSet<PathBuf> = BTreeSet::new();
        let mut is_whole = true;
        for path in paths {
            match read::within(path, |path| Ok(directories(path))) {
                Ok(found) => wanted.extend(found),
                // A disk that hangs would hold up the watch of all others.
                Err(_) => is_whole = false,
            }
        }
        if !is_whole {
            wanted.extend(self.directories.iter().cloned());
        }
        for gone in self.directories.difference(&wanted) {
            // It may have been removed from the disk, and its watch with it.
            let _ = watcher.unwatch(gone);
        }
        let mut held = BTreeSet::new();
        for directory in wanted {
            if !is_whole && self.directories.contains(&directory) {
                held.insert(directory);
                continue;
            }
            // A directory that was replaced under its name needs a new watch: watching
            // twice costs nothing.
            match watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    held.insert(directory);
                }
                Err(error) => {
                    warn!(%error, directory = %directory.display(), "cannot be watched");
                }
            }
        }
        let has_grown = !held.is_subset(&self.directories);
        self.directories = held;
        has_grown
    }

    /// Makes the next [`Watch::changed`] return after a moment of quiet, without an event.
    pub fn expect_change(&self) {
        self.events.notify_one();
    }

    /// Waits until something has changed and then has been quiet for a moment.
    pub async fn changed(&mut self) {
        if timeout(LOOK, self.events.notified()).await.is_err() {
            return;
        }
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience
            && timeout_at(patience.min(Instant::now() + QUIET), self.events.notified())
                .await
                .is_ok()
        {}
    }
}

/// The directories in which an event can change the content at `path`.
fn directories(path: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut paths = vec![path.to_owned()];
    let mut links = 0;
    if path.is_dir() {
        found.insert(path.to_owned());
    }
    while let Some(path) = paths.pop() {
        let mut walked = PathBuf::new();
        for component in path.components() {
            let parent = walked.clone();
            walked.push(component);
            let Ok(target) = std::fs::read_link(&walked) else { continue };
            found.insert(if parent.as_os_str().is_empty() { ".".into() } else { parent.clone() });
            links += 1;
            if links <= MAX_LINKS {
                let rest = path.components().skip(walked.components().count());
                let rest: PathBuf = rest.filter(|c| *c != Component::CurDir).collect();
                paths.push(parent.join(target).join(rest));
            }
        }
        let above = path.ancestors().skip(1);
        let mut above = above.map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
        found.extend(above.find(|above| above.is_dir()).map(Path::to_owned));
    }
    found
}
