//! `lachan lists build`: sources in any format → one pack, with a report on each source.

use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use crate::blocklist::{Format, ScopeChoice, ZoneAction};
use crate::category::{CategoryId, Taxonomy};
use crate::cli::lists::exceptions::Exceptions;
use crate::cli::lists::pack_file::open;
use crate::cli::lists::report::BuildReport;
use crate::cli::output::{CommandFailure, complain, json, parse_lang, print};
use crate::config::data::released::ReleasedData;
use crate::config::data::starter;
use crate::lang::Lang;
use crate::load::lists::compile_lists::{Input, ListTexts, read_all};
use crate::load::lists::list_error::ListError;
use crate::matcher::keyword::KeywordRules;
use crate::pack::{AcceptedFinding, BuildError, Compiler, Pack, SEED, SourceNote};
use crate::publish::lint::finding::{LintFinding, find_places};
use crate::publish::lint::{self, Lint, SourceLimits};
use crate::sys::archive;
use crate::sys::mapped;
use crate::sys::read;

/// Arguments of `lists build`.
#[derive(Debug, clap::Args)]
pub struct BuildArguments {
    /// The pack to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A list, or a directory or archive of lists, and the category of its names; `-` is
    /// standard input. May be given many times.
    #[arg(long = "source", value_name = "CATEGORY=PATH", value_parser = parse_source, required = true)]
    sources: Vec<(String, PathBuf)>,
    /// The licence of a source, which the pack records; the source is named as in the report:
    /// `adult.txt=CC BY-SA 4.0`. May be given many times.
    #[arg(long = "licence", value_name = "SOURCE=TEXT", value_parser = parse_licence)]
    licences: Vec<(String, String)>,
    /// A source that may answer: its addresses and aliases are given; names with answers of other
    /// sources are blocked. The source is named as in the report. May be given many times.
    #[arg(long = "trusted", value_name = "SOURCE")]
    trusted: Vec<String>,
    /// Take each listed name with all below it, in every format.
    #[arg(long)]
    subtree: bool,
    /// A file of keyword rules to put into the pack.
    #[arg(long, value_name = "FILE")]
    keywords: Option<PathBuf>,
    /// Popular names, one a line: those that the pack would block are reported.
    #[arg(long, value_name = "FILE")]
    popular: Option<PathBuf>,
    /// The pack before this one: sources that shrank or grew too much are reported.
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    /// By how many percent a source may shrink or grow.
    #[arg(long, value_name = "PERCENT", default_value_t = 50)]
    max_change: u32,
    /// Write the pack in spite of findings that would refuse it; the text names the person who
    /// accepts them, and the reason.
    #[arg(long, value_name = "TEXT")]
    accept: Option<String>,
    /// Findings that somebody accepted, one by one, with name, reason and date; the pack keeps them.
    #[arg(long, value_name = "FILE")]
    exceptions: Option<PathBuf>,
    /// The language of findings.
    #[arg(long, value_name = "LANG", value_parser = parse_lang, default_value = "en")]
    lang: Lang,
    /// Threads that read lists; as many as there are cores by default.
    #[arg(long, value_name = "NUMBER")]
    threads: Option<usize>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Reads `--source`.
fn parse_source(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((category, path)) if !category.is_empty() && !path.is_empty() => {
            Ok((category.to_owned(), path.into()))
        }
        _ => Err("write CATEGORY=PATH, such as `adult=lists/adult.txt`".into()),
    }
}

/// Reads `--licence`.
fn parse_licence(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((source, licence)) if !source.is_empty() && !licence.trim().is_empty() => {
            Ok((source.to_owned(), licence.trim().to_owned()))
        }
        _ => Err("write SOURCE=TEXT, such as `adult.txt=CC BY-SA 4.0`".into()),
    }
}

/// Builds a pack; exits 0, 2 for a wrong category, or 3 when the pack is refused.
pub fn run(arguments: &BuildArguments) -> ExitCode {
    match build(arguments) {
        Ok(report) => {
            let refused = report.refused;
            print(&if arguments.json { json(&report) } else { report.text(arguments.lang) });
            ExitCode::from(if refused { 3 } else { 0 })
        }
        Err((code, complaint)) => {
            complain(&complaint);
            ExitCode::from(code)
        }
    }
}

