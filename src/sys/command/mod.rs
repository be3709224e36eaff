//! Programs of the machine: run to their end, or to the end of their time.
//!
//! Laws: a program that does not end is ended, so that nothing is locked for ever by a dead proxy or a question
//! that nobody sees; what it writes is bounded; and whatever it has left running cannot hold its caller.

pub mod deb;

use std::fmt;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::os;

/// Time limit of a question to the package manager, the service manager or the like.
pub const SHORT: Duration = Duration::from_secs(60);
/// Time limit of work on the disk, or of a passphrase that a person types.
pub const LONG: Duration = Duration::from_secs(600);

/// The pause between two looks at a child.
const PAUSE: Duration = Duration::from_millis(20);
/// The time that a program has to clear up, once it is told to end.
const GRACE: Duration = Duration::from_secs(10);
/// The wait for the end of a pipe, once the program has ended: a daemon that it started may hold it.
const DRAIN: Duration = Duration::from_secs(2);
/// The most octets of each of its outputs; what is beyond is dropped.
const MAX_OUTPUT: usize = 16 << 20;
/// The most characters of its complaint that are shown.
const MAX_COMPLAINT: usize = 600;

/// A program with its arguments.
#[derive(Debug)]
pub struct SystemCommand {
    command: Command,
    /// What is shown in a fault.
    line: String,
    limit: Option<Duration>,
}

/// Why a program brought nothing.
#[derive(Debug)]
pub enum CommandFault {
    /// It could not be started or waited for: it is not there, or memory is short.
    System {
        /// The program.
        line: String,
        /// The error of the system.
        error: io::Error,
    },
    /// It did not end in its time, and was ended.
    Late {
        /// The program and its arguments.
        line: String,
        /// The time.
        limit: Duration,
    },
    /// It failed.
    Failed {
        /// The program and its arguments.
        line: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote to stderr.
        complaint: String,
    },
}

impl CommandFault {
    /// Whether the program is not on this machine.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::System { error, .. } if error.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for CommandFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { line, error } => write!(f, "{line}: {error}"),
            Self::Late { line, limit } => {
                write!(f, "{line}: no end within {} s, so it was ended", limit.as_secs())
            }
            Self::Failed { line, status, complaint } => write!(f, "{line}: {status}: {complaint}"),
        }
    }
}

impl SystemCommand {
    /// A program with a time limit. It reads nothing, asks nobody, and complains in English.
    pub fn new(program: &str, limit: Duration) -> Self {
        Self { limit: Some(limit), ..Self::without_limit(program) }
    }

    /// A program that must never be ended in the middle, whatever it takes.
    pub fn without_limit(program: &str) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C.UTF-8");
        Self { command, line: program.to_owned(), limit: None }
    }

    /// The same with more arguments.
    #[must_use]
    pub fn args<S: AsRef<str>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        for argument in arguments {
            self.command.arg(argument.as_ref());
            self.line = format!("{} {}", self.line, argument.as_ref());
        }
        self
    }

    /// The same in another directory.
    #[must_use]
    pub fn in_directory(mut self, directory: &std::path::Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Runs it; what it wrote to stdout.
    ///
    /// # Errors
    ///
    /// [`CommandFault`].
    pub fn output(mut self) -> Result<Vec<u8>, CommandFault> {
        let line = self.line;
        let system = |error| CommandFault::System { line: line.clone(), error };
        let mut child = self.command.spawn().map_err(system)?;
        let out = child.stdout.take().map(Drain::begin);
        let complaints = child.stderr.take().map(Drain::begin);
        let status = match self.limit {
            None => Some(child.wait()),
            Some(limit) => ended_within(&mut child, limit).transpose(),
        };
        let octets = |drain: Option<Drain>| drain.map(Drain::octets).unwrap_or_default();
        match status.transpose().map_err(system)? {
            None => Err(CommandFault::Late { line, limit: self.limit.unwrap_or_default() }),
            Some(status) if status.success() => Ok(octets(out)),
            Some(status) => {
                let complaint = last(&String::from_utf8_lossy(&octets(complaints)));
                Err(CommandFault::Failed { line, status, complaint })
            }
        }
    }

    /// The same as text.
    ///
    /// # Errors
    ///
    /// [`CommandFault`].
    pub fn text(self) -> Result<String, CommandFault> {
        self.output().map(|octets| String::from_utf8_lossy(&octets).into_owned())
    }
}

