//! A museum of list disasters: accidents of public lists, each with a thread or a file that can be
//! had, rebuilt in small, and what the lint of a release and the rehearsal at a school say of them. `tests/disasters/README.md`
//! has the form of a case.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::releases::judged::names;
use crate::support::TWO_GROUPS;
use crate::support::gateway::LACHAN;

/// The number of true accidents that the museum must have.
const LEAST: usize = 12;
/// Seconds of a day.
const DAY: u64 = 86_400;

/// One accident: `case.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Disaster {
    /// The day on which it was seen, or the file was changed.
    date: toml::value::Datetime,
    /// The thread, release or file that tells of it.
    source: String,
    /// More of them.
    #[serde(default)]
    also: Vec<String>,
    what: String,
    /// The category of the list.
    category: String,
    /// How many names the list had before and after, where that is all that counts.
    names: Option<[usize; 2]>,
    /// The list stayed the same for so many days.
    days: Option<u64>,
    outcome: Outcome,
    /// Why it is no refusal.
    reason: Option<String>,
    /// Keys of findings.
    expected: BTreeSet<String>,
    /// Popular names that the rehearsal at a school would tell, had people accepted the release.
    #[serde(default)]
    rehearsed: BTreeSet<String>,
}

/// What becomes of a release with the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Outcome {
    /// It is refused for each of the findings.
    #[serde(rename = "refused")]
    Refused,
    /// The findings are told, and none refuses it.
    #[serde(rename = "noted")]
    Noted,
    /// The program takes no such rule: nothing more is blocked.
    #[serde(rename = "harmless")]
    Harmless,
    /// The lint does not see it.
    #[serde(rename = "missed")]
    Missed,
    /// No pack can be built of the list.
    #[serde(rename = "not built")]
    NotBuilt,
}

/// Runs the program: its exit code and what it printed.
fn lachan(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(LACHAN).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), if text.is_empty() { complaint } else { text })
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Every case, with its directory.
fn museum() -> Vec<(PathBuf, Disaster)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disasters");
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<(PathBuf, Disaster)> = entries
        .filter(|path| path.is_dir())
        .map(|path| {
            let text = fs::read_to_string(path.join("case.toml")).unwrap();
            let read = toml::from_str(&text);
            let case = read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, case)
        })
        .collect();
    cases.sort_by(|one, other| one.0.cmp(&other.0));
    cases
}

impl Disaster {
    /// Builds the pack of the list as it was, or as it became; what the program said against it.
    fn build(&self, case: &Path, work: &Path, when: usize) -> Result<PathBuf, String> {
        let name = ["before", "after"][when];
        let list = work.join(name).join("list.txt");
        fs::create_dir_all(list.parent().unwrap()).unwrap();
        let given = case.join(format!("{name}.txt"));
        let is_same = self.days.is_some() && when == 1;
        let given = if is_same { case.join("before.txt") } else { given };
        let content = match self.names {
            _ if given.exists() => fs::read_to_string(given).unwrap(),
            Some(count) => names(count[when]),
            None => panic!("{}: no {name}.txt and no names", case.display()),
        };
        fs::write(&list, content).unwrap();
        let pack = work.join(name).join("list.pack");
        let source = format!("{}={}", self.category, text(&list));
        let keywords = case.join(format!("keywords-{name}.txt"));
        // The build judges a pack by itself, and would refuse most of them first.
        let mut with = vec!["lists", "build", "--out", text(&pack), "--source", &source];
        with.extend(["--accept", "the museum: for the lint of the release"]);
        if keywords.exists() {
            with.extend(["--keywords", text(&keywords)]);
        }
        let (code, said) = lachan(&with);
        if code == 0 { Ok(pack) } else { Err(said) }
    }

    /// Replays the accident: what becomes of the release, the findings that say so, and the popular
    /// names of a school's rehearsal.
    fn replay(&self, case: &Path) -> (Outcome, BTreeSet<String>, BTreeSet<String>) {
        let work = tempfile::tempdir().unwrap();
        let work = work.path();
        let before = self.build(case, work, 0).unwrap();
        let Ok(after) = self.build(case, work, 1) else {
            return (Outcome::NotBuilt, BTreeSet::new(), BTreeSet::new());
        };
        let (outcome, found) = self.lint(case, (&before, &after), &work.join("data"));
        (outcome, found, self.rehearse((&before, &after), work))
    }

