//! The school's own devices: what is exported for them, a client that opens only what was answered,
//! a validating resolver beside the gateway.

mod exports;
mod leases;
mod placed;
mod validated;
mod zero_trust;

use std::path::Path;
use std::process::{Child, Command};

use crate::kit::data::skipped;
use crate::support::gateway::{Log, signal, spawn};

/// A program of the machine that runs until the test ends.
struct Tool(Child, Log);

impl Tool {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments);
        let (child, log) = spawn(command);
        Self(child, log)
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        signal(&self.0, "TERM");
        let _ = self.0.wait();
        if std::thread::panicking() {
            eprintln!("--- log of a program\n{}", self.1.lock().unwrap());
        }
    }
}

/// Whether the programs are there; else the test is skipped, loudly.
fn has(test: &str, programs: &[&str]) -> bool {
    let is_there = |program: &&&str| {
        ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
            .iter()
            .any(|place| Path::new(place).join(program).exists())
    };
    let lacking: Vec<_> = programs.iter().filter(|program| !is_there(program)).collect();
    if !lacking.is_empty() {
        skipped(&format!("{test}: no {lacking:?} on this machine"));
    }
    lacking.is_empty()
}
