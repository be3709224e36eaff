//! The file of the codes and the PIN, in the state directory.
//!
//! Law: a file that cannot be read now is not written over; a bad one is set aside before another is written.

use std::io;

use serde::{Deserialize, Serialize};
use tracing::error;

use crate::staff::hash::Salt;
use crate::sys::clock::system_time;
use crate::sys::state_dir::StateDir;
use crate::sys::state_dir::kept_file::{KeptFile, Unread};

/// The file, in the state directory.
pub const FILE: &str = "codes.json";

/// A code without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeState {
    /// Its number; never given twice.
    pub id: u64,
    /// The group that it is for.
    pub room: String,
    /// The person that it was handed to; empty where the person gives a name.
    pub by: String,
    /// The civil second from which it is good.
    pub from: u64,
    /// The civil second at which it ends.
    pub until: u64,
    /// The civil second at which it was used.
    pub used: Option<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredCode {
    #[serde(flatten)]
    pub(super) state: CodeState,
    pub(super) hash: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredPin {
    pub(super) salt: Salt,
    pub(super) hash: String,
}

/// The content of the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct CodesFile {
    /// The number that was given last.
    pub(super) next: u64,
    pub(super) salt: Option<Salt>,
    pub(super) codes: Vec<StoredCode>,
    pub(super) pin: Option<StoredPin>,
    #[serde(skip)]
    pub(super) on_disk: OnDisk,
}

/// What is in the place of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum OnDisk {
    /// The file, or none.
    #[default]
    Good,
    /// A file that says nothing: it is set aside before another is written.
    Bad,
    /// A file that cannot be read now: nothing is written over it.
    Unread,
}

impl CodesFile {
    /// The codes that a file says. Those of a bad one are good no more.
    pub(super) fn of(kept: KeptFile<Self>) -> (Self, Option<Unread>) {
        match kept {
            KeptFile::Good(stored) => (stored, None),
            KeptFile::Absent => (Self::default(), None),
            KeptFile::Bad(why) => {
                error!("{FILE} is bad: {why}; codes and PIN must be given anew");
                // A number that was never given, whatever was.
                let next = system_time();
                (Self { next, on_disk: OnDisk::Bad, ..Self::default() }, None)
            }
            KeptFile::Unread(file) => {
                (Self { on_disk: OnDisk::Unread, ..Self::default() }, Some(file))
            }
        }
    }

    /// Writes the file; a bad one is set aside first.
    pub(super) fn write(&mut self, state: &StateDir) -> io::Result<()> {
        if self.on_disk == OnDisk::Bad {
            state.set_aside(FILE)?;
            self.on_disk = OnDisk::Good;
        }
        state.replace(FILE, &serde_json::to_vec_pretty(self)?)
    }
}
