//! `lachan setup`: from five answers to a gateway, shown before anything is changed, and taken back
//! whole.
//!
//! ```text
//! answers FILE │ questions ▸ SetupAnswers ▸ plan (pure) ▸ shown ▸ consent ▸ apply ▸ record
//!                                                                    undo ◀────────┘
//! ```
//!
//! Law: nothing is written before consent; /etc/resolv.conf is never written; what is written passes
//! `lachan check`; what is written or made is in the record before it is there.

mod answers;
mod apply;
mod place;
mod plan;
mod questions;
mod record;
mod undo;

use std::io::{self, IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use self::answers::SetupAnswers;
use self::plan::{HeldPort, STUB, SetupPlan, TargetFacts, ZONES};
use crate::cli::enrol::read_document;
use crate::cli::output::{CommandFailure, INVALID, finish, parse_lang, print};
use crate::cli::running::USUAL_CONFIG;
use crate::doctor::{look, ports_held};
use crate::lang::{Lang, Message, messages};
use crate::sys::read;

/// The longest answers file.
const MAX_ANSWERS: u64 = 1 << 20;

/// Arguments of `setup`.
#[derive(Debug, clap::Args)]
pub struct SetupArguments {
    /// The answers, in TOML; without it they are asked for at the terminal.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// The department's enrolment file, such as one on a USB stick.
    #[arg(long, value_name = "FILE")]
    enrolment: Option<PathBuf>,
    /// The root of the system to set up: of an image, or of a test.
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// The config to write, below the root.
    #[arg(long, value_name = "FILE", default_value = USUAL_CONFIG)]
    config: PathBuf,
    /// Consent to the plan.
    #[arg(long)]
    yes: bool,
    /// Show the plan, and change nothing.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Take back what `setup` did.
    #[arg(long, conflicts_with_all = ["answers", "enrolment", "dry_run"])]
    undo: bool,
    /// The language of messages; that of the answers by default, else Vietnamese.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
}

/// Sets up; exits 0 where it is done, 1 where nothing was changed or something could not be, 3 for
/// answers that cannot be used.
pub fn run(arguments: &SetupArguments) -> ExitCode {
    let done = judge_paths(arguments)
        .and_then(|()| if arguments.undo { undone(arguments) } else { set_up(arguments) });
    finish(done)
}

/// Refuses a root that is no directory, and a path of the config that a record cannot have.
fn judge_paths(of: &SetupArguments) -> Result<(), CommandFailure> {
    let refused = |message: Message| (INVALID, message.in_lang(of.lang.unwrap_or(Lang::Vi)));
    if !of.root.is_dir() {
        return Err(refused(messages::setup_no_root(of.root.display())));
    }
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    let is_right = of.config.is_absolute()
        && of.config.file_name().is_some_and(|name| name != record::RECORD)
        && of.config.to_str().is_some_and(|text| !text.contains(is_odd) && !text.ends_with('/'))
        && !of.config.components().any(|part| part == Component::ParentDir);
    if is_right {
        return Ok(());
    }
    let shown = of.config.display().to_string();
    Err(refused(messages::setup_bad_config_path(shown.escape_debug(), USUAL_CONFIG)))
}

fn undone(of: &SetupArguments) -> Result<String, CommandFailure> {
    let lang = of.lang.unwrap_or(Lang::Vi);
    let end = undo::undo(&of.root, &of.config).map_err(|message| (1, message.in_lang(lang)))?;
    let text = lines(&end.told, lang);
    if end.is_whole { Ok(text) } else { Err((1, text)) }
}

fn set_up(of: &SetupArguments) -> Result<String, CommandFailure> {
    let answers = answers(of)?;
    let lang = of.lang.unwrap_or(answers.lang);
    let refused = |message: Message| (INVALID, message.in_lang(lang));
    let enrolment = answers.enrolment.as_deref().map(read_document).transpose().map_err(refused)?;
    let machine = machine(&of.root, &answers, lang);
    let plan = SetupPlan::of(answers, enrolment, &of.config, machine).map_err(refused)?;
    let changes = apply::changes(&plan, &of.root).map_err(|message| (1, message.in_lang(lang)))?;
    let shown = plan.text(&changes, lang);
    if of.dry_run {
        return Ok(shown);
    }
    print(&shown);
    if !of.yes && !is_agreed(lang) {
        return Err((1, messages::setup_nothing_changed("--yes").in_lang(lang)));
    }
    let told = apply::apply(&plan, &of.root, &of.config, &changes);
    let told = told.map_err(|message| (1, message.in_lang(lang)))?;
    Ok(format!("\n{}\n{}", lines(&told, lang), plan.next_steps(lang)))
}

/// The answers of a file, or of the person at the terminal.
fn answers(of: &SetupArguments) -> Result<SetupAnswers, CommandFailure> {
    if let Some(path) = &of.answers {
        let shown = path.display().to_string();
        let octets = read::octets(path, MAX_ANSWERS).map_err(|error| {
            let lang = of.lang.unwrap_or(Lang::Vi);
            (INVALID, messages::setup_unread_answers(&shown, error, "--answers").in_lang(lang))
        })?;
        let text = String::from_utf8_lossy(&octets).into_owned();
        let base = path.parent().unwrap_or(Path::new(""));
        let read = SetupAnswers::parse(&text, base, of.enrolment.as_deref());
        return read.map_err(|(mistakes, lang)| {
            let lang = of.lang.unwrap_or(lang);
            (INVALID, answers::shown(&shown, &text, mistakes, lang))
        });
    }
    let lang = of.lang.unwrap_or(Lang::Vi);
    if !io::stdin().is_terminal() {
        return Err((INVALID, messages::setup_no_answers("--answers").in_lang(lang)));
    }
    let found = questions::Suggestions {
        addresses: lan_addresses(&of.root),
        servers: system_servers(&of.root),
        school: of.enrolment.as_deref().and_then(|path| Some(read_document(path).ok()?.school)),
        enrolment: of.enrolment.clone(),
    };
    let (mut input, mut output) = (io::stdin().lock(), io::stdout());
    questions::ask(&mut input, &mut output, &found, lang)
        .map_err(|error| (1, messages::setup_ended(error).in_lang(lang)))
}

/// Addresses of this machine that devices of a LAN can reach.
fn lan_addresses(root: &Path) -> Vec<String> {
    let is_lan = |ip: &IpAddr| !answers::is_no_host(*ip);
    look::own_addresses(root).iter().filter(|ip| is_lan(ip)).map(ToString::to_string).collect()
}

/// The servers that the system asks now.
fn system_servers(root: &Path) -> Vec<String> {
    let told = look::resolvers(root).into_iter().flat_map(|(_, resolvers)| resolvers);
    let mut found: Vec<String> = Vec::new();
    for ip in told.filter(|ip| !answers::is_no_host(*ip)) {
        let text = if ip.is_ipv4() { format!("udp://{ip}") } else { format!("udp://[{ip}]") };
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// What is known of the system below a root. Of ports nothing is, but of this machine's own.
fn machine(root: &Path, answers: &SetupAnswers, lang: Lang) -> TargetFacts {
    let is_there = |path: &Path| place::below(root, path).exists();
    let zone = Path::new(ZONES).join(&answers.timezone);
    let facts = TargetFacts {
        are_ports_seen: false,
        held: Vec::new(),
        has_stub_off: is_there(Path::new(STUB)),
        has_zone: is_there(&zone),
    };
    if root != Path::new("/") {
        return facts;
    }
    let listen: Vec<SocketAddr> = answers.listeners();
    let (sockets, unread) = look::waiting(root);
    let owners = look::owners(root, &sockets);
    let held = ports_held(&listen, &sockets, &owners, lang);
    let held = held.into_iter().map(|(is_stub, shown)| HeldPort { is_stub, shown }).collect();
    TargetFacts { are_ports_seen: unread.is_none(), held, ..facts }
}

/// Whether the person at the terminal agrees.
fn is_agreed(lang: Lang) -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    let _ = write!(io::stdout(), "\n{} ", messages::setup_agree().in_lang(lang));
    let _ = io::stdout().flush();
    let mut line = String::new();
    let _ = io::stdin().read_line(&mut line);
    ["yes", "có", "co"].contains(&line.trim().to_lowercase().as_str())
}

fn lines(each: &[Message], lang: Lang) -> String {
    each.iter().map(|one| one.in_lang(lang)).collect::<Vec<_>>().join("\n")
}
