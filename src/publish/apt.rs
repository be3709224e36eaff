//! The packages that officers signed as a signed apt repository, by reprepro.
//!
//! ```text
//! targets `programs/…` ▶ octets that are what was signed ▶ reprepro ▶ DIRECTORY/pool
//!            the host's gpg key ▶ .reprepro/dists, compared with what is signed ▶ DIRECTORY/dists
//!                               ▶ lachan.asc, lachan.sources
//! ```
//!
//! Laws: no index is served before each package in it is compared with what officers signed; what they sign no
//! more is in no index after the next run, and in no pool, be it the last one. A gateway believes none of it: `lachan upgrade` compares octets with what
//! people signed, whatever the key of this repository says.
//!
//! A suite of reprepro has one version of a package: `stable` is the one that the rollout's last ring runs,
//! `testing` the newest that is signed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use semver::Version;
use url::Url;

use super::error::PublishError;
use super::rollout::{SignedProgram, current, signed_programs};
use super::trust::repository::Repository;
use crate::lang::messages;
use crate::release::program::own_architecture;
use crate::sys::command::deb::{PackageFault, refuse_other};
use crate::sys::command::{CommandFault, LONG, SHORT, SystemCommand};
use crate::sys::read;

/// What is written.
#[derive(Debug)]
pub struct AptPublication<'a> {
    /// The directory that a web server carries.
    pub to: &'a Path,
    /// The key of gpg that signs: an id, a fingerprint or a mail address; the only one by default.
    pub key: Option<&'a str>,
    /// Where schools find it.
    pub url: &'a Url,
    /// The name of the department, for people.
    pub origin: &'a str,
}

/// A suite, and the version that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AptSuite {
    /// Its name.
    pub name: &'static str,
    /// The version.
    pub version: String,
}

/// Where reprepro keeps its own files, in the directory.
const OWN: &str = ".reprepro";
/// Indexes in the making, in that directory: the same file system as their place.
const MADE: &str = "dists.new";
/// The indexes before them, until those have their place.
const BEFORE: &str = "dists.old";
/// Indexes.
const DISTS: &str = "dists";
/// The component.
const COMPONENT: &str = "main";
/// The exported key.
const KEY: &str = "lachan.asc";
/// The deb822 source of schools.
const SOURCES: &str = "lachan.sources";
/// The most octets of an index.
const MAX_INDEX: u64 = 16 << 20;

/// Makes or refreshes an apt repository of what officers signed; the suites.
///
/// # Errors
///
/// [`PublishError`]: reprepro or the key is missing, nothing is signed (what was published is out then), or a
/// package is damaged. The indexes before are served on where new ones cannot be made or compared.
pub fn publish(
    repository: &Repository,
    publication: &AptPublication<'_>,
) -> Result<Vec<AptSuite>, PublishError> {
    for program in ["reprepro", "gpg", "dpkg-deb"] {
        let version = SystemCommand::new(program, SHORT).args(["--version"]).output();
        if version.is_err_and(|fault| fault.is_absent()) {
            return Err(PublishError::Told(messages::apt_no_program(program)));
        }
    }
    let key = key(publication.key)?;
    let programs = signed_programs(repository)?;
    let last = current(repository)?.and_then(|rollout| rollout.rings.last()?.program.clone());
    let suites = suites(&programs, last.as_deref());
    let own = publication.to.join(OWN);
    let distributions = own.join("conf/distributions");
    // Where something was published, what was withdrawn goes out, the last one too.
    if suites.is_empty() && !distributions.exists() {
        return Err(PublishError::Told(messages::apt_nothing_signed()));
    }
    let scratch = own.join("incoming");
    let _ = fs::remove_dir_all(&scratch);
    for directory in [own.join("conf"), scratch.clone()] {
        fs::create_dir_all(&directory).map_err(|error| of_file(&directory, error))?;
    }
    let wanted: BTreeSet<&str> = suites.iter().map(|suite| suite.version.as_str()).collect();
    let wanted: Vec<&SignedProgram> =
        programs.iter().filter(|one| wanted.contains(one.package.version.as_str())).collect();
    let files = unpacked(repository, &wanted, &scratch)?;
    let text = distributions_of(&programs, publication.origin, &key);
    fs::write(&distributions, text).map_err(|error| of_file(&distributions, error))?;
    let reprepro = Reprepro::new(&own, publication.to)?;
    // An architecture that nobody signs any more stops all else.
    reprepro.change(&["--delete", "clearvanished"])?;
    for name in [STABLE, TESTING] {
        reprepro.change(&["removefilter", name, "Package (% *)"])?;
        let version = suites.iter().find(|suite| suite.name == name);
        let version = version.map(|suite| suite.version.as_str());
        for (_, file) in
            files.iter().filter(|(one, _)| Some(one.package.version.as_str()) == version)
        {
            reprepro.change(&["includedeb", name, &file.display().to_string()])?;
        }
    }
    let _ = fs::remove_dir_all(&scratch);
    let made = own.join(MADE);
    let _ = fs::remove_dir_all(&made);
    let place = std::path::absolute(&made).map_err(|error| of_file(&made, error))?;
    reprepro.run(&["--distdir", &place.display().to_string(), "export"])?;
    refuse_unsigned(&made, &programs)?;
    replace(&publication.to.join(DISTS), &made, &own.join(BEFORE))?;
    reprepro.run(&["deleteunreferenced"])?;
    for_schools(publication, &key)?;
    if suites.is_empty() {
        return Err(PublishError::Told(messages::apt_all_withdrawn(publication.to.display())));
    }
    Ok(suites)
}

