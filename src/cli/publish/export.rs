//! `lachan publish export FORMAT LIST`: what a list blocks at a level, for other programs.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::category::Level;
use crate::cli::output::{CommandFailure, INVALID, complain};
use crate::cli::publish::wait as publication;
use crate::config::data::released::ReleasedData;
use crate::dns::name::Name;
use crate::load::release::{DATA, PACK};
use crate::publish::export::level::{LevelError, LevelPolicy, Scratch};
use crate::publish::export::{Export, ExportError, ExportFormat, ExportReport};
use crate::publish::last::{self, SignedRelease};
use crate::publish::lint;
use crate::publish::trust::repository::Repository;
use crate::release::list::read::CanonicalListError;
use crate::release::list::{self, packed, read as canonical};
use crate::sys::read;

/// The first octets of zstd (RFC 8878 §3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The first octets of a canonical list.
const TEXT: &[u8] = b"lachan list ";
/// Octets that are written at once.
const CHUNK: usize = 256 << 10;

/// Arguments of `publish export`.
#[derive(Debug, clap::Args)]
pub(super) struct ListExportArguments {
    /// The syntax of the file.
    #[arg(value_enum)]
    format: ExportFormat,
    /// The rules: a repository, a release's full list, its text unpacked, or a compiled pack.
    list: PathBuf,
    /// The school level that says which categories are blocked.
    #[arg(long, value_name = "LEVEL", value_parser = parse_level, default_value = "primary")]
    level: Level,
    /// Most rules that block: popular names first, then by the order of categories.
    #[arg(long, value_name = "NUMBER")]
    max: Option<u64>,
    /// Popular names before the embedded ones, one a line, the most popular first.
    #[arg(long, value_name = "FILE")]
    popular: Option<PathBuf>,
    /// The number of the release; by default that in the name of the list, or the newest of a
    /// repository that was not taken back.
    #[arg(long, value_name = "NUMBER")]
    serial: Option<u64>,
    /// The file to write; standard output without it.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn parse_level(text: &str) -> Result<Level, String> {
    let known = Level::ALL.into_iter().find(|level| level.id() == text);
    let ids = || Level::ALL.map(Level::id).join(", ");
    known.ok_or_else(|| format!("a level is one of: {}", ids()))
}

/// Exports; what was written and what was left out is told on stderr.
pub(super) fn run(arguments: &ListExportArguments) -> ExitCode {
    match export(arguments) {
        Ok(report) => {
            report.lines().iter().for_each(|line| complain(line));
            ExitCode::SUCCESS
        }
        Err((code, complaint)) => {
            complain(&complaint);
            ExitCode::from(code)
        }
    }
}

fn export(arguments: &ListExportArguments) -> Result<ExportReport, CommandFailure> {
    let scratch = Scratch::new().map_err(|error| failure(&error))?;
    let serial = lay_out(arguments, &scratch)?;
    let policy =
        LevelPolicy::of(arguments.level, scratch.directory()).map_err(|error| failure(&error))?;
    let export = Export {
        policy: &policy,
        format: arguments.format,
        max: arguments.max,
        popular: &popular(arguments, &policy)?,
        serial,
    };
    let refused = |error: ExportError| match error {
        ExportError::Write(error) => {
            let place = arguments.out.as_deref().unwrap_or(Path::new("standard output"));
            (1, format!("{}: {error}", place.display()))
        }
        error => (INVALID, format!("{}: {error}", arguments.list.display())),
    };
    match &arguments.out {
        Some(path) => to_file(&export, path).map_err(refused),
        None => to_stdout(&export).map_err(refused),
    }
}

