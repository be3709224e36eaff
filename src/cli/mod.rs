//! Command line: one file per subcommand. This file only dispatches; output is in `output.rs`.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 config or list invalid.

pub mod attest;
pub mod backup;
pub mod certs;
pub mod check;
pub mod doctor;
pub mod enrol;
pub mod export;
pub mod fleet;
pub mod lists;
pub mod manual;
mod output;
pub mod people;
pub mod publish;
pub mod report;
mod running;
pub mod selftest;
pub mod serve;
pub mod services;
pub mod setup;
pub mod status;
pub mod upgrade;
pub mod why;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Lá Chắn: a policy-implementing DNS resolver for school gateways.
#[derive(Debug, Parser)]
#[command(name = "lachan", version, about, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this machine a gateway from five answers, shown before anything is changed.
    Setup(setup::SetupArguments),
    /// Answer queries until stopped.
    Serve(serve::ServeArguments),
    /// Check a config and all the lists it names, without serving.
    Check(check::CheckArguments),
    /// Explain how a name is answered.
    Why(why::WhyArguments),
    /// Write configuration for other programs of the gateway.
    Export(export::ExportArguments),
    /// Let through more, or less, for a group and some minutes.
    Override(people::overrides::OverridesArguments),
    /// Answer what people ask to have opened: allow, deny, or forward it to the department.
    Review(people::reviews::ReviewsArguments),
    /// Write what is handed in of a month or a year; merge what all schools handed in.
    Report(report::ReportArguments),
    /// Show what is in force in a running gateway, and what is held back.
    Status(status::StatusArguments),
    /// Install the program that the department chooses, once it has answered aside; else go back.
    Upgrade(upgrade::UpgradeArguments),
    /// Examine this machine and the network around it, whether or not the gateway runs.
    Doctor(doctor::CheckupArguments),
    /// Let a running gateway ask itself what it blocks, and print a table to sign.
    #[command(name = "selftest")]
    SelfTest(selftest::SelfTestArguments),
    /// Write what this box says of a month or a year, signed; or verify such files.
    Attest(attest::AttestArguments),
    /// Look at what is blocked for a group, for some minutes: in memory, without devices, in the ledger.
    Diagnose(people::diagnose::DiagnoseArguments),
    /// Issue, list and revoke codes with which teachers open something for a room; set their PIN.
    Code(people::codes::CodesArguments),
    /// Issue, list, rotate and revoke tokens by which devices elsewhere ask over HTTPS for a group.
    Token(people::tokens::TokensArguments),
    /// Act on what is kept of files for the day on which one is lost.
    State(status::StateArguments),
    /// Show the services that `service:ID` can name: apps and sites under one word.
    Services(services::ServicesArguments),
    /// Work on lists: find them, download them, compile and seal them.
    Lists(lists::ListsArguments),
    /// Follow a department: check its root, and make the key of this box.
    Enrol(enrol::EnrolArguments),
    /// Write what a new SD card needs to be this box into one file.
    Backup(backup::BackupArguments),
    /// Make this box what a backup says.
    Restore(backup::RestoreArguments),
    /// Make a certificate for encrypted DNS, or show what one says.
    Certs(certs::CertsArguments),
    /// Show all schools of a department: which are protected now, and the cause where one is not.
    Fleet(fleet::FleetArguments),
    /// Publish signed releases to gateways: the department's side.
    Publish(publish::PublishArguments),
    /// Write man pages and completions of shells, for a package.
    #[command(hide = true)]
    Manual(manual::ManualArguments),
}

/// Runs the program; the result is its exit code.
pub fn run() -> ExitCode {
    let code = match Arguments::parse().command {
        Command::Setup(arguments) => setup::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Override(arguments) => people::overrides::run(&arguments),
        Command::Review(arguments) => people::reviews::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Upgrade(arguments) => upgrade::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::SelfTest(arguments) => selftest::run(&arguments),
        Command::Attest(arguments) => attest::run(&arguments),
        Command::Diagnose(arguments) => people::diagnose::run(&arguments),
        Command::Code(arguments) => people::codes::run(&arguments),
        Command::Token(arguments) => people::tokens::run(&arguments),
        Command::State(arguments) => status::run_state(&arguments),
        Command::Services(arguments) => services::run(&arguments),
        Command::Lists(arguments) => lists::run(&arguments),
        Command::Enrol(arguments) => enrol::run(&arguments),
        Command::Backup(arguments) => backup::run_backup(&arguments),
        Command::Restore(arguments) => backup::run_restore(&arguments),
        Command::Certs(arguments) => certs::run(&arguments),
        Command::Fleet(arguments) => fleet::run(&arguments),
        Command::Publish(arguments) => publish::run(&arguments),
        Command::Manual(arguments) => manual::run(&arguments, Arguments::command()),
    };
    if output::is_lost() { ExitCode::FAILURE } else { code }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    /// clap looks at a command when it is used, and in builds without optimisation alone: two arguments of
    /// one id end the program there.
    #[test]
    fn every_command_has_arguments_of_its_own() {
        super::Arguments::command().debug_assert();
    }
}
