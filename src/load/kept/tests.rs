//! What is kept on a disk that cannot be read for a moment.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{DIRECTORY, Kept, KeptSource, Objects, Origins, find, look_again};
use crate::lang::Lang;
use crate::sys::state_dir::StateDir;

const LIST: &[u8] = b"bad.example\n";
const CALENDAR: &[u8] = b"BEGIN:VCALENDAR\n";

/// A school with a list and a calendar.
struct School {
    dir: tempfile::TempDir,
    state: StateDir,
}

impl School {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::at(dir.path().join("state")).unwrap();
        fs::write(dir.path().join("list.txt"), LIST).unwrap();
        Self { dir, state }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The generation as the next process finds it.
    fn found(&self) -> Kept {
        find(&self.path("gateway.toml"), "dir = \"state\"")
    }

    /// Keeps what is in force; `left_out` is what cannot be used.
    fn keep(&self, kept: &mut Kept, left_out: &[&str]) -> Result<(), String> {
        self.keep_at(Some(&self.state), kept, left_out)
    }

    /// The same, in this state directory.
    fn keep_at(
        &self,
        state: Option<&StateDir>,
        kept: &mut Kept,
        left_out: &[&str],
    ) -> Result<(), String> {
        let (config, calendar) = (self.path("gateway.toml"), self.path("exams.ics"));
        let source = KeptSource {
            path: self.path("list.txt"),
            rules: 1,
            texts: vec![(self.path("list.txt"), Objects::digest(LIST))],
            ..KeptSource::default()
        };
        let of = |name: &str, one: &[u8]| {
            if left_out.contains(&name) { &b"torn"[..] } else { one }.to_vec()
        };
        let torn = of("exams.ics", CALENDAR);
        let origins = Origins {
            config: &config,
            school: "one",
            texts: vec![(&config, b"dir = \"state\""), (&calendar, &torn)],
            sources: if left_out.contains(&"list.txt") {
                &[]
            } else {
                std::slice::from_ref(&source)
            },
            sealed: Vec::new(),
            pack: None,
            unenrolled: Vec::new(),
            left_out: left_out.iter().map(|name| self.path(name)).collect(),
        };
        let texts_of = |_: &KeptSource, take: &mut dyn FnMut(&[u8])| take(LIST);
        kept.keep(state, origins, texts_of).map_err(|error| error.to_string())
    }

    /// Every file that is kept, with its octets.
    fn files(&self) -> BTreeSet<(PathBuf, Vec<u8>)> {
        let kept = self.state.join(DIRECTORY);
        let both = [kept.join("objects"), kept].map(|place| fs::read_dir(place).unwrap());
        let files = both.into_iter().flatten().map(|entry| entry.unwrap().path());
        files
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect()
    }
}

/// A file that cannot be read: a directory is in its place until this is undone.
struct Fault {
    path: PathBuf,
    aside: PathBuf,
}

impl Fault {
    fn at(path: &Path) -> Self {
        let (path, aside) = (path.to_owned(), path.with_extension("aside"));
        fs::rename(&path, &aside).unwrap();
        fs::create_dir(&path).unwrap();
        Self { path, aside }
    }

    fn undo(self) {
        fs::remove_dir(&self.path).unwrap();
        fs::rename(self.aside, self.path).unwrap();
    }
}

#[test]
fn a_manifest_that_cannot_be_read_is_left_alone_and_taken_up_when_it_can() {
    let school = School::new();
    let (config, calendar) = (school.path("gateway.toml"), school.path("exams.ics"));
    school.keep(&mut Kept::default(), &[]).unwrap();
    let before = school.files();
    assert_eq!(before.len(), 4);
    let manifest = school.state.join(DIRECTORY).join("current.json");
    let fault = Fault::at(&manifest);
    let during = school.files();
    let mut kept = school.found();
    assert!(kept.is_unread() && !kept.is_of(&config));
    // Nobody knows whether an empty file is a lost one.
    let said = kept.whole(&config, String::new()).unwrap_err().to_string();
    assert!(said.contains(manifest.to_str().unwrap()), "{said}");
    assert_eq!(kept.whole(&config, "text".into()).unwrap(), "text");
    for _ in 0..2 {
        let said = school.keep(&mut kept, &["list.txt"]).unwrap_err();
        assert!(said.contains(manifest.to_str().unwrap()), "{said}");
        assert!(!kept.is_on_disk() && !look_again(&mut kept, &config, "dir = \"state\"", None));
    }
    assert_eq!(school.files(), during, "a disk that cannot be read is written to");
    // What is in force stands in meanwhile, from memory.
    assert_eq!(kept.text(&calendar).unwrap().as_bytes(), CALENDAR);
    fault.undo();
    assert!(school.keep(&mut kept, &["list.txt"]).is_err(), "replaced before it was taken up");
    assert!(look_again(&mut kept, &config, "dir = \"state\"", Some("one")) && !kept.is_unread());
    assert!(kept.source(&school.path("list.txt")).is_some());
    school.keep(&mut kept, &[]).unwrap();
    assert!(kept.is_on_disk());
    assert_eq!(school.files(), before);
    // That of another school is none of this one.
    let fault = Fault::at(&manifest);
    let mut kept = school.found();
    fault.undo();
    assert!(!look_again(&mut kept, &config, "dir = \"state\"", Some("other")));
    assert!(!kept.is_unread() && kept.source(&school.path("list.txt")).is_none());
}

