//! File systems of a test's own, where this user may mount one.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::gateway::run;

/// A mount that ends with the test.
#[derive(Debug)]
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// A small file system at `at`; `None` for a user that cannot mount one.
    pub(crate) fn tmpfs(at: &Path, options: &str) -> Option<Self> {
        let is_mounted = mount(&["-t", "tmpfs", "-o", options, "tmpfs"], at);
        if !is_mounted {
            eprintln!("skipped: this user cannot mount a file system");
        }
        is_mounted.then(|| Self(at.to_owned()))
    }

    /// Changes its options; whether that is done.
    pub(crate) fn remount(&self, options: &str) -> bool {
        mount(&["-o", &format!("remount,{options}")], &self.0)
    }
}

fn mount(words: &[&str], at: &Path) -> bool {
    let mut command = Command::new("mount");
    command.args(words).arg(at);
    run(command).0.success()
}

impl Drop for Mount {
    fn drop(&mut self) {
        let mut command = Command::new("umount");
        command.arg("-l").arg(&self.0);
        let _ = command.status();
    }
}
