//! `lachan publish apt`: what officers sign is in it, and what they sign no more is not, by the real reprepro and gpg.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::export::has;
use super::published::publish;
use crate::kit::repository::TestRepository;
use crate::support::gateway::{LACHAN, run};

const PROGRAMS: [&str; 3] = ["reprepro", "gpg", "dpkg-deb"];

/// A department with a key of gpg, and programs before its own.
struct Office {
    repository: TestRepository,
    dir: TempDir,
}

impl Office {
    fn new() -> Self {
        let repository = TestRepository::new();
        publish(&repository, 1, &["one.example"]);
        let made = Self { repository, dir: tempfile::tempdir().unwrap() };
        for (place, mode) in [("gnupg", 0o700), ("bin", 0o755)] {
            fs::create_dir(made.file(place)).unwrap();
            fs::set_permissions(made.file(place), fs::Permissions::from_mode(mode)).unwrap();
        }
        made
    }

    fn with_key() -> Self {
        let made = Self::new();
        let mut gpg = Command::new("gpg");
        gpg.args(["--batch", "--quiet", "--passphrase", "", "--quick-generate-key"]);
        gpg.args(["Department <apt@example>", "ed25519", "sign", "never"]);
        let (status, said) = run(made.with_gpg(gpg));
        assert!(status.success(), "{said}");
        made
    }

    fn with_gpg(&self, mut command: Command) -> Command {
        let path = format!("{}:{}", self.file("bin").display(), std::env::var("PATH").unwrap());
        command.env("GNUPGHOME", self.file("gnupg")).env("PATH", path);
        command
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A program that stands before the real one.
    fn program(&self, name: &str, script: &str) {
        fs::write(self.file("bin").join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.file("bin").join(name), mode).unwrap();
    }

    /// Officers sign a package.
    fn sign(&self, version: &str, architecture: &str) {
        let tree = self.file("tree");
        fs::create_dir_all(tree.join("DEBIAN")).unwrap();
        let control = format!(
            "Package: lachan\nVersion: {version}\nArchitecture: {architecture}\nSection: net\n\
             Priority: optional\nMaintainer: a <a@example>\nDescription: a\n"
        );
        fs::write(tree.join("DEBIAN/control"), control).unwrap();
        let file = format!("lachan_{version}_{architecture}.deb");
        let mut build = Command::new("dpkg-deb");
        build.args(["--root-owner-group", "--build"]).arg(tree).arg(self.repository.file(&file));
        let (status, said) = run(build);
        assert!(status.success(), "{said}");
        self.officers(&["program", "add"], &file);
    }

    fn officers(&self, command: &[&str], what: &str) {
        let [path, officer, online] =
            ["repository", "officer", "online"].map(|name| self.repository.text(name));
        let keys = ["--officer", &officer, "--online", &online];
        self.repository.publish(&[command, &[&path, what], &keys].concat());
    }

    /// Publishes: the exit code, and what it said.
    fn apt(&self) -> (i32, String) {
        let mut command = Command::new(LACHAN);
        command.args(["publish", "apt"]).arg(self.repository.path()).arg("--to").arg(self.to());
        command.args(["--url", "https://apt.example/"]);
        let (status, said) = run(self.with_gpg(command));
        (status.code().unwrap(), said)
    }

    fn to(&self) -> PathBuf {
        self.file("apt")
    }

    /// The names of all files below a directory of what is served.
    fn served(&self, directory: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut places = vec![self.to().join(directory)];
        while let Some(place) = places.pop() {
            for entry in fs::read_dir(&place).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { places.push(path) } else { found.push(below(&self.to(), &path)) }
            }
        }
        found.sort();
        found
    }
}

fn below(directory: &Path, path: &Path) -> String {
    path.strip_prefix(directory).unwrap().display().to_string()
}