/// Reads and compiles the sources, lints the pack, and publishes it unless it is refused.
fn build(arguments: &BuildArguments) -> Result<BuildReport, CommandFailure> {
    let taxonomy = starter::taxonomy().map_err(|_| (1, "the built-in taxonomy is wrong".into()))?;
    let inputs = inputs(arguments, &taxonomy)?;
    let mut compiler = Compiler::new(SEED, taxonomy.iter().map(|(_, row)| row.id.clone()));
    if let Some(path) = &arguments.keywords {
        compiler.keywords(&keywords(path, &taxonomy)?);
    }
    let exceptions = arguments.exceptions.as_deref().map(Exceptions::read).transpose();
    let exceptions = exceptions.map_err(|complaint| (3, complaint))?.unwrap_or_default();
    let previous = arguments.previous.as_deref().map(open).transpose();
    let previous = previous.map_err(|complaint| (3, complaint))?;
    let popular = arguments.popular.as_deref().map(lint::names).transpose();
    let popular = popular.map_err(|complaint| (3, complaint))?.unwrap_or_default();

    let bar = bar();
    let threads = arguments.threads.unwrap_or_else(cores);
    let compiler = read_all(compiler, &inputs, threads, &|octets, total| {
        bar.set_length(total);
        bar.set_position(octets);
    });
    let compiler = compiler.map_err(|error| (3, error.to_string()))?;
    bar.set_message("compiling");
    let lint = Lint {
        data: &ReleasedData::default(),
        taxonomy: &taxonomy,
        previous,
        popular,
        limits: SourceLimits { shrink: arguments.max_change, grow: arguments.max_change },
        lang: arguments.lang,
    };
    let (mut findings, mut unmet) = (Vec::new(), Vec::new());
    let written = Written::new(compiler, &arguments.out, |pack, notes| {
        bar.set_message("looking at the names");
        findings = lint.of(pack)?;
        find_places(&mut findings, &inputs);
        unmet = exceptions.apply(&mut findings);
        accept_all(arguments.accept.as_deref(), &mut findings);
        keep_accepted(&findings, notes);
        Ok(())
    })?;
    bar.finish_and_clear();
    let is_refused = findings.iter().any(LintFinding::is_open);
    let mut report = BuildReport::of(&arguments.out, &written.pack, findings);
    report.accepted_by.clone_from(&arguments.accept);
    report.unmet_exceptions = unmet;
    if is_refused {
        report.refused = true;
    } else {
        written.publish(&arguments.out)?;
    }
    Ok(report)
}

/// Accepts every finding that would refuse the pack, in the words of `--accept`.
fn accept_all(text: Option<&str>, findings: &mut [LintFinding]) {
    let Some(text) = text else { return };
    for finding in findings.iter_mut().filter(|finding| finding.is_open()) {
        finding.accepted = Some(AcceptedFinding {
            finding: finding.key.clone(),
            by: text.to_owned(),
            ..AcceptedFinding::default()
        });
    }
}

/// Puts what was accepted into the notes of its source, or of the first of its category.
fn keep_accepted(findings: &[LintFinding], notes: &mut [SourceNote]) {
    let accepted = findings.iter().filter_map(|one| Some((one, one.accepted.as_ref()?)));
    for (finding, accepted) in accepted {
        let is_source = |note: &SourceNote| {
            note.category == finding.category && finding.source.as_ref() == Some(&note.name)
        };
        let place = notes.iter().position(is_source);
        let place =
            place.or_else(|| notes.iter().position(|note| note.category == finding.category));
        if let Some(note) = notes.get_mut(place.unwrap_or(0)) {
            note.accepted.push(accepted.clone());
        }
    }
}

/// A pack written beside its place, to be renamed when it is accepted.
struct Written {
    path: PathBuf,
    pack: Arc<Pack>,
}

impl Written {
    /// Compiles twice: first every rule, then without rules that an ancestor's covers.
    fn new(
        compiler: Compiler,
        out: &Path,
        judge: impl FnOnce(&Arc<Pack>, &mut [SourceNote]) -> Result<(), BuildError>,
    ) -> Result<Self, CommandFailure> {
        let failed = |error: &dyn std::fmt::Display| (1, format!("{}: {error}", out.display()));
        let beside = |kind: &str| {
            let name = out.file_name().unwrap_or_default().to_string_lossy();
            out.with_file_name(format!(".{name}.{kind}"))
        };
        let path = beside("new");
        let draft = Scratch::new(beside("draft")).map_err(|error| failed(&error))?;
        let new = Scratch::new(path.clone()).map_err(|error| failed(&error))?;
        let file = compiler
            .finish_reduced(new.file()?, draft.file()?, |_| draft.open(), judge)
            .map_err(|error| failed(&error))?;
        file.sync_all().map_err(|error| failed(&error))?;
        let pack = new.open().map_err(|error| failed(&error))?;
        new.stays();
        Ok(Self { path, pack })
    }