/// Writes a file whole or not at all.
fn to_file(export: &Export<'_>, path: &Path) -> Result<ExportReport, ExportError> {
    let name = path.file_name().ok_or(io::Error::from(ErrorKind::InvalidFilename))?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(beside);
    let write = || {
        let mut out = BufWriter::with_capacity(CHUNK, File::create(&beside)?);
        let report = export.write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&beside, path)?;
        Ok(report)
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn to_stdout(export: &Export<'_>) -> Result<ExportReport, ExportError> {
    let mut out = BufWriter::with_capacity(CHUNK, io::stdout().lock());
    match export.write(&mut out) {
        // A reader that has seen enough is no fault.
        Err(ExportError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => {
            drop(out.into_parts());
            Ok(ExportReport::default())
        }
        written => written,
    }
}

/// Lays the release out as a gateway has it, in the scratch directory; its number.
fn lay_out(
    arguments: &ListExportArguments,
    scratch: &Scratch,
) -> Result<Option<u64>, CommandFailure> {
    let path = arguments.list.as_path();
    let failed = |error: &dyn Display| (INVALID, format!("{}: {error}", path.display()));
    if path.is_dir() {
        return from_repository(path, arguments.serial, scratch).map(Some);
    }
    let open = || read::open(path).map_err(|error| failed(&error));
    let mut first = Vec::new();
    open()?.take(TEXT.len() as u64).read_to_end(&mut first).map_err(|error| failed(&error))?;
    let mut file = open()?;
    if first.starts_with(&ZSTD) {
        let text = packed::unpacker(BufReader::new(file)).map_err(|error| failed(&error))?;
        compile(text, scratch).map_err(|error| failed(&error))?;
    } else if first == TEXT {
        compile(file, scratch).map_err(|error| failed(&error))?;
    } else {
        // What is no pack is told where it is read.
        let copied =
            File::create(scratch.path(PACK)).and_then(|mut to| io::copy(&mut file, &mut to));
        copied.map_err(|error| failed(&error))?;
    }
    Ok(arguments.serial.or_else(|| serial_of(path)))
}

/// The same of a release that officers signed, with its tables.
fn from_repository(
    path: &Path,
    serial: Option<u64>,
    scratch: &Scratch,
) -> Result<u64, CommandFailure> {
    let failed = |error| publication::failure(&error);
    let repository = Repository::open(path).map_err(failed)?;
    let newest = || last::accepted(&repository).map_err(failed);
    let none = || (INVALID, format!("{}: no release is signed yet", path.display()));
    let serial = serial.map_or_else(newest, |serial| Ok(Some(serial)))?.ok_or_else(none)?;
    let release = SignedRelease::read(&repository, serial).map_err(failed)?;
    let damaged = |error: &dyn Display| (1, format!("{}: {error}", path.display()));
    compile(release.text.as_slice(), scratch).map_err(|error| damaged(&error))?;
    fs::create_dir(scratch.path(DATA)).map_err(|error| damaged(&error))?;
    for file in ReleasedData::FILES {
        if let Some(octets) = release.data(&repository, file).map_err(failed)? {
            let to = scratch.path(DATA).join(file);
            fs::write(to, octets).map_err(|error| damaged(&error))?;
        }
    }
    Ok(serial)
}

/// Compiles a canonical list into the scratch directory.
fn compile(text: impl Read, scratch: &Scratch) -> Result<(), CanonicalListError> {
    let file = File::create(scratch.path(PACK)).map_err(CanonicalListError::Read)?;
    let out = BufWriter::with_capacity(CHUNK, file);
    let (mut out, _) = canonical::compile(text, list::MAX_OCTETS, out)?;
    out.flush().map_err(CanonicalListError::Read)
}

/// The number of a release in the name of its full list: `HASH.7.full.zst`.
fn serial_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".full.zst")?;
    name.rsplit('.').next()?.parse().ok()
}

/// Popular names: those of `--popular` first, then those of the release.
fn popular(
    arguments: &ListExportArguments,
    policy: &LevelPolicy,
) -> Result<Vec<Name>, CommandFailure> {
    let mut names = Vec::new();
    if let Some(path) = &arguments.popular {
        names = lint::names(path).map_err(|complaint| (INVALID, complaint))?;
    }
    names.extend(policy.data().popular().unwrap_or_default());
    Ok(names)
}

fn failure(error: &LevelError) -> CommandFailure {
    let code = if matches!(error, LevelError::Assemble(_)) { INVALID } else { 1 };
    (code, error.to_string())
}
