//! List texts → rules in a compiler, each file bounded in memory, on some threads.
//!
//! Law: a file is accepted whole or refused whole. A refused file fails the whole reading, and the
//! compiler is dropped with the rules it has from it; all sources that fail are named, so that one
//! more reading does without them. Neither the order in which files are read nor the number of
//! threads may change the pack.

use std::cmp::Reverse;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::blocklist::{
    Example, Format, ListTarget, Parsed, ScopeChoice, ZoneAction, parse_pieces,
};
use crate::category::CategoryId;
use crate::lang::{Lang, messages};
use crate::load::kept::Objects;
use crate::load::lists::list_error::ListError;
use crate::pack::{BuildError, Compiler, FileNote, ListedNet, SourceNote, TargetedRule};
use crate::rule::{Action, Rule};
use crate::sys::archive;
use crate::sys::read;

/// Rejected lines that are shown to people.
const EXAMPLES: usize = 3;

/// A source to be read.
#[derive(Debug, Clone)]
pub struct Input {
    /// The number its rules get.
    pub place: u16,
    /// Its name in notes and logs.
    pub name: String,
    /// The licence of its names, where it is known.
    pub licence: Option<String>,
    /// The category of its names, and the category's id.
    pub category: (CategoryId, String),
    /// The syntax.
    pub format: Format,
    /// The scope of its names.
    pub scope: ScopeChoice,
    /// Whether its own answers are given; else such names are blocked.
    pub trusted: bool,
    /// What the triggers of a response policy zone do.
    pub action: ZoneAction,
    /// Its texts.
    pub texts: ListTexts,
}

impl Input {
    /// Octets of its texts, as far as they are known before they are read: those of files, packed as
    /// they are, and those in memory.
    pub(super) fn octets(&self) -> u64 {
        match &self.texts {
            ListTexts::Files(files) => {
                let length = |file: &PathBuf| read::metadata(file).map_or(0, |of| of.len());
                files.iter().map(length).sum()
            }
            ListTexts::Here(_, text) => text.len() as u64,
            ListTexts::Kept(..) => 0,
        }
    }

    /// Whether it is only that a directory has lost one of its files since it was listed.
    pub(super) fn is_lost(&self, error: &ListError) -> bool {
        let is_directory = matches!(&self.texts, ListTexts::Files(files) if files.len() > 1);
        let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        is_directory && matches!(error, ListError::Read { error, .. } if is_gone(error))
    }
}

/// The place of texts.
#[derive(Debug, Clone)]
pub enum ListTexts {
    /// In files, in this order.
    Files(Vec<PathBuf>),
    /// In memory, under this name.
    Here(PathBuf, Vec<u8>),
    /// Kept copies, each with its name and digest.
    Kept(Objects, Vec<(PathBuf, String)>),
}

/// Why no pack is made of list texts.
#[derive(Debug)]
pub enum ReadFailure {
    /// Sources that cannot be taken, by their places, in the order of the inputs.
    Sources(Vec<(u16, ListError)>),
    /// The table cannot hold the lists, or no pack of them can be used.
    Whole(ListError),
}

impl From<BuildError> for ReadFailure {
    fn from(error: BuildError) -> Self {
        Self::Whole(error.into())
    }
}

impl ReadFailure {
    /// The first error.
    fn first(self) -> ListError {
        match self {
            Self::Whole(error) => error,
            Self::Sources(failed) => failed.into_iter().next().map_or_else(
                || BuildError::Write(io::ErrorKind::Other.into()).into(),
                |(_, error)| error,
            ),
        }
    }
}

/// Progress of a reading: octets read so far, and octets in all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Reads all `inputs` into `compiler`, on `threads` threads.
///
/// # Errors
///
/// [`ListError`] for the first file, in the order of the inputs, that cannot be taken.
pub fn read_all(
    compiler: Compiler,
    inputs: &[Input],
    threads: usize,
    progress: Progress<'_>,
) -> Result<Compiler, ListError> {
    read_each(compiler, inputs, threads, progress, None).map_err(ReadFailure::first)
}