/// Puts indexes in the place of those before, in one step where the file system can (renameat2(2)). Where it
/// cannot, a client that asks between two renames finds none, and asks again.
fn replace(dists: &Path, made: &Path, before: &Path) -> Result<(), PublishError> {
    let _ = fs::remove_dir_all(before);
    if renameat_with(CWD, made, CWD, dists, RenameFlags::EXCHANGE).is_ok() {
        let _ = fs::remove_dir_all(made);
        return Ok(());
    }
    if dists.exists() {
        fs::rename(dists, before).map_err(|error| of_file(dists, error))?;
    }
    if let Err(error) = fs::rename(made, dists) {
        let _ = fs::rename(before, dists);
        return Err(of_file(dists, error));
    }
    let _ = fs::remove_dir_all(before);
    Ok(())
}

/// The suite of the version that the last ring runs.
const STABLE: &str = "stable";
/// The suite of the newest version.
const TESTING: &str = "testing";

/// The suites of what is signed.
fn suites(programs: &[SignedProgram], last: Option<&str>) -> Vec<AptSuite> {
    let versions: BTreeSet<&str> =
        programs.iter().map(|one| one.package.version.as_str()).collect();
    let Some(newest) = versions.iter().max_by_key(|version| order(version)) else {
        return Vec::new();
    };
    let stable = last.filter(|version| versions.contains(version)).unwrap_or(newest);
    let suite = |name, version: &str| AptSuite { name, version: version.to_owned() };
    vec![suite(STABLE, stable), suite(TESTING, newest)]
}

/// The order of versions `MAJOR.MINOR.PATCH-REVISION`; dpkg's is that of revisions that are numbers.
fn order(version: &str) -> (Option<Version>, u64, String) {
    let (number, revision) = version.split_once('-').unwrap_or((version, ""));
    let revision_number = revision.parse().unwrap_or(0);
    (Version::parse(number).ok(), revision_number, revision.to_owned())
}

/// The fingerprint of the key that signs: one that is named, or the only one.
fn key(wanted: Option<&str>) -> Result<String, PublishError> {
    let list = ["--batch", "--with-colons", "--list-secret-keys"];
    let all = gpg(&list).map_err(|fault| PublishError::Told(messages::apt_gpg(fault)))?;
    let listed = match wanted {
        None => all,
        // gpg fails where it has no such key; that it works was seen just now.
        Some(wanted) => gpg(&[&list[..], &["--", wanted]].concat()).unwrap_or_default(),
    };
    let keys = secret_keys(&String::from_utf8_lossy(&listed));
    match (keys.as_slice(), wanted) {
        ([one], _) => Ok(one.clone()),
        ([], Some(wanted)) => Err(PublishError::Told(messages::apt_no_such_key(wanted))),
        ([], None) => Err(PublishError::Told(messages::apt_no_key())),
        (many, _) => Err(PublishError::Told(messages::apt_many_keys(many.join(", ")))),
    }
}

