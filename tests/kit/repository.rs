//! A department's repository, made by the real program: `lachan publish`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lachan::publish::trust::keys::SigningKey;
use lachan::publish::trust::refresh::seal;
use lachan::publish::trust::repository::Repository;
use lachan::sys::clock::system_time;
use tempfile::TempDir;

/// A repository with its keys, in a directory that goes with it.
#[derive(Debug)]
pub(crate) struct TestRepository(TempDir);

impl TestRepository {
    /// A new repository: three root keys, two officers, the publishing host.
    pub(crate) fn new() -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        for name in ["a", "b", "c", "officer", "second", "online"] {
            made.publish(&["key", &made.text(name)]);
        }
        let (path, third) = (made.text("repository"), made.text("c.pub"));
        let second = made.text("second.pub");
        let [a, b, officer, online] = ["a", "b", "officer", "online"].map(|name| made.text(name));
        made.publish(&[
            "init",
            &path,
            "--root",
            &a,
            "--root",
            &b,
            "--root",
            &third,
            "--officer",
            &officer,
            "--officer",
            &second,
            "--online",
            &online,
        ]);
        made
    }

    /// The directory that a web server, a mirror or a stick carries.
    pub(crate) fn path(&self) -> PathBuf {
        self.file("repository")
    }

    /// The root that gateways are enrolled with.
    pub(crate) fn root(&self) -> PathBuf {
        self.path().join("1.root.json")
    }

    /// A file of its directory: a key by its holder's name.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The same as an argument.
    pub(crate) fn text(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// Runs `lachan publish …`, which must succeed; what it printed.
    pub(crate) fn publish(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lachan"));
        command.current_dir(self.0.path());
        let ended = command.arg("publish").args(arguments).output().unwrap();
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let (out, err) = (text(&ended.stdout), text(&ended.stderr));
        assert!(ended.status.success(), "{arguments:?}: {out}{err}");
        out
    }

    /// The daily work of the publishing host.
    pub(crate) fn refresh(&self) {
        self.publish(&["refresh", &self.text("repository"), "--online", &self.text("online")]);
    }

    /// Signs and publishes a release of a pack.
    pub(crate) fn release(&self, pack: &Path, more: &[&str]) -> String {
        let (path, pack) = (self.text("repository"), pack.display().to_string());
        let (officer, online) = (self.text("officer"), self.text("online"));
        let own = ["release", &path, "--officer", &officer, "--online", &online, "--new", &pack];
        self.publish(&[&own[..], more].concat())
    }

    /// Gives a release to every school at once.
    pub(crate) fn rollout(&self, serial: u64) -> String {
        self.rollout_by(serial, &["all=now:100%"])
    }

    /// Gives a release to these rings.
    pub(crate) fn rollout_by(&self, serial: u64, rings: &[&str]) -> String {
        let (path, online) = (self.text("repository"), self.text("online"));
        let serial = serial.to_string();
        let own = ["rollout", &path, "--online", &online, "--release", &serial];
        let rings = rings.iter().flat_map(|ring| ["--ring", ring]);
        self.publish(&own.into_iter().chain(rings).collect::<Vec<_>>())
    }

    /// Halts the rollout, or leads back: `--halt`, `--back`.
    pub(crate) fn say(&self, word: &str) -> String {
        let (path, online) = (self.text("repository"), self.text("online"));
        self.publish(&["rollout", &path, "--online", &online, word])
    }

    /// An officer's order to block a name as fraud.
    pub(crate) fn order(&self, name: &str) -> String {
        let (path, officer) = (self.text("repository"), self.text("officer"));
        let online = self.text("online");
        let own = ["emergency", "add", &path, name, "--category", "fraud", "--days", "2"];
        let order = ["--document", "12/2026", "--authority", "A05", "--reason", "fake bank"];
        let keys = ["--officer", &officer, "--online", &online];
        self.publish(&[&own[..], &order, &keys].concat())
    }

    /// Signs a release of these names as games, the one source `games.txt`; no school takes it yet.
    pub(crate) fn release_of(&self, names: &[String]) -> String {
        let (list, pack) = (self.text("games.txt"), self.file("games.pack"));
        fs::write(&list, names.join("\n")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lachan"));
        command.args(["lists", "build", "--out"]).arg(&pack).arg("--source");
        let built = command.arg(format!("games={list}")).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        self.release(&pack, &[])
    }

    /// Signs anew which files belong together, as the publishing host did 30 days ago less `seconds`: it
    /// is past its date in so many seconds.
    pub(crate) fn ends_in(&self, seconds: u64) {
        let repository = Repository::open(&self.path()).unwrap();
        let online = SigningKey::read(&self.file("online")).unwrap();
        let then = system_time() + seconds - 30 * 86_400;
        let signed = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(seal(&repository, &online, then)).unwrap();
        };
        // Whoever calls may be in a runtime.
        std::thread::scope(|scope| scope.spawn(signed).join().unwrap());
    }

    /// Copies the repository as it is now, as a mirror or a stick has it.
    pub(crate) fn copy_to(&self, to: &Path) {
        copy(&self.path(), to);
    }
}

/// Copies a directory with all below it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}
