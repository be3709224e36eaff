//! A backup of a box: what a new SD card needs to be the same box.
//!
//! ```text
//! backup.json              format, school, time
//! config/gateway.toml      the config, and the files below its directory that it names: lists, certificates and keys
//! state/overrides.json …   lessons and exams, tokens, enrolment with the key of the box, the mark, the
//!                          change ledger, evidence
//! ```
//!
//! Laws: the file is for its owner alone, as it has the keys of the box; it is read whole, and all that it
//! says is judged, before anything is written; the mark of a repository is never lowered, nor are ledger and evidence
//! wound back; nothing is written outside of the config's directory and the state directory.

mod here;
mod restored;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::evidence;
use crate::overrides::ledger;
use crate::sys::read;
use crate::sys::state_dir::acting::Acting;
use crate::sys::state_dir::whole;

/// The format of a backup.
const FORMAT: u32 = 1;
/// The most octets of a backup, and of one file in it.
const MOST: u64 = 256 << 20;
const MOST_OF_FILE: u64 = 64 << 20;
/// The most files in it.
const MOST_FILES: usize = 4096;
/// Octets of zero that end an archive (pax(1), ustar interchange format): without them one that was cut between two
/// files would be a whole one of fewer.
const END: usize = 1024;
/// The description; the first file.
const DESCRIPTION: &str = "backup.json";
/// The config under its name in a backup.
const CONFIG: &str = "config/gateway.toml";
const CONFIG_FILES: &str = "config/";
const STATE_FILES: &str = "state/";
/// What is lost without it, of the state directory, besides [`CHANGED_BY_PEOPLE`].
const STATE: [&str; 6] =
    [OVERRIDES, ROOT, KEY, "enrolment/box.key.pub", "enrolment/enrolment.json", MARK];
const OVERRIDES: &str = "overrides.json";
/// What people change. Where the ledger says that they did since, an old one of these would make good again what was
/// revoked.
const CHANGED_BY_PEOPLE: [&str; 6] = [
    "reviews.json",
    "admin-token",
    "technician-token",
    "inspector-token",
    "codes.json",
    "tokens.json",
];
const KEY: &str = "enrolment/box.key";
const ROOT: &str = "enrolment/root.json";
/// What was seen of a repository: never lowered.
const MARK: &str = "releases/mark.json";

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupHead {
    format: u32,
    /// The school.
    pub school: String,
    /// Seconds since 1970.
    pub made_at: u64,
}

/// A backup in memory, judged.
#[derive(Debug)]
pub struct Backup {
    /// What it says of itself.
    pub head: BackupHead,
    files: BTreeMap<String, Vec<u8>>,
}

/// What a file of a backup became.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Files that were written.
    pub written: usize,
    /// Whether a mark was there, which stays.
    pub has_kept_mark: bool,
    /// Whether the ledger that was there has more than that of the backup: it stays, and so do overrides, codes,
    /// tokens and reviews.
    pub has_kept_ledger: bool,
    /// Whether evidence of this box was there that is not that of the backup, and stays.
    pub has_kept_evidence: bool,
    /// Files that were there and say something else: they have other names now.
    pub aside: Vec<PathBuf>,
}

/// Why there is no backup, or none was taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A file.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// What was read is no backup.
    #[error("no backup, or a damaged one: {0}")]
    Malformed(String),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    |error| BackupError::File { path, error }
}

/// The files of a state directory: those of [`STATE`] and [`CHANGED_BY_PEOPLE`], the change ledger and the records of
/// evidence. One that is not there is found out by reading it.
fn state_files(state: &Path) -> io::Result<Vec<String>> {
    let fixed = STATE.into_iter().chain(CHANGED_BY_PEOPLE).map(str::to_owned);
    Ok(fixed.chain(ledger::all_names(state)?).chain(evidence::all_names(state)?).collect())
}