#[test]
fn what_is_kept_of_a_file_that_is_left_out_stays() {
    let school = School::new();
    let list = school.path("list.txt");
    school.keep(&mut Kept::default(), &[]).unwrap();
    let before = school.files();
    let object = school.state.join(DIRECTORY).join("objects").join(Objects::digest(LIST));
    let fault = Fault::at(&object);
    let mut kept = school.found();
    let copy = kept.source(&list).unwrap().clone();
    assert!(kept.objects().read(&copy.texts[0].1).is_err() && !kept.can_be_read(&copy));
    let said = kept.unread_of(&list).unwrap().in_lang(Lang::En);
    assert!(said.contains(object.to_str().unwrap()), "{said}");
    school.keep(&mut kept, &["list.txt", "exams.ics"]).unwrap();
    assert!(!kept.is_on_disk(), "what cannot be read is not said to be kept");
    fault.undo();
    assert_eq!(school.files(), before, "what was kept is lost");
    assert!(kept.can_be_read(&copy) && kept.is_on_disk() && kept.unread_of(&list).is_none());
    assert_eq!(school.found().text(&school.path("exams.ics")).unwrap().as_bytes(), CALENDAR);
    // What is no longer in the config goes.
    school.keep(&mut kept, &[]).unwrap();
    kept.forget();
    school.keep(&mut kept, &["list.txt"]).unwrap();
    assert_eq!(school.files().len(), before.len() - 1);
}

#[test]
fn what_is_kept_on_a_disk_that_is_away_for_a_moment_is_not_lost() {
    let school = School::new();
    let (mut kept, list) = (Kept::default(), school.path("list.txt"));
    school.keep(&mut kept, &[]).unwrap();
    let fault =
        Fault::at(&school.state.join(DIRECTORY).join("objects").join(Objects::digest(LIST)));
    // No state directory can be opened, and what is in it cannot be carried over.
    assert!(school.keep_at(None, &mut kept, &["list.txt"]).is_err());
    assert!(kept.source(&list).is_some() && !kept.is_on_disk());
    fault.undo();
    school.keep(&mut kept, &[]).unwrap();
    assert!(kept.source(&list).is_some() && kept.is_on_disk());
}

#[test]
fn a_text_that_was_emptied_is_lost_where_its_kept_copy_cannot_be_read() {
    let school = School::new();
    let calendar = school.path("exams.ics");
    school.keep(&mut Kept::default(), &[]).unwrap();
    let object = school.state.join(DIRECTORY).join("objects").join(Objects::digest(CALENDAR));
    let fault = Fault::at(&object);
    let kept = school.found();
    let said = kept.whole(&calendar, "\n".into()).unwrap_err().to_string();
    assert!(said.contains("was not") && said.contains(object.to_str().unwrap()), "{said}");
    assert!(kept.whole(&school.path("other"), String::new()).is_ok());
    fault.undo();
    assert_eq!(kept.text(&calendar).unwrap().as_bytes(), CALENDAR);
}

#[test]
fn an_object_that_has_rotted_is_written_anew_at_the_first_look_of_a_life() {
    let school = School::new();
    school.keep(&mut Kept::default(), &[]).unwrap();
    let before = school.files();
    for digest in [LIST, CALENDAR].map(Objects::digest) {
        let object = school.state.join(DIRECTORY).join("objects").join(digest);
        let length = fs::metadata(&object).unwrap().len();
        fs::write(&object, vec![0; length as usize]).unwrap();
    }
    assert_ne!(school.files(), before);
    let mut kept = school.found();
    school.keep(&mut kept, &[]).unwrap();
    assert!(kept.is_on_disk());
    assert_eq!(school.files(), before);
}