/// As [`read_all`], with every source that cannot be taken. Texts of files are held in `objects`:
/// what is adopted is what was read, whatever becomes of the file.
///
/// # Errors
///
/// [`ReadFailure`].
pub fn read_each(
    compiler: Compiler,
    inputs: &[Input],
    threads: usize,
    progress: Progress<'_>,
    objects: Option<&Objects>,
) -> Result<Compiler, ReadFailure> {
    let mut jobs = jobs(inputs);
    let total = jobs.iter().map(|job| job.size).sum();
    // The largest first, while the compiler holds least, and so that threads end together.
    jobs.sort_by_key(|job| Reverse(job.size));
    let reading = Reading {
        compiler: Mutex::new(compiler),
        next: AtomicUsize::new(0),
        done: Mutex::new(Vec::new()),
        octets: AtomicUsize::new(0),
        objects,
    };
    progress(0, total);
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| reading.work(inputs, &jobs, &|octets| progress(octets, total)));
        }
        reading.work(inputs, &jobs, &|octets| progress(octets, total));
    });
    let compiler = reading.compiler.into_inner().unwrap_or_else(PoisonError::into_inner);
    let done = reading.done.into_inner().unwrap_or_else(PoisonError::into_inner);
    noted(compiler, inputs, done)
}

/// One job a text, in the order of the inputs.
fn jobs(inputs: &[Input]) -> Vec<Job> {
    let mut jobs = Vec::new();
    let mut add = |input: usize, size: u64, text: JobText| {
        jobs.push(Job { input, order: jobs.len(), size, text });
    };
    for (place, input) in inputs.iter().enumerate() {
        match &input.texts {
            ListTexts::Files(files) => {
                for file in files {
                    let size = read::metadata(file).map_or(0, |metadata| metadata.len());
                    add(place, size, JobText::File(file.clone()));
                }
            }
            ListTexts::Here(_, text) => add(place, text.len() as u64, JobText::Here),
            ListTexts::Kept(_, texts) => {
                for (name, digest) in texts {
                    add(place, 0, JobText::Kept(name.clone(), digest.clone()));
                }
            }
        }
    }
    jobs
}

/// Adds the notes of all sources to the compiler, or returns the first error of each source.
fn noted(
    mut compiler: Compiler,
    inputs: &[Input],
    mut done: Vec<Done>,
) -> Result<Compiler, ReadFailure> {
    done.sort_by_key(|done| done.order);
    let mut notes: Vec<SourceNote> = Vec::new();
    let mut failed: Vec<(u16, ListError)> = Vec::new();
    for Done { input, files, .. } in done {
        let Some(input) = inputs.get(input) else { continue };
        let files = match files {
            Ok(files) => files,
            Err(ListError::Build(error)) => return Err(error.into()),
            Err(error) => {
                if !failed.iter().any(|(place, _)| *place == input.place) {
                    failed.push((input.place, error));
                }
                continue;
            }
        };
        // Several inputs may be one source: the lists that are compiled in.
        match notes.iter_mut().find(|note| note.place == input.place) {
            Some(note) => note.files.extend(files),
            None => notes.push(SourceNote {
                place: input.place,
                name: input.name.clone(),
                category: input.category.1.clone(),
                licence: input.licence.clone(),
                trusted: input.trusted,
                files,
                ..SourceNote::default()
            }),
        }
    }
    if !failed.is_empty() {
        return Err(ReadFailure::Sources(failed));
    }
    for note in notes {
        compiler.note(note);
    }
    Ok(compiler)
}

/// One file or text.
struct Job {
    input: usize,
    order: usize,
    size: u64,
    text: JobText,
}

/// The place of one text.
enum JobText {
    File(PathBuf),
    /// The text of the input.
    Here,
    /// A kept copy of this name and digest.
    Kept(PathBuf, String),
}

struct Done {
    input: usize,
    order: usize,
    files: Result<Vec<FileNote>, ListError>,
}

struct Reading<'a> {
    compiler: Mutex<Compiler>,
    next: AtomicUsize,
    done: Mutex<Vec<Done>>,
    octets: AtomicUsize,
    /// Takes the texts of files.
    objects: Option<&'a Objects>,
}