impl Backup {
    /// The backup of a config at `config`, of the files that it names and of its state directory; and
    /// the files that are not in it: they are not below the directory of the config, or no files.
    ///
    /// # Errors
    ///
    /// [`BackupError`] where the config or a file of the state cannot be read.
    pub fn of(
        (school, made_at): (&str, u64),
        config: &Path,
        named: &[PathBuf],
        state: Option<&Path>,
    ) -> Result<(Self, Vec<PathBuf>), BackupError> {
        let mut files = BTreeMap::new();
        let text = read::octets(config, MOST_OF_FILE).map_err(at(config))?;
        files.insert(CONFIG.to_owned(), text);
        let base = config.parent().unwrap_or(Path::new(""));
        let mut left_out = Vec::new();
        // What is in the state directory, such as downloads, is not the config's, though that names it.
        let is_state = |path: &Path| state.is_some_and(|state| path.starts_with(state));
        for path in named.iter().filter(|path| *path != config && !is_state(path)) {
            let place = path.strip_prefix(base).ok().and_then(Path::to_str);
            let place = place.map(|place| format!("{CONFIG_FILES}{place}"));
            let octets = read::octets(path, MOST_OF_FILE).ok();
            match place.filter(|place| is_place(place) && place != CONFIG).zip(octets) {
                Some((place, octets)) => {
                    files.insert(place, octets);
                }
                None => left_out.push(path.clone()),
            }
        }
        if let Some(state) = state {
            // What is taken here is given to the account again by `restore`.
            let _acting = Acting::as_owner_of(state).map_err(at(state))?;
            for name in state_files(state).map_err(at(state))? {
                let path = state.join(&name);
                match read::octets(&path, MOST_OF_FILE) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    read => {
                        files.insert(format!("{STATE_FILES}{name}"), read.map_err(at(&path))?);
                    }
                }
            }
        }
        let head = BackupHead { format: FORMAT, school: school.to_owned(), made_at };
        Ok((Self { head, files }, left_out))
    }

    /// Writes it to a new file, for its owner alone; returns the number of files.
    ///
    /// # Errors
    ///
    /// [`BackupError::File`]; also where a file is there.
    pub fn write(&self, path: &Path) -> Result<usize, BackupError> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(path).map_err(at(path))?;
        let written = self.write_to(&file).and_then(|()| file.sync_all());
        if written.is_err() {
            // Half a backup must not be taken for one.
            let _ = fs::remove_file(path);
        }
        written.map(|()| self.files.len()).map_err(at(path))
    }

    fn write_to(&self, file: &fs::File) -> io::Result<()> {
        let mut archive = tar::Builder::new(file);
        let head = serde_json::to_vec_pretty(&self.head)?;
        let all = std::iter::once((DESCRIPTION, &head));
        for (name, octets) in all.chain(self.files.iter().map(|(name, file)| (&**name, file))) {
            let mut header = tar::Header::new_gnu();
            header.set_size(octets.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(self.head.made_at);
            archive.append_data(&mut header, name, octets.as_slice())?;
        }
        archive.into_inner()?.flush()
    }

    /// Reads a backup whole.
    ///
    /// # Errors
    ///
    /// [`BackupError`].
    pub fn read(path: &Path) -> Result<Self, BackupError> {
        let octets = read::octets(path, MOST).map_err(at(path))?;
        let malformed = |error: io::Error| BackupError::Malformed(error.to_string());
        let wrong = |why: &str| BackupError::Malformed(why.to_owned());
        let (_, end) = octets.split_at(octets.len().saturating_sub(END));
        if end.len() < END || end.iter().any(|octet| *octet != 0) {
            return Err(wrong("it is cut short"));
        }
        let mut archive = tar::Archive::new(octets.as_slice());
        let (mut head, mut files) = (None, BTreeMap::new());
        for entry in archive.entries().map_err(malformed)? {
            let mut entry = entry.map_err(malformed)?;
            let name = entry.path().map_err(malformed)?.to_str().map(str::to_owned);
            let name = name.ok_or_else(|| wrong("a name is no text"))?;
            if !entry.header().entry_type().is_file() || files.len() >= MOST_FILES {
                return Err(wrong("it has other things than files, or too many"));
            }
            let mut octets = Vec::new();
            entry.by_ref().take(MOST_OF_FILE + 1).read_to_end(&mut octets).map_err(malformed)?;
            if octets.len() as u64 != entry.size() {
                return Err(wrong("a file is cut short, or too large"));
            }
            if name == DESCRIPTION && head.is_none() {
                let parsed: BackupHead = serde_json::from_slice(&octets)
                    .map_err(|error| BackupError::Malformed(error.to_string()))?;
                if parsed.format != FORMAT {
                    return Err(wrong("of another format: update the program"));
                }
                head = Some(parsed);
            } else if !is_place(&name) || files.insert(name, octets).is_some() {
                return Err(wrong("a file in it has no place on a gateway"));
            }
        }
        let head = head.ok_or_else(|| wrong("it says nothing of itself"))?;
        if !files.contains_key(CONFIG) {
            return Err(wrong("it has no config"));
        }
        Ok(Self { head, files })
    }

    /// The text of the config in it.
    pub fn config_text(&self) -> String {
        let octets = self.files.get(CONFIG).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(octets).into_owned()
    }

    /// The root that the box was enrolled with.
    pub fn root(&self) -> Option<&[u8]> {
        self.files.get(&format!("{STATE_FILES}{ROOT}")).map(Vec::as_slice)
    }

    /// Writes config and named files, the config last; how many, and those that are keys: of these paths, or with a
    /// private key in PEM. Only the owner can read these. Nothing is written to the state directory.
    ///
    /// # Errors
    ///
    /// [`BackupError::File`].
    pub fn restore_config(
        &self,
        config: &Path,
        named_keys: &[&Path],
        state: Option<&Path>,
    ) -> Result<(usize, Vec<PathBuf>), BackupError> {
        let absolute = |path: &Path| std::path::absolute(path).map_err(at(path));
        let named_keys = named_keys.iter().map(|path| absolute(path));
        let named_keys: Vec<PathBuf> = named_keys.collect::<Result<_, _>>()?;
        let state = state.map(absolute).transpose()?;
        let base = config.parent().unwrap_or(Path::new(""));
        let named = self.files.iter().filter(|(name, _)| *name != CONFIG);
        let named = named.filter_map(|(name, octets)| {
            Some((base.join(name.strip_prefix(CONFIG_FILES)?), octets))
        });
        let own = self.files.get(CONFIG).map(|octets| (config.to_owned(), octets));
        let (mut written, mut keys) = (0, Vec::new());
        for (path, octets) in named.chain(own) {
            if let Some(directory) = path.parent().filter(|one| !one.as_os_str().is_empty()) {
                fs::create_dir_all(directory).map_err(at(directory))?;
            }
            let place = absolute(&path)?;
            if state.as_ref().is_some_and(|state| place.starts_with(state)) {
                continue;
            }
            let is_key = named_keys.contains(&place) || has_private_key(octets);
            whole::replace(&path, if is_key { 0o600 } else { 0o644 }, octets).map_err(at(&path))?;
            written += 1;
            if is_key {
                keys.push(path);
            }
        }
        Ok((written, keys))
    }
}