/// What gpg writes.
fn gpg(arguments: &[&str]) -> Result<Vec<u8>, CommandFault> {
    SystemCommand::new("gpg", LONG).args(arguments).output()
}

/// The fingerprints of secret keys in the colons format of gpg.
fn secret_keys(listed: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut is_primary = false;
    for line in listed.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.first() {
            Some(&"sec") => is_primary = true,
            Some(&"ssb") => is_primary = false,
            Some(&"fpr") if is_primary => {
                keys.extend(fields.get(9).map(|fingerprint| (*fingerprint).to_owned()));
                is_primary = false;
            }
            _ => {}
        }
    }
    keys
}

/// Writes packages to a directory, each of which is what officers signed, and what its control file says.
fn unpacked<'a>(
    repository: &Repository,
    programs: &[&'a SignedProgram],
    to: &Path,
) -> Result<Vec<(&'a SignedProgram, PathBuf)>, PublishError> {
    let mut files = Vec::new();
    for program in programs {
        let package = &program.package;
        let octets = repository.target("targets", &package.target())?;
        let octets = octets.unwrap_or_default();
        let file = to.join(package.file_name());
        fs::write(&file, octets).map_err(|error| of_file(&file, error))?;
        refuse_other(&file, package).map_err(|fault| match fault {
            PackageFault::Other { wanted, found } => {
                PublishError::Told(messages::apt_other_package(wanted, found))
            }
            fault => PublishError::Refused(fault.to_string()),
        })?;
        files.push((*program, file));
    }
    Ok(files)
}

/// The text of reprepro's `distributions`.
fn distributions_of(programs: &[SignedProgram], origin: &str, key: &str) -> String {
    let mut architectures: BTreeSet<&str> =
        programs.iter().map(|one| one.package.architecture.as_str()).collect();
    if architectures.is_empty() {
        // reprepro has no suite without one, though nothing be in it.
        architectures.insert(own_architecture());
    }
    let architectures = architectures.into_iter().collect::<Vec<_>>().join(" ");
    // One line: a name with a line break would be another field.
    let origin: String = origin.chars().filter(|one| !one.is_control()).collect();
    let suite = |name: &str, more: &str| {
        format!(
            "Origin: {origin}\nLabel: lachan\nSuite: {name}\nCodename: {name}\n\
             Architectures: {architectures}\nComponents: {COMPONENT}\n\
             Description: the programs that officers signed\nSignWith: {key}\n{more}"
        )
    };
    // A version that not all schools run yet is taken where it is asked for by name.
    let testing = suite(TESTING, "NotAutomatic: yes\n");
    format!("{}\n{testing}", suite(STABLE, ""))
}

/// reprepro with its own files apart from what is served.
struct Reprepro {
    own: String,
    to: String,
}

impl Reprepro {
    fn new(own: &Path, to: &Path) -> Result<Self, PublishError> {
        let to = std::path::absolute(to).map_err(|error| of_file(to, error))?;
        Ok(Self { own: own.display().to_string(), to: to.display().to_string() })
    }

    fn run(&self, arguments: &[&str]) -> Result<(), PublishError> {
        let all = ["--silent", "--basedir", &self.own, "--outdir", &self.to];
        let ended = SystemCommand::new("reprepro", LONG).args(all).args(arguments).output();
        ended.map(drop).map_err(|fault| refused(&fault))
    }

    /// Changes what it knows; no index and no file that an index names is touched.
    fn change(&self, arguments: &[&str]) -> Result<(), PublishError> {
        self.run(&[&["--export=silent-never", "--keepunreferencedfiles"][..], arguments].concat())
    }
}