#[test]
fn what_officers_sign_no_more_goes_out_with_its_architecture() {
    if !has("publish apt", &PROGRAMS) {
        return;
    }
    let office = Office::with_key();
    office.sign("0.1.0-1", "amd64");
    office.sign("0.1.0-1", "arm64");
    let (code, said) = office.apt();
    assert_eq!(code, 0, "{said}");
    assert_eq!(office.served("pool").len(), 2);
    assert!(office.served("dists").contains(&"dists/stable/main/binary-arm64/Packages".to_owned()));
    office.officers(&["program", "remove"], "0.1.0-1");
    office.sign("0.2.0-1", "amd64");
    for _ in 0..2 {
        let (code, said) = office.apt();
        assert_eq!((code, said.contains("stable: lachan 0.2.0-1")), (0, true), "{said}");
        assert_eq!(office.served("pool"), ["pool/main/l/lachan/lachan_0.2.0-1_amd64.deb"]);
        let indexes = office.served("dists");
        assert!(indexes.contains(&"dists/testing/InRelease".to_owned()), "{indexes:?}");
        assert!(!indexes.iter().any(|file| file.contains("arm64")), "{indexes:?}");
    }
    // The last one.
    office.officers(&["program", "remove"], "0.2.0-1");
    let (code, said) = office.apt();
    assert_eq!((code, said.contains("officers sign no program any more")), (3, true), "{said}");
    assert_eq!(office.served("pool"), Vec::<String>::new());
    let release = fs::read_to_string(office.to().join("dists/stable/InRelease")).unwrap();
    assert!(!release.contains("arm64"), "{release}");
    for index in office.served("dists").iter().filter(|file| file.ends_with("Packages")) {
        assert_eq!(fs::read_to_string(office.to().join(index)).unwrap(), "", "{index}");
    }
    office.sign("0.3.0-1", "arm64");
    assert_eq!(office.apt().0, 0);
    assert_eq!(office.served("pool"), ["pool/main/l/lachan/lachan_0.3.0-1_arm64.deb"]);
}

#[test]
fn an_index_with_what_nobody_signed_is_never_served() {
    if !has("publish apt", &PROGRAMS) {
        return;
    }
    let office = Office::with_key();
    office.sign("0.1.0-1", "amd64");
    assert_eq!(office.apt().0, 0);
    let served = || fs::read(office.to().join("dists/stable/InRelease")).unwrap();
    let before = served();
    office.sign("0.2.0-1", "amd64");
    // A reprepro that gives another package the place of the signed one.
    let found = Command::new("sh").args(["-c", "command -v reprepro"]).output().unwrap();
    let real = String::from_utf8(found.stdout).unwrap().trim().to_owned();
    let foreign = format!(
        "{real} \"$@\" || exit\nto=$(printf '%s\\n' \"$@\" | sed -n '/^--distdir$/ {{ n; p; }}')\n\
         [ -z \"$to\" ] || sed -i 's/^SHA256: ../SHA256: zz/' \"$to\"/stable/main/*/Packages"
    );
    office.program("reprepro", &foreign);
    let (code, said) = office.apt();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("a package that no officer signed"), "{said}");
    assert!(served() == before, "the index of before is served");
    assert!(
        office.served("pool").contains(&"pool/main/l/lachan/lachan_0.1.0-1_amd64.deb".to_owned())
    );
    fs::remove_file(office.file("bin/reprepro")).unwrap();
    assert_eq!(office.apt().0, 0);
    assert!(served() != before);
}

#[test]
fn gpg_that_fails_is_not_gpg_without_a_key() {
    if !has("publish apt", &PROGRAMS) {
        return;
    }
    let office = Office::new();
    office.sign("0.1.0-1", "amd64");
    let (code, said) = office.apt();
    assert_eq!((code, said.contains("gpg has no secret key here")), (3, true), "{said}");
    office.program("gpg", "echo 'gpg: keydb_search failed: Broken pipe' >&2; exit 2");
    let (code, said) = office.apt();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("gpg does not work here") && said.contains("Broken pipe"), "{said}");
    assert!(!said.contains("make one"), "{said}");
}