impl Reading<'_> {
    /// Takes one job after the other.
    fn work(&self, inputs: &[Input], jobs: &[Job], progress: &dyn Fn(u64)) {
        while let Some(job) = jobs.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let Some(input) = inputs.get(job.input) else { continue };
            let files = self.job(input, job);
            let read = self.octets.fetch_add(job.size as usize, Ordering::Relaxed);
            progress(read as u64 + job.size);
            let done = Done { input: job.input, order: job.order, files };
            self.done.lock().unwrap_or_else(PoisonError::into_inner).push(done);
        }
    }

    fn job(&self, input: &Input, job: &Job) -> Result<Vec<FileNote>, ListError> {
        let mut notes = Vec::new();
        let mut failed = None;
        let mut take = |path: PathBuf, text: &[u8]| {
            if failed.is_none() {
                match self.text(input, &path, text) {
                    Ok(note) => notes.push(note),
                    Err(error) => failed = Some(error),
                }
            }
        };
        match (&job.text, &input.texts) {
            (JobText::File(file), _) => {
                let read = archive::each_text(file, |path, text| take(path, &text));
                let read = read.map_err(|error| ListError::Read { path: file.clone(), error });
                match read {
                    Err(error) if !input.is_lost(&error) => return Err(error),
                    _ => {}
                }
            }
            (JobText::Kept(name, digest), ListTexts::Kept(objects, _)) => {
                let text = objects.read(digest).and_then(|text| {
                    text.ok_or_else(|| io::Error::other("its kept copy is damaged"))
                });
                let unread = |error| ListError::Read { path: name.clone(), error };
                let text = text.map_err(unread)?;
                take(name.clone(), &text);
            }
            (_, ListTexts::Here(name, text)) => take(name.clone(), text),
            (_, ListTexts::Files(_) | ListTexts::Kept(..)) => {}
        }
        failed.map_or(Ok(notes), Err)
    }

    fn compiler(&self) -> MutexGuard<'_, Compiler> {
        self.compiler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The digest of a text, which is held if it is of a file.
    fn digest(&self, input: &Input, text: &[u8]) -> String {
        let objects = self.objects.filter(|_| matches!(input.texts, ListTexts::Files(_)));
        objects.map_or_else(|| Objects::digest(text), |objects| objects.hold(text))
    }

    /// Parses one text and adds its rules.
    fn text(&self, input: &Input, path: &Path, text: &[u8]) -> Result<FileNote, ListError> {
        let mut failed = Ok(());
        let parsed = parse_pieces(text, input.format, input.scope, &mut |piece| {
            if failed.is_ok() {
                failed = add(&mut self.compiler(), input, piece);
            }
        });
        failed?;
        parsed.verdict().map_err(|why| ListError::Refused { path: path.to_owned(), why })?;
        let example = |e: &Example| {
            messages::list_example(e.line, &e.text, e.reject.message()).in_lang(Lang::En)
        };
        let both = parsed.examples.iter().chain(&parsed.ignored_examples);
        Ok(FileNote {
            name: path.display().to_string(),
            format: parsed.format.id().to_owned(),
            lines: parsed.lines,
            rules: parsed.rule_count() as u64,
            rejects: parsed.rejects.iter().map(|(r, n)| (r.id().to_owned(), *n)).collect(),
            answers: if input.trusted || input.action != ZoneAction::Given {
                0
            } else {
                parsed.answers()
            },
            examples: both.take(EXAMPLES).map(example).collect(),
            digest: self.digest(input, text),
        })
    }
}

/// Adds the rules of a piece. Local data, addresses and targets come with the last piece only.
fn add(compiler: &mut Compiler, input: &Input, piece: &Parsed) -> Result<(), BuildError> {
    let (category, source) = (input.category.0, input.place);
    // The numbers of one file start at 0; all files share one table.
    let answers = input.trusted && input.action == ZoneAction::Given;
    let base = if piece.data.is_empty() || !answers {
        0
    } else {
        compiler.add_local(piece.data.clone())?
    };
    let place = |given| match input.action.apply(given) {
        // A third party's list blocks, and does not answer.
        Some(Action::Local(_)) if !answers => Ok(Some(Action::Default)),
        // Nor does it speak for other categories than its own.
        Some(Action::Passthru) if input.trusted => Ok(Some(Action::PassthruAll)),
        Some(Action::Local(number)) => {
            base.checked_add(number).map(Action::Local).map(Some).ok_or(BuildError::TooManyRules)
        }
        action => Ok(action),
    };
    for rule in piece.rules() {
        let (scope, effect) = (rule.scope, rule.effect);
        if let Some(action) = place(rule.action)? {
            compiler.add(rule.name, Rule { category, scope, effect, action, source })?;
        }
    }
    for rule in &piece.addresses {
        let (net, effect) = (rule.net, rule.effect);
        if let Some(action) = place(rule.action)? {
            compiler.add_address(ListedNet { net, category, effect, action, source });
        }
    }
    for ListTarget { target, scope, effect, action, .. } in &piece.targets {
        if let Some(action) = place(*action)? {
            let rule = Rule { category, scope: *scope, effect: *effect, action, source };
            compiler.add_target(TargetedRule { target: target.clone(), rule });
        }
    }
    Ok(())
}