    /// Renames it to its place, in one step.
    fn publish(self, out: &Path) -> Result<(), CommandFailure> {
        let failed = |error| (1, format!("{}: cannot be written: {error}", out.display()));
        fs::rename(&self.path, out).map_err(failed)?;
        let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new("."))).and_then(|d| d.sync_all()).map_err(failed)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // Absent already where it was published.
        let _ = fs::remove_file(&self.path);
    }
}

/// A file that is removed on drop, unless it `stays`.
struct Scratch {
    path: PathBuf,
    stays: std::cell::Cell<bool>,
}

impl Scratch {
    /// An empty file at `path`.
    fn new(path: PathBuf) -> io::Result<Self> {
        File::create(&path)?;
        Ok(Self { path, stays: false.into() })
    }

    /// The file, to read and write.
    fn file(&self) -> Result<File, CommandFailure> {
        let opened = File::options().read(true).write(true).open(&self.path);
        opened.map_err(|error| (1, format!("{}: {error}", self.path.display())))
    }

    /// The file as a verified pack.
    fn open(&self) -> io::Result<Arc<Pack>> {
        let map = mapped::map(&File::open(&self.path)?)?;
        Ok(Arc::new(Pack::verify(Arc::new(map)).map_err(io::Error::other)?))
    }

    /// Leaves the file in place on drop.
    fn stays(&self) {
        self.stays.set(true);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.stays.get() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The sources in the order of the command line, which decides among response policy zones.
fn inputs(arguments: &BuildArguments, taxonomy: &Taxonomy) -> Result<Vec<Input>, CommandFailure> {
    let mut inputs = Vec::new();
    for (id, path) in &arguments.sources {
        let category = category(taxonomy, id)?;
        let is_stdin = path.as_os_str() == "-";
        let name = if is_stdin { "stdin".into() } else { name_of(path) };
        let texts = if is_stdin {
            let mut text = Vec::new();
            io::stdin().read_to_end(&mut text).map_err(|e| (1, format!("standard input: {e}")))?;
            ListTexts::Here("stdin".into(), text)
        } else {
            let files = archive::files(path);
            ListTexts::Files(
                files.map_err(|error| {
                    (3, ListError::Read { path: path.clone(), error }.to_string())
                })?,
            )
        };
        let scope = if arguments.subtree { ScopeChoice::Subtree } else { ScopeChoice::AsFormat };
        let category = (category, id.clone());
        let (format, licence) = (Format::Auto, None);
        let trusted = false;
        let action = ZoneAction::default();
        inputs.push(Input {
            place: 0,
            name,
            licence,
            category,
            format,
            scope,
            trusted,
            action,
            texts,
        });
    }
    for (source, licence) in &arguments.licences {
        let mut found = inputs.iter_mut().filter(|input| input.name == *source).peekable();
        if found.peek().is_none() {
            return Err((2, format!("`{source}` in --licence is none of the sources")));
        }
        found.for_each(|input| input.licence = Some(licence.clone()));
    }
    for source in &arguments.trusted {
        let mut found = inputs.iter_mut().filter(|input| input.name == *source).peekable();
        if found.peek().is_none() {
            return Err((2, format!("`{source}` in --trusted is none of the sources")));
        }
        found.for_each(|input| input.trusted = true);
    }
    for (place, input) in inputs.iter_mut().enumerate() {
        input.place = u16::try_from(place).map_err(|_| (2, "too many sources".into()))?;
    }
    Ok(inputs)
}

/// The last part of a path: a pack must never contain the directories of the build machine.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A category by its id.
fn category(taxonomy: &Taxonomy, id: &str) -> Result<CategoryId, CommandFailure> {
    taxonomy.find(id).ok_or_else(|| {
        let ids: Vec<&str> = taxonomy.iter().map(|(_, row)| row.id.as_str()).collect();
        (2, format!("`{id}` is not a category; it must be one of {}", ids.join(", ")))
    })
}

/// The text of keyword rules, after a check.
fn keywords(path: &Path, taxonomy: &Taxonomy) -> Result<String, CommandFailure> {
    let text = read::text(path)
        .map_err(|error| (3, format!("{}: cannot be read: {error}", path.display())))?;
    match KeywordRules::parse(&text, taxonomy) {
        Ok(_) => Ok(text),
        Err(mistakes) => {
            let shown = mistakes.iter().map(|m| m.render(&path.display().to_string(), &text));
            Err((3, shown.collect()))
        }
    }
}

/// Cores of the machine; 1 where unknown.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A progress bar on a terminal, and none elsewhere.
fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {msg}") {
        bar.set_style(style);
    }
    bar.set_message("reading");
    bar
}
