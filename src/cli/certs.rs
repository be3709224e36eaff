//! `lachan certs self` and `lachan certs show`: certificates of encrypted DNS.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::output::{CommandFailure, INVALID, complain, finish, json, parse_lang, print};
use crate::lang::{Lang, Message, messages};
use crate::load::assemble::read_config_for_command;
use crate::sys::authority::{
    AuthorityError, DAYS, Issued, MAX_YEARS, SchoolAuthority, Subjects, YEARS,
};
use crate::sys::certificate::{CertificateFacts, Dated, MAX_OCTETS, check_key, read_chain};
use crate::sys::clock::system_time;
use crate::sys::read;

/// Arguments of `certs`.
#[derive(Debug, clap::Args)]
pub struct CertsArguments {
    #[command(subcommand)]
    action: CertsAction,
}

#[derive(Debug, clap::Subcommand)]
enum CertsAction {
    /// Make an authority of the school that can sign for this resolver alone, and a certificate by it.
    #[command(name = "self")]
    Own(OwnArguments),
    /// Show what certificates say, and whether keys are theirs.
    Show(ShowArguments),
}

/// Arguments of `certs self`.
#[derive(Debug, clap::Args)]
struct OwnArguments {
    /// A name by which devices find this resolver; with `--authority`, all that it may sign for by default.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// An address at which devices reach it; those of `[listen] dns` by default, with `--config`.
    #[arg(long = "address", value_name = "ADDRESS")]
    addresses: Vec<IpAddr>,
    /// The folder to make.
    #[arg(long, value_name = "DIR", default_value = "certs")]
    out: PathBuf,
    /// Years that the authority is valid; it needs its key for the next certificate.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MAX_YEARS), requires = "authority_key", conflicts_with = "authority")]
    years: Option<u64>,
    /// An authority that was made before, to sign the next certificate.
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// Its key: written for a new authority, read for one that was made before. On a stick.
    #[arg(long, value_name = "FILE")]
    authority_key: Option<PathBuf>,
    /// The config file of this gateway: its language and addresses.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The language of messages; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
}

/// Arguments of `certs show`.
#[derive(Debug, clap::Args)]
struct ShowArguments {
    /// PEM files of certificates, and of keys, which are compared with them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A name or an address that the certificates must be for.
    #[arg(long = "for", value_name = "NAME|ADDRESS")]
    subjects: Vec<String>,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
    /// The language of messages.
    #[arg(long, value_parser = parse_lang, default_value = "en")]
    lang: Lang,
}

/// Makes or shows; exits 0, 1 where a file cannot be written or something shown is wrong, 3 for what
/// cannot be used.
pub fn run(arguments: &CertsArguments) -> ExitCode {
    match &arguments.action {
        CertsAction::Own(of) => finish(made(of)),
        CertsAction::Show(of) => show(of),
    }
}

fn made(of: &OwnArguments) -> Result<String, CommandFailure> {
    let config = of.config.as_deref().map(|path| read_config_for_command(Some(path))).transpose();
    let config = config.map_err(|error| (INVALID, error.to_string()))?;
    let lang = of.lang.or(config.as_ref().map(|config| config.school.lang)).unwrap_or_default();
    let refused = |message: Message| (INVALID, message.in_lang(lang));
    let failed = |error: AuthorityError| refused(error.message());
    let mut addresses = of.addresses.clone();
    if let (true, Some(config)) = (addresses.is_empty(), &config) {
        let own = config.listen.dns.iter().map(std::net::SocketAddr::ip);
        addresses.extend(own.filter(|ip| !ip.is_unspecified() && !ip.is_loopback()));
    }
    let now = system_time();
    let subjects = || Subjects::new(&of.names, &addresses).map_err(failed);
    let (authority, subjects) = match (&of.authority, &of.authority_key) {
        (Some(_), None) => return Err(refused(messages::certs_needs_key())),
        (Some(certificate), Some(key)) => {
            let read = |path: &Path| octets(path).map_err(refused);
            let (certificate, key) = (read(certificate)?, zeroize::Zeroizing::new(read(key)?));
            let authority = SchoolAuthority::open(&certificate, &key).map_err(failed)?;
            let all = of.names.is_empty() && of.addresses.is_empty();
            let subjects = if all { authority.subjects().map_err(failed)? } else { subjects()? };
            (authority, subjects)
        }
        (None, key) => {
            let subjects = subjects()?;
            // One whose key is forgotten has nothing to outlive its certificate for.
            let years = of.years.unwrap_or(YEARS);
            let days = if key.is_some() { years * 366 } else { DAYS };
            (SchoolAuthority::make(&subjects, now, days).map_err(failed)?, subjects)
        }
    };
    let issued = authority.issue(&subjects, now).map_err(failed)?;
    let new_key = of.authority_key.as_deref().filter(|_| of.authority.is_none());
    write(&of.out, new_key, &authority, &issued).map_err(|message| (1, message.in_lang(lang)))?;
    if let Some(name) = subjects.whole_domain() {
        complain(&messages::certs_whole_domain(name).in_lang(lang));
    }
    Ok(told(of, &authority, &issued).iter().map(|one| one.in_lang(lang) + "\n").collect())
}

