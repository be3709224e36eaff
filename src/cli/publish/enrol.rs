//! `lachan publish enrol file|pin|revoke`: boxes of schools.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use crate::cli::output::{CommandFailure, finish};
use crate::cli::publish::wait::failure;
use crate::publish::enrol::{Organisation, enrolment};
use crate::publish::trust::repository::Repository;
use crate::release::enrolment::{Enrolment, EnrolmentReply, MAX_OCTETS};
use crate::sys::clock::system_time;
use crate::sys::read;

/// Arguments of `publish enrol`.
#[derive(Debug, clap::Args)]
pub(super) struct BoxArguments {
    #[command(subcommand)]
    command: EnrolCommand,
}

#[derive(Debug, Subcommand)]
enum EnrolCommand {
    /// Make the file with which a box is enrolled.
    File(FileArguments),
    /// Pin the key of a box that has replied.
    Pin(PinArguments),
    /// Revoke the key of a box that was lost or replaced.
    Revoke(RevokeArguments),
}

#[derive(Debug, clap::Args)]
struct FileArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    repository: PathBuf,
    /// The school's id, as its config has it.
    #[arg(long, value_name = "ID")]
    school: String,
    /// The box; a second one at the school has another id.
    #[arg(long = "box", value_name = "ID", default_value = "1")]
    unit: String,
    /// The URLs of the repository: one, or two in different places.
    #[arg(long = "url", value_name = "URL", required = true)]
    urls: Vec<String>,
    /// The ring that the school is meant to be in.
    #[arg(long, value_name = "RING", default_value = "")]
    ring: String,
    /// The name whose TXT says that something is new.
    #[arg(long, value_name = "NAME", default_value = "")]
    nudge: String,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
struct PinArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    repository: PathBuf,
    /// The reply of the box.
    reply: PathBuf,
    /// The file with the boxes of the department.
    #[arg(long, value_name = "FILE")]
    org: PathBuf,
}

#[derive(Debug, clap::Args)]
struct RevokeArguments {
    /// The file with the boxes of the department.
    #[arg(long, value_name = "FILE")]
    org: PathBuf,
    /// The school's id.
    #[arg(long, value_name = "ID")]
    school: String,
    /// The box.
    #[arg(long = "box", value_name = "ID", default_value = "1")]
    unit: String,
    /// The reason, for those who read it later.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Enrols, pins or revokes; exits 3 for what is refused.
pub(super) fn run(arguments: &BoxArguments) -> ExitCode {
    finish(match &arguments.command {
        EnrolCommand::File(arguments) => file(arguments),
        EnrolCommand::Pin(arguments) => pin(arguments),
        EnrolCommand::Revoke(arguments) => revoke(arguments),
    })
}

fn file(of: &FileArguments) -> Result<String, CommandFailure> {
    let made =
        enrolment(&of.repository, (&of.school, &of.unit), of.urls.clone(), (&of.ring, &of.nudge));
    let made = made.map_err(|error| failure(&error))?;
    let out = of.out.display();
    // Nothing but an older enrolment is written over: it may be a key.
    let is_older = read::text(&of.out).is_ok_and(|text| Enrolment::parse(&text).is_ok());
    let mut options = File::options();
    let options = if is_older { options.truncate(true) } else { options.create_new(true) };
    let opened = options.write(true).open(&of.out);
    let written = opened.and_then(|mut file| file.write_all(made.text().as_bytes()));
    let advice = "name another file, or remove this one";
    written.map_err(|error| (1, format!("{out}: {error}; {advice}")))?;
    let fingerprint = &made.fingerprint;
    Ok(format!(
        "{out}: for `{}` of `{}`\nroot {fingerprint}\nsend the file, and the root another way; at \
         the box: lachan enrol {out} --config CONFIG --fingerprint {fingerprint}",
        made.unit, made.school
    ))
}

fn pin(of: &PinArguments) -> Result<String, CommandFailure> {
    let path = of.reply.display();
    let octets = read::octets(&of.reply, MAX_OCTETS);
    let octets = octets.map_err(|error| (1, format!("{path}: cannot be read: {error}")))?;
    let reply = EnrolmentReply::parse(&octets).map_err(|error| (3, format!("{path}: {error}")))?;
    let pinned = || {
        let repository = Repository::open(&of.repository)?;
        let mut organisation = Organisation::read(&of.org)?;
        let is_new = organisation.pin(&repository, &reply, system_time())?;
        if is_new {
            organisation.write(&of.org)?;
        }
        Ok(is_new)
    };
    let is_new = pinned().map_err(|error| failure(&error))?;
    let EnrolmentReply { school, unit, key, .. } = &reply;
    let what = if is_new { "pinned" } else { "was pinned already" };
    Ok(format!("`{unit}` of `{school}`: {what}\nkey {key}"))
}

fn revoke(of: &RevokeArguments) -> Result<String, CommandFailure> {
    let revoked = || {
        let mut organisation = Organisation::read(&of.org)?;
        organisation.revoke((&of.school, &of.unit), &of.reason, system_time())?;
        organisation.write(&of.org)
    };
    revoked().map_err(|error| failure(&error))?;
    Ok(format!(
        "`{}` of `{}`: revoked; at the box: lachan enrol FILE --config CONFIG --anew",
        of.unit, of.school
    ))
}