    /// What `lachan publish lint` says of the release.
    fn lint(
        &self,
        case: &Path,
        (before, after): (&Path, &Path),
        data: &Path,
    ) -> (Outcome, BTreeSet<String>) {
        // The release before, whose data files the next one goes on with.
        let (code, said) =
            lachan(&["publish", "lint", "--new", text(before), "--write", text(data)]);
        assert_eq!(code, 0, "{}: the list was no accident before: {said}", case.display());
        make_older(&data.join("sources.json"), self.days.unwrap_or(0));
        let (code, said) = lachan(&[
            "publish",
            "lint",
            "--old",
            text(before),
            "--new",
            text(after),
            "--data",
            text(data),
            "--json",
        ]);
        let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
        let findings = report["findings"].as_array().unwrap();
        let keys = |refuses: bool| {
            let of_it = findings.iter().filter(|one| one["refuses"].as_bool() == Some(refuses));
            of_it.map(|one| one["key"].as_str().unwrap().to_owned()).collect()
        };
        let (refusing, told): (BTreeSet<String>, BTreeSet<String>) = (keys(true), keys(false));
        assert_eq!(code == 3, !refusing.is_empty(), "{}: exit code {code}", case.display());
        if code == 3 {
            (Outcome::Refused, refusing)
        } else if !told.is_empty() {
            (Outcome::Noted, told)
        } else if blocked(before) == blocked(after) {
            (Outcome::Harmless, told)
        } else {
            (Outcome::Missed, told)
        }
    }

    /// The popular names that `lachan lists rehearse` tells at a school that blocks the category. No
    /// guarded name holds it up: a gateway makes such rules void.
    fn rehearse(&self, (before, after): (&Path, &Path), work: &Path) -> BTreeSet<String> {
        let mut blocked = vec![self.category.as_str(), "gambling"];
        blocked.dedup();
        let packs = format!("packs = \"{}\"", text(before.parent().unwrap()));
        let config = format!(
            "{TWO_GROUPS}\n[profile.pupils]\nlevel = \"lower-secondary\"\nblock = {blocked:?}\n\
             [profile.staff]\nlevel = \"staff\"\n[state]\ndir = \"{}/state\"\n",
            text(work)
        );
        let config = config.replace("starter = false", &format!("starter = false\n{packs}"));
        let config = config.replace("{dns}", "5353").replace("{admin}", "5380");
        let path = work.join("gateway.toml");
        fs::write(&path, config.replace("{upstream}", "9")).unwrap();
        let pack = text(after);
        let (code, said) =
            lachan(&["lists", "rehearse", text(&path), "--pack", pack, "--names", "--json"]);
        assert_eq!(code, 0, "{said}");
        let report: Value = serde_json::from_str(&said).unwrap();
        let rows = report["changes"].as_array().unwrap().iter();
        let rows = rows.filter(|row| row["set"] == "popular" && row["group"] == "pupils");
        let names = rows.filter_map(|row| row["names_blocked"].as_array()).flatten();
        names.map(|name| name.as_str().unwrap().to_owned()).collect()
    }
}

/// How many names and addresses a pack has.
fn blocked(pack: &Path) -> (Value, Value) {
    let (code, said) = lachan(&["lists", "inspect", text(pack), "--json"]);
    assert_eq!(code, 0, "{said}");
    let inspected: Value = serde_json::from_str(&said).unwrap();
    (inspected["names"].clone(), inspected["addresses"].clone())
}

/// Lets the sources of a release be the same for more days than they are.
fn make_older(path: &Path, days: u64) {
    let mut ages: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    for age in ages.as_object_mut().unwrap().values_mut() {
        age["since"] = (age["since"].as_u64().unwrap() - days * DAY).into();
    }
    fs::write(path, ages.to_string()).unwrap();
}

#[test]
fn every_case_says_what_it_is_and_where_to_read_of_it() {
    let cases = museum();
    let caught = cases.iter().filter(|(_, case)| case.outcome == Outcome::Refused).count();
    assert!(caught >= LEAST, "{caught}");
    for (path, case) in &cases {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&case.date.to_string()), "{name}: {}", case.date);
        for source in case.also.iter().chain([&case.source]) {
            assert!(source.starts_with("https://"), "{name}: {source}");
        }
        assert!(case.what.len() > 40, "{name}");
        let has_findings = matches!(case.outcome, Outcome::Refused | Outcome::Noted);
        assert_eq!(case.expected.is_empty(), !has_findings, "{name}");
        assert_eq!(case.reason.is_none(), case.outcome == Outcome::Refused, "{name}");
    }
}

#[test]
fn lint_and_rehearsal_say_of_each_accident_what_the_museum_says() {
    let wrong: Vec<String> = museum()
        .into_iter()
        .filter_map(|(path, case)| {
            let (outcome, found, rehearsed) = case.replay(&path);
            let is_right = outcome == case.outcome
                && (&found, &rehearsed) == (&case.expected, &case.rehearsed);
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (!is_right).then(|| format!("{name}: {outcome:?} {found:#?} {rehearsed:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
