//! `lachan publish`: the department's side.

mod doctor;
mod emergency;
mod enrol;
mod export;
mod lint;
mod page;
mod program;
mod release;
mod review;
mod reviews;
mod rings;
mod rollout;
mod status;
mod trust;
mod wait;
mod watch;

use std::process::ExitCode;

use clap::Subcommand;

use trust::{init, key, refresh, rotate};

/// Arguments of `publish`.
#[derive(Debug, clap::Args)]
pub struct PublishArguments {
    #[command(subcommand)]
    command: PublishCommand,
}

#[derive(Debug, Subcommand)]
enum PublishCommand {
    /// Make a key, and its public half beside it.
    Key(key::KeyArguments),
    /// Make a repository: a directory that any static web server carries.
    Init(init::InitArguments),
    /// Make the enrolment of a school's box; pin or revoke its key.
    Enrol(enrol::BoxArguments),
    /// Sign for another 30 days which versions belong together; needs the online key alone.
    Refresh(refresh::RefreshArguments),
    /// Judge a release against the last one: what would refuse it, and each acceptance with its person.
    Lint(lint::LintArguments),
    /// The page that a person reads before a release is signed.
    Page(page::PageArguments),
    /// Sign a release: the gate, then an officer's key.
    Release(release::ReleaseArguments),
    /// Change keys, or renew the root: two of three sticks, at one machine or two.
    Rotate(rotate::RotateArguments),
    /// Tell days to each end, signers, damaged files, and a second copy that is behind.
    Doctor(doctor::DoctorArguments),
    /// Merge what schools ask to have opened, and answer it.
    Reviews(reviews::PublishReviewsArguments),
    /// Show the fleet as its gateways report it in the web server's log.
    Status(status::ReportedArguments),
    /// Write what a list blocks at a level for programs without a gateway of ours.
    Export(export::ListExportArguments),
    /// Sign versions of the program, among which a rollout chooses.
    Program(program::ProgramArguments),
    /// Make or refresh a signed apt repository of the programs that officers signed.
    Apt(program::apt::AptArguments),
    /// Say which schools take a release and when, halt that, or go back.
    Rollout(rollout::RolloutArguments),
    /// Ask Prometheus how the rollout fares, and halt it where it fares badly; nothing else.
    Watch(watch::WatchArguments),
    /// Block, allow or warn of a name within minutes, by an order.
    Emergency(emergency::EmergencyArguments),
}

/// Runs a subcommand of `publish`.
pub fn run(arguments: &PublishArguments) -> ExitCode {
    match &arguments.command {
        PublishCommand::Key(arguments) => key::run(arguments),
        PublishCommand::Init(arguments) => init::run(arguments),
        PublishCommand::Enrol(arguments) => enrol::run(arguments),
        PublishCommand::Refresh(arguments) => refresh::run(arguments),
        PublishCommand::Lint(arguments) => lint::run(arguments),
        PublishCommand::Rotate(arguments) => rotate::run(arguments),
        PublishCommand::Page(arguments) => page::run(arguments),
        PublishCommand::Release(arguments) => release::run(arguments),
        PublishCommand::Doctor(arguments) => doctor::run(arguments),
        PublishCommand::Reviews(arguments) => reviews::run(arguments),
        PublishCommand::Status(arguments) => status::run(arguments),
        PublishCommand::Export(arguments) => export::run(arguments),
        PublishCommand::Program(arguments) => program::run(arguments),
        PublishCommand::Apt(arguments) => program::apt::run(arguments),
        PublishCommand::Rollout(arguments) => rollout::run(arguments),
        PublishCommand::Watch(arguments) => watch::run(arguments),
        PublishCommand::Emergency(arguments) => emergency::run(arguments),
    }
}
