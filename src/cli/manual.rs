//! `lachan manual`: man pages and completions of shells, for packagers.
//!
//! Hidden: people have them from the package. They are made of the same definitions as `--help`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;

use crate::cli::output::finish;

/// Arguments of `manual`.
#[derive(Debug, clap::Args)]
pub struct ManualArguments {
    /// The directory to write to; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Writes a page for each command, and completions for each shell; exits 0, or 1 where it cannot.
pub fn run(arguments: &ManualArguments, program: Command) -> ExitCode {
    let out = &arguments.out;
    finish(match write(out, program) {
        Ok(()) => Ok(format!("{}: pages and completions", out.display())),
        Err(error) => Err((1, format!("{}: {error}", out.display()))),
    })
}

fn write(out: &Path, mut program: Command) -> io::Result<()> {
    fs::create_dir_all(out)?;
    // Before the completions: to write them a command is built, and its `help` is then in it.
    clap_mangen::generate_to(without_help(program.clone()), out)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut program, "lachan", out)?;
    }
    Ok(())
}

/// A command and those below it without their `help`: the pages say the same.
fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::cli::Arguments;

    /// The page that people of schools read first is written by hand.
    #[test]
    fn the_vietnamese_page_has_every_command() {
        let page = include_str!("../../deploy/debian/vi/lachan.1");
        let program = Arguments::command();
        let shown: Vec<_> =
            program.get_subcommands().filter(|command| !command.is_hide_set()).collect();
        assert!(shown.len() > 20, "{} commands", shown.len());
        for command in &shown {
            let line = format!("\n.B lachan {}\n", command.get_name());
            assert!(page.contains(&line), "no line `{}`", line.trim());
        }
        assert_eq!(page.matches("\n.B lachan ").count(), shown.len(), "a command that is gone");
    }

    #[test]
    fn pages_and_completions_are_written() {
        let folder = tempfile::tempdir().unwrap();
        super::write(folder.path(), Arguments::command()).unwrap();
        for file in
            ["lachan.1", "lachan-publish-release.1", "lachan.bash", "_lachan", "lachan.fish"]
        {
            let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
            assert!(text.contains("lachan"), "{file}");
        }
        for file in ["lachan-manual.1", "lachan-help.1", "lachan-publish-help.1"] {
            assert!(!folder.path().join(file).exists(), "{file}: of what is hidden");
        }
    }
}
