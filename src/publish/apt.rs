//! The packages that officers signed as a signed apt repository, by reprepro.
//!
//! ```text
//! targets `programs/…` ▶ octets that are what was signed ▶ reprepro ▶ DIRECTORY/dists, pool
//!                                    the host's gpg key ▶ InRelease, lachan.asc, lachan.sources
//! ```
//!
//! Laws: nothing gets in but what officers signed, and each index is compared with that at the end; what
//! officers sign no more goes out. A gateway believes none of it: `lachan upgrade` compares octets with what
//! people signed, whatever the key of this repository says.
//!
//! A suite of reprepro has one version of a package: `stable` is the one that the rollout's last ring runs,
//! `testing` the newest that is signed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use semver::Version;
use url::Url;

use super::error::PublishError;
use super::rollout::{SignedProgram, current, signed_programs};
use super::trust::repository::Repository;
use crate::lang::messages;
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
/// [`PublishError`]: reprepro or the key is missing, nothing is signed, or a package is damaged.
pub fn publish(
    repository: &Repository,
    publication: &AptPublication<'_>,
) -> Result<Vec<AptSuite>, PublishError> {
    for program in ["reprepro", "gpg", "dpkg-deb"] {
        if Command::new(program).arg("--version").output().is_err() {
            return Err(PublishError::Told(messages::apt_no_program(program)));
        }
    }
    let key = key(publication.key)?;
    let programs = signed_programs(repository)?;
    let last = current(repository)?.and_then(|rollout| rollout.rings.last()?.program.clone());
    let suites = suites(&programs, last.as_deref());
    if suites.is_empty() {
        return Err(PublishError::Told(messages::apt_nothing_signed()));
    }
    let own = publication.to.join(OWN);
    let scratch = own.join("incoming");
    let _ = fs::remove_dir_all(&scratch);
    for directory in [own.join("conf"), scratch.clone()] {
        fs::create_dir_all(&directory).map_err(|error| of_file(&directory, error))?;
    }
    let wanted: BTreeSet<&str> = suites.iter().map(|suite| suite.version.as_str()).collect();
    let wanted: Vec<&SignedProgram> =
        programs.iter().filter(|one| wanted.contains(one.package.version.as_str())).collect();
    let files = unpacked(repository, &wanted, &scratch)?;
    let distributions = own.join("conf/distributions");
    let text = distributions_of(&programs, publication.origin, &key);
    fs::write(&distributions, text).map_err(|error| of_file(&distributions, error))?;
    let reprepro = Reprepro { own: &own, to: publication.to };
    for name in [STABLE, TESTING] {
        reprepro.run(&["removefilter", name, "Package (% *)"])?;
        let version = suites.iter().find(|suite| suite.name == name);
        let version = version.map(|suite| suite.version.as_str());
        for (_, file) in
            files.iter().filter(|(one, _)| Some(one.package.version.as_str()) == version)
        {
            reprepro.run(&["includedeb", name, &file.display().to_string()])?;
        }
    }
    reprepro.run(&["export"])?;
    reprepro.run(&["deleteunreferenced"])?;
    let _ = fs::remove_dir_all(&scratch);
    refuse_unsigned(publication.to, &programs)?;
    for_schools(publication, &key)?;
    Ok(suites)
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
    let mut arguments = vec!["--batch", "--with-colons", "--list-secret-keys"];
    arguments.extend(wanted.map(|_| "--"));
    arguments.extend(wanted);
    let listed = output("gpg", &arguments).unwrap_or_default();
    let keys = secret_keys(&String::from_utf8_lossy(&listed));
    match (keys.as_slice(), wanted) {
        ([one], _) => Ok(one.clone()),
        ([], Some(wanted)) => Err(PublishError::Told(messages::apt_no_such_key(wanted))),
        ([], None) => Err(PublishError::Told(messages::apt_no_key())),
        (many, _) => Err(PublishError::Told(messages::apt_many_keys(many.join(", ")))),
    }
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

/// Writes packages to a directory, each of which is what officers signed and says so itself.
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
        let file = to.join(format!("lachan_{}_{}.deb", package.version, package.architecture));
        fs::write(&file, octets).map_err(|error| of_file(&file, error))?;
        let path = file.display().to_string();
        let format = "--showformat=${Package} ${Version} ${Architecture}";
        let said = output("dpkg-deb", &["--show", format, &path]).map_err(PublishError::Refused)?;
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        let wanted = format!("lachan {} {}", package.version, package.architecture);
        if said != wanted {
            return Err(PublishError::Told(messages::apt_other_package(wanted, said)));
        }
        files.push((*program, file));
    }
    Ok(files)
}