fn told(of: &OwnArguments, authority: &SchoolAuthority, issued: &Issued) -> [Message; 3] {
    [
        messages::certs_made(of.out.display(), day(issued.not_after)),
        messages::certs_bound(authority.facts().permits.join(", ")),
        match &of.authority_key {
            Some(path) => messages::certs_key_kept(path.display()),
            None => messages::certs_key_forgotten(),
        },
    ]
}

fn octets(path: &Path) -> Result<Vec<u8>, Message> {
    let read = read::octets(path, MAX_OCTETS);
    read.map_err(|error| messages::certs_unreadable(path.display(), error))
}

/// Writes the folder whole or not at all, and the key of a new authority elsewhere.
fn write(
    out: &Path,
    key: Option<&Path>,
    authority: &SchoolAuthority,
    issued: &Issued,
) -> Result<(), Message> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::NotADirectory => messages::certs_there(&path),
            _ => messages::certs_unreadable(&path, error),
        }
    };
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = out.with_file_name(format!(".{name}.{}.new", std::process::id()));
    if let Some(key) = key {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if absolute(key).starts_with(absolute(out)) {
            return Err(messages::certs_key_inside(key.display(), out.display()));
        }
        create(key, authority.key_pem().as_bytes()).map_err(failed(key))?;
    }
    let written = folder(&beside, authority, issued).and_then(|()| fs::rename(&beside, out));
    if written.is_err() {
        let _ = fs::remove_dir_all(&beside);
        // No certificate needs it.
        let _ = key.map(fs::remove_file);
    }
    written.map_err(failed(out))
}

fn folder(path: &Path, authority: &SchoolAuthority, issued: &Issued) -> io::Result<()> {
    DirBuilder::new().mode(0o755).create(path)?;
    create(&path.join("key.pem"), issued.key.as_bytes())?;
    for (name, text) in [("cert.pem", issued.certificate.as_str()), ("ca.pem", authority.pem())] {
        fs::write(path.join(name), text)?;
    }
    File::open(path)?.sync_all()
}

