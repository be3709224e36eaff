//! `lachan enrol FILE`: this box follows a department.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::output::{CommandFailure, INVALID, finish, parse_lang};
use crate::cli::running::state_of;
use crate::lang::{Lang, Message, messages};
use crate::load::assemble::Assembler;
use crate::release::enrolment::{Enrolment, EnrolmentError, MAX_OCTETS, fingerprint};
use crate::sys::read;
use crate::sys::state_dir::whole;
use crate::update::enrolment::{EnrolError, enrol, root};
use crate::upgrade::trust_enrolled;

/// Arguments of `enrol`.
#[derive(Debug, clap::Args)]
pub struct EnrolArguments {
    /// The file of the department.
    file: PathBuf,
    /// The config file of this gateway.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The fingerprint of the root, as it came another way than the file: by letter.
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    /// Give up another enrolment of this box, and its key.
    #[arg(long)]
    anew: bool,
    /// Where to write the reply; beside FILE by default.
    #[arg(long, value_name = "FILE")]
    reply: Option<PathBuf>,
    /// The language of messages; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
}

/// Enrols; exits 0, or 3 where the root, the file or the school is another one.
pub fn run(arguments: &EnrolArguments) -> ExitCode {
    finish(enrolled(arguments))
}

fn enrolled(of: &EnrolArguments) -> Result<String, CommandFailure> {
    let read = Assembler::new(Some(of.config.clone())).downloads();
    let (config, _) = read.map_err(|error| (INVALID, error.in_lang(of.lang).to_string()))?;
    let lang = of.lang.unwrap_or(config.school.lang);
    let refused = |message: Message| (INVALID, message.in_lang(lang));
    let document = read_document(&of.file).map_err(refused)?;
    let told = of
        .fingerprint
        .as_deref()
        .map(|text| fingerprint(text).ok_or_else(|| refused(messages::enrol_no_fingerprint(text))));
    let told = told.transpose()?;
    if config.school.id != document.school {
        let found = &config.school.id;
        return Err(refused(messages::enrol_other_school(&document.school, found)));
    }
    let state = state_of(&config, lang)?;
    let state = state.ok_or_else(|| refused(messages::enrol_no_state()))?;
    let reply = {
        let _acting = state.act_as_owner().map_err(|error| (1, error.to_string()))?;
        enrol(&state, &document, told.as_deref(), of.anew)
            .map_err(|error| (INVALID, said(error).in_lang(lang)))?
    };
    let done = messages::enrol_done(&document.unit, &document.school, &document.fingerprint);
    let mut lines = vec![done.in_lang(lang)];
    if told.is_none() {
        lines.push(messages::enrol_unconfirmed().in_lang(lang));
    }
    let trusted = trust_enrolled(state.path(), document.root.as_bytes(), told.is_some());
    lines.extend(trusted.err().map(|why| why.in_lang(lang)));
    let path = of.reply.clone().unwrap_or_else(|| of.file.with_extension("reply.json"));
    let written = whole::replace(&path, 0o644, reply.text().as_bytes());
    if written.is_ok() {
        lines.push(messages::enrol_reply(path.display()).in_lang(lang));
    }
    lines.push(messages::enrol_config(of.config.display()).in_lang(lang));
    lines.push(fragment(&document, state.path()));
    if let Err(error) = written {
        // The box is enrolled all the same, and what to write into its config is said.
        lines.push(format!(
            "{}: {error}; {}",
            path.display(),
            messages::enrol_no_reply("--reply FILE").in_lang(lang)
        ));
        return Err((1, lines.join("\n")));
    }
    Ok(lines.join("\n"))
}

/// The file of a department.
pub(super) fn read_document(path: &Path) -> Result<Enrolment, Message> {
    let octets = read::octets(path, MAX_OCTETS)
        .map_err(|error| messages::enrol_unreadable(path.display(), error))?;
    let text = String::from_utf8_lossy(&octets);
    Enrolment::parse(&text).map_err(|error| messages::enrol_unreadable(path.display(), error))
}

/// An error for people.
pub(super) fn said(error: EnrolError) -> Message {
    match error {
        EnrolError::Document(EnrolmentError::Fingerprint { wanted, found }) => {
            messages::enrol_wrong_root(wanted, found)
        }
        EnrolError::Root(why) => messages::enrol_bad_root(why),
        EnrolError::Enrolled { school, unit, fingerprint } => {
            messages::enrol_enrolled(school, unit, fingerprint)
        }
        EnrolError::InUse(root) => messages::enrol_in_use(root),
        other => messages::enrol_failed(other),
    }
}

/// The lines of the config, for a state directory.
pub(super) fn fragment(document: &Enrolment, state: &Path) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let urls: Vec<String> = document.urls.iter().map(|url| text(url)).collect();
    // A relative path would be one from the directory of the config.
    let root = root(state);
    let root = std::path::absolute(&root).unwrap_or(root);
    let root = text(&root.display().to_string());
    let mut lines = format!("\n[update]\nurls = [{}]\nroot = {root}\n", urls.join(", "));
    if !document.nudge.is_empty() {
        let _ = writeln!(lines, "nudge = {}", text(&document.nudge));
    }
    lines
}