/// Whether a file has a private key in PEM (RFC 7468 §10, §13), of whatever kind.
fn has_private_key(octets: &[u8]) -> bool {
    let mark = b"PRIVATE KEY-----";
    octets.windows(mark.len()).any(|window| window == mark)
}

/// Whether a name in a backup is a place below the config's directory, or one of the state's files.
fn is_place(name: &str) -> bool {
    if let Some(name) = name.strip_prefix(STATE_FILES) {
        let is_fixed = STATE.contains(&name) || CHANGED_BY_PEOPLE.contains(&name);
        return is_fixed || ledger::is_name(name) || evidence::is_name(name);
    }
    let Some(rest) = name.strip_prefix(CONFIG_FILES) else { return false };
    // What `setup` obeys when it takes itself back is no part of a config.
    if rest == "setup.record" || rest.ends_with(".before-setup") {
        return false;
    }
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    !rest.is_empty() && !rest.ends_with('/') && Path::new(rest).components().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_below_the_config_or_one_of_the_state() {
        for name in [
            "config/gateway.toml",
            "config/lists/own.txt",
            "state/enrolment/box.key",
            "state/ledger.jsonl",
            "state/ledger-2026-11.2.jsonl",
            "state/evidence/2026-11.json",
            "state/evidence/held.json",
        ] {
            assert!(is_place(name), "{name}");
        }
        for name in [
            "config/",
            "config/../x",
            "config//etc/passwd",
            "config/a/../../b",
            "config/setup.record",
            "config/gateway.toml.before-setup",
            "state/other",
            "state/ledger-2026-13.jsonl",
            "state/evidence/../x.json",
            "state/evidence/2026-11.json/x",
            "state/../x",
            "/etc/passwd",
            "x",
            "",
        ] {
            assert!(!is_place(name), "{name}");
        }
    }

    #[test]
    fn what_lies_in_the_state_directory_is_no_file_of_the_config() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        let (config, state) = (at("gateway.toml"), at("state"));
        fs::create_dir_all(at("state/fetched")).unwrap();
        for name in ["gateway.toml", "state/fetched/copy", "k"] {
            fs::write(at(name), name).unwrap();
        }
        let named = [at("state/fetched/copy"), at("k")];
        let (mut made, left_out) = Backup::of(("s", 1), &config, &named, Some(&state)).unwrap();
        assert!(left_out.is_empty(), "{left_out:?}");
        assert_eq!(made.files.keys().collect::<Vec<_>>(), ["config/gateway.toml", "config/k"]);
        // One of earlier days has it; a key is one by whatever form of its path.
        made.files.insert("config/state/fetched/copy".into(), b"other".to_vec());
        let key = scratch.path().join(".").join("k");
        let (written, keys) = made.restore_config(&config, &[&key], Some(&state)).unwrap();
        assert_eq!((written, keys), (2, vec![at("k")]));
        assert_eq!(fs::read(at("state/fetched/copy")).unwrap(), b"state/fetched/copy");
    }

    /// A tar of these files behind a description.
    fn archive(files: &[(&str, tar::EntryType)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        let head = br#"{"format":1,"school":"s","made_at":1}"#;
        let mut add = |name: &str, kind: tar::EntryType, octets: &[u8]| {
            let mut header = tar::Header::new_old();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(kind);
            header.set_size(octets.len() as u64);
            header.set_cksum();
            archive.append(&header, octets).unwrap();
        };
        add(DESCRIPTION, tar::EntryType::Regular, head);
        for (name, kind) in files {
            add(name, *kind, b"x");
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn what_is_no_backup_is_refused_whole() {
        use tar::EntryType::{Directory, Regular, Symlink};
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("b");
        let read = |octets: &[u8]| {
            fs::write(&path, octets).unwrap();
            Backup::read(&path)
        };
        let good = archive(&[(CONFIG, Regular)]);
        assert_eq!(read(&good).unwrap().head.school, "s");
        for files in [
            &[][..],
            &[(CONFIG, Symlink)],
            &[(CONFIG, Regular), ("config/d", Directory)],
            &[(CONFIG, Regular), (CONFIG, Regular)],
            &[(CONFIG, Regular), ("config/../../x", Regular)],
            &[(CONFIG, Regular), ("/etc/x", Regular)],
            &[(CONFIG, Regular), (DESCRIPTION, Regular)],
        ] {
            assert!(read(&archive(files)).is_err(), "{files:?}");
        }
        for length in (0..good.len()).step_by(97).filter(|length| *length < 2000) {
            let _ = read(&good[..length]);
        }
        assert!(read(b"nonsense").is_err() && read(b"").is_err());
    }
}