/// Octets of a pipe, read by a thread until its end.
struct Drain {
    octets: Arc<Mutex<Vec<u8>>>,
    end: Receiver<()>,
}

impl Drain {
    fn begin(mut from: impl Read + Send + 'static) -> Self {
        let octets = Arc::new(Mutex::new(Vec::new()));
        let (done, end) = channel();
        let to = Arc::clone(&octets);
        std::thread::spawn(move || {
            let mut some = [0; 8192];
            loop {
                match from.read(&mut some) {
                    Ok(0) => break,
                    Ok(count) => {
                        let mut all = to.lock().unwrap_or_else(PoisonError::into_inner);
                        let room = MAX_OUTPUT.saturating_sub(all.len());
                        all.extend_from_slice(&some[..count.min(room)]);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            let _ = done.send(());
        });
        Self { octets, end }
    }

    fn octets(self) -> Vec<u8> {
        let _ = self.end.recv_timeout(DRAIN);
        std::mem::take(&mut *self.octets.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The end of a child, or of its time: then it is told to end, and killed where it does not.
///
/// # Errors
///
/// The error of the system.
pub fn ended_within(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    if let Some(status) = waited(child, limit)? {
        return Ok(Some(status));
    }
    os::tell_to_end(child);
    if waited(child, GRACE)?.is_none() {
        child.kill()?;
        child.wait()?;
    }
    Ok(None)
}

#[expect(clippy::disallowed_methods, reason = "how long a program takes, not what time it is")]
fn waited(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() > limit {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

/// The end of a text, on one line.
pub fn last(text: &str) -> String {
    let text = text.trim();
    let many = text.chars().count().saturating_sub(MAX_COMPLAINT);
    text.chars().skip(many).map(|one| if one == '\n' { ' ' } else { one }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> SystemCommand {
        SystemCommand::new("sh", SHORT).args(["-c", script])
    }

    #[test]
    fn a_program_is_its_output_or_its_complaint() {
        assert_eq!(shell("echo out; echo err >&2").text().unwrap(), "out\n");
        let fault = shell("echo out; echo 'the disk' >&2; echo 'is full' >&2; exit 3").text();
        let fault = fault.unwrap_err();
        assert!(fault.to_string().ends_with("exit status: 3: the disk is full"), "{fault}");
        let absent = SystemCommand::new("lachan-is-not-there", SHORT).output().unwrap_err();
        assert!(absent.is_absent() && !fault.is_absent(), "{absent}");
    }

    #[test]
    fn a_program_without_an_end_is_ended_and_clears_up() {
        let command = SystemCommand::new("sleep", Duration::from_millis(1)).args(["60"]);
        let fault = command.output().unwrap_err();
        assert!(matches!(fault, CommandFault::Late { .. }), "{fault}");
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        let script = "trap 'echo yes > cleared; exit 0' TERM; : > begun; sleep 60 & wait";
        let mut child = Command::new("sh");
        let mut child = child.args(["-c", script]).current_dir(scratch.path()).spawn().unwrap();
        while !at("begun").exists() {
            std::thread::sleep(PAUSE);
        }
        assert!(ended_within(&mut child, Duration::from_millis(1)).unwrap().is_none());
        assert_eq!(std::fs::read_to_string(at("cleared")).unwrap(), "yes\n");
    }

    #[test]
    fn a_daemon_that_holds_the_pipe_does_not_hold_the_caller() {
        assert_eq!(shell("sleep 60 & echo out").text().unwrap(), "out\n");
    }

    #[test]
    fn output_is_bounded_and_a_full_pipe_stops_nobody() {
        let much = shell("head -c 20000000 /dev/zero").output().unwrap();
        assert_eq!(much.len(), MAX_OUTPUT);
    }
}
