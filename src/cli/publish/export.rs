//! `lachan publish export FORMAT LIST`: what a list blocks at a level, for other programs.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::category::Level;
use crate::cli::output::{CommandFailure, INVALID, complain};
use crate::dns::name::Name;
use crate::publish::export::level::{LevelError, LevelPolicy, Scratch};
use crate::publish::export::{Export, ExportError, ExportFormat, ExportReport};
use crate::publish::lint;
use crate::publish::lint::popular::PopularNames;
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
    /// The rules: a release's full list, its text unpacked, or a compiled pack.
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
    /// The number of the release; by default that in the name of the list.
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
    let pack = pack_of(&arguments.list, &scratch)?;
    let policy = LevelPolicy::of(arguments.level, &pack).map_err(|error| failure(&error))?;
    let export = Export {
        policy: &policy,
        format: arguments.format,
        max: arguments.max,
        popular: &popular(arguments, &policy)?,
        serial: arguments.serial.or_else(|| serial_of(&arguments.list)),
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

/// The pack of a list: itself, or compiled into the scratch directory.
fn pack_of(path: &Path, scratch: &Scratch) -> Result<PathBuf, CommandFailure> {
    let failed = |error: &dyn std::fmt::Display| (INVALID, format!("{}: {error}", path.display()));
    let open = || read::open(path).map_err(|error| failed(&error));
    let mut first = Vec::new();
    open()?.take(TEXT.len() as u64).read_to_end(&mut first).map_err(|error| failed(&error))?;
    let (is_packed, is_text) = (first.starts_with(&ZSTD), first == TEXT);
    if !is_packed && !is_text {
        return Ok(path.to_owned());
    }
    let pack = scratch.path("list.pack");
    let out = File::create(&pack).map_err(|error| failed(&error))?;
    let compiled = if is_packed {
        let text = packed::unpacker(BufReader::new(open()?)).map_err(|error| failed(&error))?;
        canonical::compile(text, list::MAX_OCTETS, BufWriter::with_capacity(CHUNK, out))
    } else {
        canonical::compile(open()?, list::MAX_OCTETS, BufWriter::with_capacity(CHUNK, out))
    };
    let (mut out, _) = compiled.map_err(|error| failed(&error))?;
    out.flush().map_err(|error| failed(&error))?;
    Ok(pack)
}

/// The number of a release in the name of its full list: `HASH.7.full.zst`.
fn serial_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".full.zst")?;
    name.rsplit('.').next()?.parse().ok()
}

/// Popular names, those of the department first.
fn popular(
    arguments: &ListExportArguments,
    policy: &LevelPolicy,
) -> Result<Vec<Name>, CommandFailure> {
    let mut names = Vec::new();
    if let Some(path) = &arguments.popular {
        names = lint::names(path).map_err(|complaint| (INVALID, complaint))?;
    }
    names.extend(PopularNames::embedded(policy.taxonomy()).names().cloned());
    Ok(names)
}

fn failure(error: &LevelError) -> CommandFailure {
    let code = if matches!(error, LevelError::Assemble(_)) { INVALID } else { 1 };
    (code, error.to_string())
}
