//! Output of subcommands: results on stdout, complaints on stderr, an exit code.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::lang::Lang;

/// The exit code of a subcommand that failed, and the message on stderr.
pub(super) type CommandFailure = (u8, String);

/// The exit code for a config, a list or a pack that cannot be used.
pub(super) const INVALID: u8 = 3;

/// Writes a message for a person to stderr.
pub(super) fn complain(text: &str) {
    // As `print`: a log that was closed is no reason to panic.
    let _ = writeln!(io::stderr(), "{}", text.trim_end());
}

/// Writes the result, for a person or a script, to stdout.
pub(super) fn print(text: &str) {
    let mut out = io::stdout();
    let written = writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush());
    // A reader that has seen enough, such as `head`, is no fault; a full disk is.
    if let Err(error) = written.or_else(|error| match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    }) {
        IS_LOST.store(true, Ordering::Relaxed);
        complain(&format!("the result cannot be written: {error}"));
    }
}

/// Whether a result could not be written, but for a reader that had seen enough.
pub(super) fn is_lost() -> bool {
    IS_LOST.load(Ordering::Relaxed)
}

static IS_LOST: AtomicBool = AtomicBool::new(false);

/// A value as indented JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    // Only maps with keys that are no strings could fail, and there are none.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Writes the result and succeeds, or writes the message of a failure and fails.
pub(super) fn finish(result: Result<String, CommandFailure>) -> ExitCode {
    match result {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err((code, message)) => {
            complain(&message);
            ExitCode::from(code)
        }
    }
}

/// As [`finish`], for what fails only by a file that cannot be used.
pub(super) fn finish_or_invalid(result: Result<String, String>) -> ExitCode {
    finish(result.map_err(|message| (INVALID, message)))
}

/// Reads `--lang`.
pub(super) fn parse_lang(text: &str) -> Result<Lang, String> {
    let known = Lang::ALL.into_iter().find(|lang| lang.id() == text);
    known.ok_or_else(|| "a language is `en` or `vi`".to_owned())
}