/// The text of reprepro's `distributions`.
fn distributions_of(programs: &[SignedProgram], origin: &str, key: &str) -> String {
    let architectures: BTreeSet<&str> =
        programs.iter().map(|one| one.package.architecture.as_str()).collect();
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
struct Reprepro<'a> {
    own: &'a Path,
    to: &'a Path,
}

impl Reprepro<'_> {
    fn run(&self, arguments: &[&str]) -> Result<(), PublishError> {
        let to = std::path::absolute(self.to).map_err(|error| of_file(self.to, error))?;
        let (own, to) = (self.own.display().to_string(), to.display().to_string());
        let mut all = vec!["--silent", "--basedir", &own, "--outdir", &to];
        // All at once at the end: a client meanwhile finds what was there before.
        match arguments {
            ["export" | "deleteunreferenced"] => {}
            _ => all.extend(["--export=never", "--keepunreferencedfiles"]),
        }
        all.extend(arguments);
        output("reprepro", &all).map(drop).map_err(PublishError::Refused)
    }
}

/// Refuses an index with a package that officers did not sign.
fn refuse_unsigned(to: &Path, programs: &[SignedProgram]) -> Result<(), PublishError> {
    let signed: BTreeMap<&str, &SignedProgram> =
        programs.iter().map(|one| (one.sha256.as_str(), one)).collect();
    let architectures: BTreeSet<&str> =
        programs.iter().map(|one| one.package.architecture.as_str()).collect();
    for suite in [STABLE, TESTING] {
        for architecture in &architectures {
            let index =
                to.join(format!("dists/{suite}/{COMPONENT}/binary-{architecture}/Packages"));
            let text = read::octets(&index, MAX_INDEX).map_err(|error| of_file(&index, error))?;
            let text = String::from_utf8_lossy(&text);
            let digests = text.lines().filter_map(|line| line.strip_prefix("SHA256: "));
            let count = text.lines().filter(|line| line.starts_with("Package: ")).count();
            let digests: Vec<&str> = digests.collect();
            if digests.len() != count || digests.iter().any(|digest| !signed.contains_key(digest)) {
                let place = index.display();
                return Err(PublishError::Told(messages::apt_unsigned(place)));
            }
        }
    }
    Ok(())
}

/// Writes the key and the source that schools copy.
fn for_schools(publication: &AptPublication<'_>, key: &str) -> Result<(), PublishError> {
    let exported = output("gpg", &["--batch", "--armor", "--export", key]);
    let exported = exported.map_err(PublishError::Refused)?;
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

fn of_file(path: &Path, error: std::io::Error) -> PublishError {
    PublishError::File { path: path.to_owned(), error }
}

/// Runs a program; what it wrote, or what it complained of.
fn output(program: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let mut command = Command::new(program);
    let ended = command.args(arguments).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").output();
    let ended = ended.map_err(|error| format!("{program}: {error}"))?;
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    Err(format!("{program}: {}: {}", ended.status, said.trim()))
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
    fn a_key_is_its_primary_fingerprint() {
        let listed = "sec:u:255:22:AA:1::::::::::\nfpr:::::::::F1:\ngrp:::::::::G:\n\
            ssb:u:255:18:BB:1::::::\nfpr:::::::::F2:\nsec:u:1:1:CC:\nfpr:::::::::F3:\n";
        assert_eq!(secret_keys(listed), ["F1", "F3"]);
        let text = distributions_of(&[program("0.1.0")], "Sở\nSignWith: no", "F1");
        assert_eq!(text.lines().filter(|line| line.starts_with("SignWith: ")).count(), 2, "{text}");
        assert!(text.contains("SignWith: F1") && text.contains("Architectures: amd64"), "{text}");
    }
}
