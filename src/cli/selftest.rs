//! `lachan selftest`: the running gateway asks itself now, and the table that somebody can sign.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::{CommandFailure, finish, json, parse_lang, print};
use crate::cli::running::{GatewayArguments, read};
use crate::lang::Lang;
use crate::selftest::SelfTestRun;
use crate::selftest::report::SelfTestReport;
use crate::sys::state_dir::whole;

/// Arguments of `selftest`.
#[derive(Debug, clap::Args)]
pub struct SelfTestArguments {
    #[command(flatten)]
    gateway: GatewayArguments,
    /// Write the table as a page to print, too.
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// The language; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
}

/// Runs the test; exits 0 when no row failed, 1 when one did or it is refused, 3 without an answer.
pub fn run(arguments: &SelfTestArguments) -> ExitCode {
    match shown(arguments) {
        Ok((text, 0)) => finish(Ok(text)),
        Ok((text, _)) => {
            print(&text);
            ExitCode::FAILURE
        }
        Err(failure) => finish(Err(failure)),
    }
}

/// The result, and the number of rows that failed.
fn shown(arguments: &SelfTestArguments) -> Result<(String, usize), CommandFailure> {
    let gateway = arguments.gateway.running()?;
    let run: SelfTestRun = read(&gateway.send("POST", "/api/selftest", "")?)?;
    let school = &gateway.config.school;
    let zone = school.zone();
    let report = SelfTestReport::new(&run, arguments.lang.unwrap_or(school.lang), &zone);
    if let Some(path) = &arguments.out {
        whole::replace(path, 0o666, report.page().as_bytes())
            .map_err(|error| (1, format!("{}: {error}", path.display())))?;
    }
    let text = if arguments.gateway.json { json(&run) } else { report.text() };
    Ok((text, run.failed))
}
