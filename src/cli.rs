//! The command line: one file per subcommand.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 config or list invalid.

pub mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Lá Chắn: a policy-implementing DNS resolver for school gateways.
#[derive(Debug, Parser)]
#[command(name = "lachan", version, about, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer queries until stopped.
    Serve(serve::Arguments),
}

/// Runs the program; the result is its exit code.
pub fn run() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
    }
}

/// Tells a person what went wrong.
#[expect(clippy::print_stderr, reason = "the command line speaks on stderr")]
fn complain(text: &str) {
    eprintln!("{}", text.trim_end());
}