/// Refuses indexes with a package that officers did not sign.
fn refuse_unsigned(dists: &Path, programs: &[SignedProgram]) -> Result<(), PublishError> {
    let signed: BTreeSet<&str> = programs.iter().map(|one| one.sha256.as_str()).collect();
    for index in indexes(dists).map_err(|error| of_file(dists, error))? {
        let text = read::octets(&index, MAX_INDEX).map_err(|error| of_file(&index, error))?;
        let text = String::from_utf8_lossy(&text);
        let digests = text.lines().filter_map(|line| line.strip_prefix("SHA256: "));
        let count = text.lines().filter(|line| line.starts_with("Package: ")).count();
        let digests: Vec<&str> = digests.collect();
        if digests.len() != count || digests.iter().any(|digest| !signed.contains(digest)) {
            return Err(PublishError::Told(messages::apt_unsigned(index.display())));
        }
    }
    Ok(())
}

/// All files `Packages` below a directory, of whatever suite and architecture.
fn indexes(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(indexes(&entry.path())?);
        } else if entry.file_name() == "Packages" {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Writes the key and the source that schools copy.
fn for_schools(publication: &AptPublication<'_>, key: &str) -> Result<(), PublishError> {
    let exported =
        gpg(&["--batch", "--armor", "--export", key]).map_err(|fault| refused(&fault))?;
    let source = format!(
        "# To /etc/apt/sources.list.d/{SOURCES}, and {KEY} to /etc/apt/keyrings/{KEY}.\n\
         Types: deb\nURIs: {}\nSuites: {STABLE} {TESTING}\nComponents: {COMPONENT}\n\
         Signed-By: /etc/apt/keyrings/{KEY}\n",
        publication.url
    );
    for (name, octets) in [(KEY, exported.as_slice()), (SOURCES, source.as_bytes())] {
        let path = publication.to.join(name);
        fs::write(&path, octets).map_err(|error| of_file(&path, error))?;
    }
    Ok(())
}

fn of_file(path: &Path, error: io::Error) -> PublishError {
    PublishError::File { path: path.to_owned(), error }
}

fn refused(fault: &CommandFault) -> PublishError {
    PublishError::Refused(fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::program::ProgramPackage;

    fn program(version: &str) -> SignedProgram {
        let name = format!("lachan_{version}_amd64.deb");
        let package = ProgramPackage::of_file(&name).unwrap();
        SignedProgram { package, sha256: String::new(), octets: 1 }
    }

    #[test]
    fn stable_is_what_the_last_ring_runs_and_testing_the_newest() {
        let programs = ["0.9.0", "0.10.0-2", "0.10.0-10"].map(program);
        let found = |last| {
            let suites = suites(&programs, last);
            suites.into_iter().map(|suite| suite.version).collect::<Vec<_>>()
        };
        assert_eq!(found(Some("0.9.0")), ["0.9.0", "0.10.0-10"]);
        assert_eq!(found(None), ["0.10.0-10", "0.10.0-10"]);
        assert_eq!(found(Some("7.0.0")), ["0.10.0-10", "0.10.0-10"], "nobody signed it");
        assert!(suites(&[], None).is_empty());
    }

    #[test]
    fn indexes_take_the_place_of_those_before_and_nothing_else_stays() {
        let scratch = tempfile::tempdir().unwrap();
        let [dists, made, before] = [DISTS, MADE, BEFORE].map(|name| scratch.path().join(name));
        for content in ["one", "two"] {
            fs::create_dir(&made).unwrap();
            fs::write(made.join("Release"), content).unwrap();
            replace(&dists, &made, &before).unwrap();
            assert_eq!(fs::read_to_string(dists.join("Release")).unwrap(), content);
            assert!(!made.exists() && !before.exists());
        }
    }

    #[test]
    fn a_key_is_its_primary_fingerprint() {
        let listed = "sec:u:255:22:AA:1::::::::::\nfpr:::::::::F1:\ngrp:::::::::G:\n\
            ssb:u:255:18:BB:1::::::\nfpr:::::::::F2:\nsec:u:1:1:CC:\nfpr:::::::::F3:\n";
        assert_eq!(secret_keys(listed), ["F1", "F3"]);
        let text = distributions_of(&[program("0.1.0")], "Sở\nSignWith: no", "F1");
        assert_eq!(text.lines().filter(|line| line.starts_with("SignWith: ")).count(), 2, "{text}");
        assert!(text.contains("SignWith: F1") && text.contains("Architectures: amd64"), "{text}");
    }
}