/// Writes a file that is not there yet and that only its owner can read.
fn create(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(octets).and_then(|()| file.sync_all()).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

/// A certificate, as JSON.
#[derive(Debug, Serialize)]
struct CertificateRow {
    subject: String,
    issuer: String,
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    not_before: String,
    not_after: String,
    /// Whole days left; negative after the end.
    days_left: i64,
    key: String,
    is_authority: bool,
    signs_for: Vec<String>,
}

/// A file of certificates, as JSON.
#[derive(Debug, Serialize)]
struct ChainRow {
    file: PathBuf,
    certificates: Vec<CertificateRow>,
}

/// A key, as JSON.
#[derive(Debug, Serialize)]
struct KeyRow {
    file: PathBuf,
    /// The files whose first certificate it is the key of.
    fits: Vec<PathBuf>,
}

/// All that is shown.
#[derive(Debug, Default, Serialize)]
struct Shown {
    chains: Vec<ChainRow>,
    keys: Vec<KeyRow>,
    /// What is wrong, in words; empty where nothing is.
    problems: Vec<String>,
}

fn show(of: &ShowArguments) -> ExitCode {
    let (shown, text, is_unusable) = look(of, system_time());
    print(&if of.json { json(&shown) } else { text });
    match (is_unusable, shown.problems.is_empty()) {
        (true, _) => ExitCode::from(INVALID),
        (false, false) => ExitCode::FAILURE,
        (false, true) => ExitCode::SUCCESS,
    }
}

/// What is shown, as values and as text, and whether a file cannot be used at all.
fn look(of: &ShowArguments, now: u64) -> (Shown, String, bool) {
    let (mut shown, mut text, mut problems) = (Shown::default(), String::new(), Vec::new());
    let (mut chains, mut keys) = (Vec::new(), Vec::new());
    let mut is_unusable = false;
    for path in &of.files {
        let file = path.display();
        let read = octets(path).map(|octets| {
            let is_key = String::from_utf8_lossy(&octets).contains("PRIVATE KEY-----");
            (read_chain(&octets), is_key, zeroize::Zeroizing::new(octets))
        });
        match read {
            Ok((Ok(chain), is_key, octets)) => {
                if is_key {
                    keys.push((path, octets.clone()));
                }
                chains.push((path, chain, octets));
            }
            Ok((Err(_), true, octets)) => keys.push((path, octets)),
            Ok((Err(error), false, _)) => {
                is_unusable = true;
                problems.push(messages::certs_unreadable(file, error.message()));
            }
            Err(error) => {
                is_unusable = true;
                problems.push(error);
            }
        }
    }
    for (path, chain, _) in &chains {
        problems.extend(faults(path, chain, &of.subjects, now));
        let _ = writeln!(text, "{}", path.display());
        for (at, facts) in chain.iter().enumerate() {
            for line in lines(at + 1, facts, now) {
                let _ = writeln!(text, "{}", line.in_lang(of.lang));
            }
        }
        let certificates = chain.iter().map(|facts| row(facts, now)).collect();
        shown.chains.push(ChainRow { file: (*path).clone(), certificates });
    }
    for (path, key) in &keys {
        let mut fits = Vec::new();
        let mut why = None;
        for (chain, _, octets) in &chains {
            match check_key(octets, key) {
                Ok(()) => fits.push((*chain).clone()),
                Err(error) => why = Some(error),
            }
        }
        for chain in &fits {
            let line = messages::certs_key_fits(path.display(), chain.display());
            let _ = writeln!(text, "{}", line.in_lang(of.lang));
        }
        if let Some(error) = why.filter(|_| fits.is_empty()) {
            problems.push(messages::certs_unfitting(path.display(), error.message()));
        }
        shown.keys.push(KeyRow { file: (*path).clone(), fits });
    }
    shown.problems = problems.iter().map(|one| one.in_lang(of.lang)).collect();
    let last = if shown.problems.is_empty() {
        messages::certs_is_right().in_lang(of.lang)
    } else {
        shown.problems.join("\n")
    };
    (shown, text + "\n" + &last, is_unusable)
}

/// What devices would refuse of a file of certificates.
fn faults(path: &Path, chain: &[CertificateFacts], subjects: &[String], now: u64) -> Vec<Message> {
    let file = || path.display();
    let mut faults = Vec::new();
    let Some(first) = chain.first() else { return faults };
    match first.dated(now) {
        Dated::NotYet => faults.push(messages::certs_is_early(file())),
        Dated::Expired(_) => faults.push(messages::certs_is_over(file())),
        Dated::Valid(_) => {}
    }
    // A file of an authority, for devices, stands by itself.
    if chain.len() > 1 && first.is_authority || !first.is_for_servers {
        faults.push(messages::certs_not_server(file()));
    }
    for subject in subjects.iter().filter(|_| !first.is_authority) {
        let is_for = match subject.parse::<IpAddr>() {
            Ok(address) => first.covers_address(address),
            Err(_) => first.covers_name(subject),
        };
        if !is_for {
            faults.push(messages::certs_not_for(file(), subject));
        }
    }
    for (at, pair) in chain.windows(2).enumerate() {
        if let [one, next] = pair
            && !one.is_issued_by(next)
        {
            faults.push(messages::certs_no_order(file(), at + 1));
        }
    }
    faults
}

/// A certificate for people.
fn lines(place: usize, facts: &CertificateFacts, now: u64) -> Vec<Message> {
    let left = match facts.dated(now) {
        Dated::NotYet => messages::certs_not_yet(),
        Dated::Valid(days) => messages::certs_days_left(days),
        Dated::Expired(days) => messages::certs_days_over(days),
    };
    let mut lines = vec![messages::certs_heading(place, &facts.subject)];
    if !facts.names.is_empty() {
        lines.push(messages::certs_names(facts.names.join(", ")));
    }
    if !facts.addresses.is_empty() {
        let each: Vec<String> = facts.addresses.iter().map(IpAddr::to_string).collect();
        lines.push(messages::certs_addresses(each.join(", ")));
    }
    if !facts.permits.is_empty() {
        lines.push(messages::certs_permits(facts.permits.join(", ")));
    }
    lines.push(messages::certs_issuer(&facts.issuer));
    lines.push(messages::certs_key_kind(&facts.key));
    lines.push(messages::certs_dates(day(facts.not_before), day(facts.not_after), left));
    lines
}

fn row(facts: &CertificateFacts, now: u64) -> CertificateRow {
    let days_left = match facts.dated(now) {
        Dated::Expired(days) => -1 - days.cast_signed(),
        _ => (facts.not_after.saturating_sub(now) / 86_400).cast_signed(),
    };
    CertificateRow {
        subject: facts.subject.clone(),
        issuer: facts.issuer.clone(),
        names: facts.names.clone(),
        addresses: facts.addresses.clone(),
        not_before: moment(facts.not_before),
        not_after: moment(facts.not_after),
        days_left,
        key: facts.key.clone(),
        is_authority: facts.is_authority,
        signs_for: facts.permits.clone(),
    }
}

/// A second since 1970 by RFC 3339, in UTC.
fn moment(civil: u64) -> String {
    let at = i64::try_from(civil).ok().and_then(|at| Timestamp::from_second(at).ok());
    at.map_or_else(String::new, |at| at.to_string())
}

/// Its day.
fn day(civil: u64) -> String {
    moment(civil).chars().take(10).collect()
}
