//! Files of the state that could not be read at the start: they are read again until they are.
//!
//! On a thread of its own: a disk that does not answer must hold up nothing else.

use std::sync::Arc;
use std::time::Duration;

use tracing::error;

use crate::load::in_force::Current;
use crate::load::release::urgent;
use crate::sys::os::step_aside;
use crate::sys::state_dir::AGAIN;
use crate::sys::state_dir::kept_file::Unread;

/// Reads a file again, and puts what it says in force; true where nothing is left to read.
pub(super) type Reader = Box<dyn FnMut() -> bool + Send>;

/// Reads an emergency list again that could not be read, and puts it in force unless a newer one came since.
pub(super) fn urgent_list(current: Arc<Current>, mut unread: Option<Unread>) -> Reader {
    Box::new(move || {
        let Some(file) = unread.take() else { return true };
        let in_force = current.in_force();
        let (list, left) = urgent::kept_again(file, in_force.config());
        // Another may have come while the disk was waited for.
        if list.version > current.in_force().urgent().version {
            current.replace_urgent(list);
        }
        unread = left;
        unread.is_none()
    })
}

/// Looks again at a state directory that could not be used.
pub(super) fn directory(mut unread: Option<Unread>) -> Reader {
    Box::new(move || {
        unread = unread.take().and_then(Unread::still);
        unread.is_none()
    })
}

/// Starts the thread; it ends when all is read, or with the process. What failed for a moment is soon read, what
/// fails for long is asked for each half minute.
pub(super) fn start(readers: Vec<Reader>) {
    let work = move || {
        step_aside();
        let (mut left, mut pause) = (readers, 1);
        loop {
            left.retain_mut(|is_read| !is_read());
            if left.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_secs(pause));
            pause = (pause * 2).min(AGAIN);
        }
    };
    let thread = std::thread::Builder::new().name("lachan-unread".into());
    if let Err(fault) = thread.spawn(work) {
        error!("no thread `lachan-unread`: {fault}");
    }
}
