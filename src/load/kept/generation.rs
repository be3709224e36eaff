//! [`Kept`]: the generation that was adopted last.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::lang::{Message, messages};
use crate::load::kept::held::absolute;
use crate::load::kept::manifest::{FORMAT, KeptPack, KeptSealed, KeptSource, KeptText, Manifest};
use crate::load::kept::objects::Objects;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The directory of the generation, in the state directory.
pub(in crate::load) const DIRECTORY: &str = "kept";
/// What was seen of the popular sample, beside the manifest.
pub(in crate::load) const SEEN: &str = "seen";
/// The directory of objects, in the former.
const OBJECTS: &str = "objects";
/// The manifest.
const MANIFEST: &str = "current.json";
/// The most octets of a manifest: a thousand files of a source are 150 kB.
const MAX_MANIFEST: u64 = 64 << 20;

/// What was adopted last, and its objects.
#[derive(Debug, Default)]
pub struct Kept {
    manifest: Manifest,
    objects: Objects,
    /// `kept` in the state directory.
    directory: Option<StateDir>,
    /// True where all of it is on the disk.
    is_on_disk: bool,
    /// The generation of an earlier life that cannot be read now.
    unread: Option<Unread>,
}

/// A generation that is there, or may be, and cannot be read now. Law: it is left as it is, and looked at again.
#[derive(Debug)]
struct Unread {
    /// Its manifest.
    manifest: PathBuf,
    /// The path, and the error.
    fault: String,
    /// True where this account may not read it: it may be nobody's that matters here.
    is_forbidden: bool,
}

/// What a generation is made of, as it was adopted.
#[derive(Debug)]
pub struct Origins<'a> {
    /// The config's path.
    pub config: &'a Path,
    /// The id of its school.
    pub school: &'a str,
    /// The config's own text and those of the files that it names, by path.
    pub texts: Vec<(&'a Path, &'a [u8])>,
    /// Sources of listed names.
    pub sources: &'a [KeptSource],
    /// Sealed lists.
    pub sealed: Vec<KeptSealed>,
    /// The delivered pack in use.
    pub pack: Option<KeptPack>,
    /// Sources that were never good.
    pub unenrolled: Vec<PathBuf>,
    /// Files that cannot be used, and that nothing stands in for: what is kept of them stays.
    pub left_out: BTreeSet<PathBuf>,
}

impl Origins<'_> {
    fn is_left_out(&self, path: &Path) -> bool {
        self.left_out.contains(&absolute(path))
    }
}

impl Kept {
    /// The generation in a state directory, which is only read; an empty one where there is none, or
    /// where it cannot be read now.
    pub(super) fn read(state: &Path) -> Self {
        let manifest = state.join(DIRECTORY).join(MANIFEST);
        match Self::read_at(state, &manifest) {
            Ok(kept) => kept.unwrap_or_default(),
            Err(error) => {
                let fault = format!("{}: {error}", manifest.display());
                let is_forbidden = error.kind() == io::ErrorKind::PermissionDenied;
                let unread = Some(Unread { manifest, fault, is_forbidden });
                Self { unread, ..Self::default() }
            }
        }
    }

    fn read_at(state: &Path, manifest: &Path) -> io::Result<Option<Self>> {
        // Before all else of a start: a disk that hangs is waited for once.
        StateDir::answers(state)?;
        let Some(text) = present(read::octets(manifest, MAX_MANIFEST))? else { return Ok(None) };
        // A directory that others can write to proves nothing: anybody could loosen the filter.
        for directory in [state, &state.join(DIRECTORY)] {
            if StateDir::open_to_others(directory)?.is_some() {
                return Ok(None);
            }
        }
        let manifest = serde_json::from_slice::<Manifest>(&text).ok();
        let Some(manifest) = manifest.filter(|one| one.format == FORMAT) else { return Ok(None) };
        let opened = StateDir::at(state.to_owned()).and_then(|state| state.subdirectory(DIRECTORY));
        let directory = opened.map_err(io::Error::other)?;
        let mut objects = Objects::default();
        objects.at(Some(directory.subdirectory(OBJECTS).map_err(io::Error::other)?));
        let directory = Some(directory);
        Ok(Some(Self { manifest, objects, directory, is_on_disk: true, unread: None }))
    }

    /// True where a generation of an earlier life cannot be read now.
    pub fn is_unread(&self) -> bool {
        self.unread.is_some()
    }

    /// True where only another account may read it.
    pub(super) fn is_forbidden(&self) -> bool {
        self.unread.as_ref().is_some_and(|unread| unread.is_forbidden)
    }

    /// Goes on with what was found of a generation that could not be read before: where it has an
    /// entry, it precedes what this life has kept without it. True where there is one, of this school.
    pub(super) fn take_up(&mut self, found: Self, school: Option<&str>) -> bool {
        let is_ours = school.is_none_or(|id| found.is_of_school(id));
        if found.manifest.format != FORMAT || !is_ours {
            self.unread = found.unread;
            return false;
        }
        let own = std::mem::take(&mut self.manifest);
        let objects = found.objects.with_memory_of(&self.objects);
        *self = Self { objects, is_on_disk: false, ..found };
        let to = &mut self.manifest;
        fill(&mut to.texts, own.texts, |one| one.path.clone());
        fill(&mut to.sources, own.sources, |one| one.path.clone());
        fill(&mut to.sealed, own.sealed, |one| (one.path.clone(), one.key.clone()));
        true
    }

    /// True for the generation of the config at `path`.
    pub fn is_of(&self, path: &Path) -> bool {
        self.manifest.format == FORMAT && self.manifest.config == absolute(path)
    }

    /// True for a generation of this school.
    pub fn is_of_school(&self, id: &str) -> bool {
        self.manifest.school == id
    }

    /// True where the next start finds all of it.
    pub fn is_on_disk(&self) -> bool {
        self.is_on_disk && !self.objects.has_unread()
    }

    /// Acts as the owner of the state directory that it is in, until the thread ends.
    ///
    /// # Errors
    ///
    /// As [`StateDir::act_as_owner`].
    pub fn act_as_owner_for_good(&self) -> io::Result<()> {
        if let Some(directory) = &self.directory {
            std::mem::forget(directory.act_as_owner()?);
        }
        Ok(())
    }

    /// The objects, for texts of list sources.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The kept text of a file, if it can be read.
    pub fn text(&self, path: &Path) -> Option<String> {
        self.read_text(path).ok().flatten()
    }

    fn read_text(&self, path: &Path) -> io::Result<Option<String>> {
        let Some(kept) = self.text_of(path) else { return Ok(None) };
        let octets = self.objects.read(&kept.digest)?;
        Ok(octets.and_then(|octets| String::from_utf8(octets).ok()))
    }

    fn text_of(&self, path: &Path) -> Option<&KeptText> {
        let path = absolute(path);
        self.manifest.texts.iter().find(|kept| kept.path == path)
    }

    /// The text of a file, as it was read.
    ///
    /// # Errors
    ///
    /// That it has lost its content: its kept copy has some, or cannot be read now and was another.
    pub fn whole(&self, path: &Path, text: String) -> io::Result<String> {
        if !text.trim().is_empty() {
            return Ok(text);
        }
        let lost = |why: &str| Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        match self.read_text(path) {
            Ok(Some(kept)) if !kept.trim().is_empty() => lost("it is empty, and was not"),
            Ok(None) => match &self.unread {
                Some(Unread { fault, .. }) => {
                    lost(&format!("it is empty, and what is kept cannot be read: {fault}"))
                }
                None => Ok(text),
            },
            Err(why) if !self.is_kept_as(path, &text) => {
                lost(&format!("it is empty, and was not; {why}"))
            }
            Ok(Some(_)) | Err(_) => Ok(text),
        }
    }

    /// True where the kept text of a file is this one, whether or not it can be read.
    fn is_kept_as(&self, path: &Path, text: &str) -> bool {
        let digest = Objects::digest(text.as_bytes());
        self.text_of(path).is_some_and(|kept| kept.digest == digest)
    }

    /// Why what is kept of a file, if anything is, cannot be read now.
    pub fn unread_of(&self, path: &Path) -> Option<Message> {
        if let Some(Unread { fault, .. }) = &self.unread {
            return Some(messages::kept_unread(fault));
        }
        let path = absolute(path);
        let Manifest { texts, sources, sealed, .. } = &self.manifest;
        let texts = texts.iter().filter(|kept| kept.path == path).map(|kept| &kept.digest);
        let sources = sources.iter().filter(|kept| kept.path == path);
        let sources = sources.flat_map(|kept| kept.texts.iter().map(|(_, digest)| digest));
        let sealed = sealed.iter().filter(|kept| kept.path == path);
        let sealed = sealed.flat_map(|kept| [&kept.list, &kept.key_digest]);
        let fault = texts.chain(sources).chain(sealed).find_map(|one| self.objects.unread(one))?;
        Some(messages::kept_copy_unread(fault))
    }

    /// True but for a source with a text that could not be read, and still cannot be.
    pub fn can_be_read(&self, source: &KeptSource) -> bool {
        source.texts.iter().all(|(_, digest)| self.objects.can_be_read(digest))
    }

    /// The kept texts of a source, if each has an object.
    pub fn source(&self, path: &Path) -> Option<&KeptSource> {
        let path = absolute(path);
        let kept = self.manifest.sources.iter().find(|kept| kept.path == path)?;
        kept.texts.iter().all(|(_, digest)| self.objects.has(digest)).then_some(kept)
    }

    /// A kept sealed list and its key.
    pub fn sealed(&self, path: &Path, key: &Path) -> Option<(Vec<u8>, Zeroizing<Vec<u8>>)> {
        let kept = self.sealed_of(path, key)?;
        let key = Zeroizing::new(self.objects.get(&kept.key_digest)?);
        Some((self.objects.get(&kept.list)?, key))
    }

    /// What is kept of a sealed list.
    pub fn sealed_of(&self, path: &Path, key: &Path) -> Option<&KeptSealed> {
        let (path, key) = (absolute(path), absolute(key));
        self.manifest.sealed.iter().find(|kept| kept.path == path && kept.key == key)
    }

    /// The check of the pack that was adopted from a directory.
    pub fn pack(&self, directory: &Path) -> Option<&str> {
        let kept = self.manifest.pack.as_ref()?;
        (kept.directory == absolute(directory)).then_some(kept.check.as_str())
    }

    /// True for a source that was added while the gateway ran, and has not been good since.
    pub fn is_unenrolled(&self, path: &Path) -> bool {
        self.manifest.unenrolled.contains(&absolute(path))
    }

    /// Keeps what was adopted, in the state directory or else in memory; what is kept already is
    /// not written again. `texts_of` reads the texts of a source that are not at hand: those of a
    /// pack that was compiled in an earlier life.
    ///
    /// Law: what is kept of a file that is left out stays, and so does a generation that cannot be read
    /// now, whole.
    ///
    /// # Errors
    ///
    /// Why the next start will not find it. It stands in while the process lives all the same.
    pub fn keep(
        &mut self,
        state: Option<&StateDir>,
        origins: Origins<'_>,
        mut texts_of: impl FnMut(&KeptSource, &mut dyn FnMut(&[u8])),
    ) -> io::Result<()> {
        let settled = self.settle_at(state);
        self.objects.sweep();
        let good = origins.texts.iter().filter(|(path, _)| !origins.is_left_out(path));
        let texts = good
            .map(|(path, text)| KeptText { path: absolute(path), digest: self.objects.hold(text) });
        let mut texts: Vec<KeptText> = texts.collect();
        let mut sources: Vec<KeptSource> = Vec::new();
        for source in origins.sources {
            let is_whole =
                |objects: &Objects| source.texts.iter().all(|(_, digest)| objects.has(digest));
            if !source.texts.iter().all(|(_, digest)| self.objects.is_sound(digest)) {
                let wanted: BTreeSet<&str> =
                    source.texts.iter().map(|(_, digest)| digest.as_str()).collect();
                texts_of(source, &mut |text| {
                    if wanted.contains(Objects::digest(text).as_str()) {
                        self.objects.hold(text);
                    }
                });
            }
            if is_whole(&self.objects) {
                sources.push(source.clone());
            } else if let Some(before) = self.source(&source.path) {
                // It changed since it was read; what was kept before is better than nothing, and
                // the next look follows.
                sources.push(before.clone());
            }
        }
        let mut sealed = origins.sealed.clone();
        let (before, stays) = (&self.manifest, |path: &Path| origins.is_left_out(path));
        let has = |digest: &String| self.objects.has(digest);
        let is_there = |kept: &&KeptText| stays(&kept.path) && has(&kept.digest);
        texts.extend(before.texts.iter().filter(is_there).cloned());
        let is_there =
            |kept: &&KeptSource| stays(&kept.path) && kept.texts.iter().all(|(_, one)| has(one));
        sources.extend(before.sources.iter().filter(is_there).cloned());
        let is_there =
            |kept: &&KeptSealed| stays(&kept.path) && has(&kept.list) && has(&kept.key_digest);
        sealed.extend(before.sealed.iter().filter(is_there).cloned());
        let pack_before = before.pack.clone().filter(|kept| stays(&kept.directory));
        let manifest = Manifest {
            format: FORMAT,
            config: absolute(origins.config),
            school: origins.school.to_owned(),
            texts,
            sources,
            sealed,
            pack: origins.pack.or(pack_before),
            unenrolled: origins.unenrolled.iter().map(|path| absolute(path)).collect(),
        };
        settled.and(self.write(manifest))
    }

    /// Changes over to another state directory, or to memory.
    fn settle_at(&mut self, state: Option<&StateDir>) -> io::Result<()> {
        let place = state.map(|state| state.join(DIRECTORY));
        let is_here = self.directory.as_ref().map(StateDir::path) == place.as_deref();
        // A directory that was removed, or lost with its disk, is made anew.
        if is_here {
            let Some(place) = &place else { return Ok(()) };
            // What cannot be looked at now is not gone.
            if present(read::metadata(&place.join(OBJECTS)))?.is_some_and(|found| found.is_dir()) {
                return Ok(());
            }
        }
        self.is_on_disk = false;
        if self.directory.is_some() {
            // What is elsewhere is carried over in memory; the old directory stays as it is.
            let kept: BTreeSet<&str> = digests(&self.manifest).collect();
            let mut octets: Vec<Vec<u8>> = Vec::new();
            for digest in kept {
                match self.objects.read(digest) {
                    // It is not lost: its disk may be away for a moment, and the directory with it.
                    Err(error) if state.is_none() => return Err(error),
                    read => octets.extend(read.ok().flatten()),
                }
            }
            self.directory = None;
            self.objects.at(None);
            for octets in octets {
                self.objects.hold(&octets);
            }
        }
        if let Some(state) = state {
            self.may_replace(&state.join(DIRECTORY).join(MANIFEST))?;
            let opened = state.subdirectory(DIRECTORY).and_then(|directory| {
                let objects = directory.subdirectory(OBJECTS)?;
                Ok((directory, objects))
            });
            match opened {
                Ok((directory, objects)) => {
                    self.objects.at(Some(objects));
                    self.directory = Some(directory);
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(())
    }

    /// Refuses to replace a manifest that is there and cannot be read, or that could not be and is to
    /// be taken up first.
    fn may_replace(&self, manifest: &Path) -> io::Result<()> {
        let fault = match &self.unread {
            Some(unread) if absolute(&unread.manifest) == absolute(manifest) => {
                unread.fault.clone()
            }
            _ => match present(read::octets(manifest, MAX_MANIFEST)) {
                Ok(_) => return Ok(()),
                Err(error) => format!("{}: {error}", manifest.display()),
            },
        };
        let why = "what is kept cannot be read; it is left as it is, and looked at again";
        Err(io::Error::other(format!("{why}: {fault}")))
    }

    /// Objects first, then the manifest that names them, then the removal of those that nothing
    /// names.
    fn write(&mut self, manifest: Manifest) -> io::Result<()> {
        let is_same = self.manifest == manifest;
        self.manifest = manifest;
        let used: BTreeSet<&str> = digests(&self.manifest).collect();
        // Somebody may have removed files: what is gone is written again.
        if is_same && self.is_on_disk && self.is_there() && self.objects.have_all(&used) {
            self.objects.retain_in_memory(&used);
            return Ok(());
        }
        self.is_on_disk = false;
        let Some(directory) = &self.directory else {
            self.objects.retain(&used);
            return Ok(());
        };
        let unwritten = used.iter().filter(|digest| !self.objects.flush(digest)).count();
        if unwritten > 0 {
            return Err(io::Error::other(format!("{unwritten} files of it cannot be written")));
        }
        let text = serde_json::to_vec_pretty(&self.manifest)?;
        directory.replace(MANIFEST, &text)?;
        self.objects.retain(&used);
        self.is_on_disk = true;
        Ok(())
    }

    fn is_there(&self) -> bool {
        self.directory.as_ref().is_some_and(|directory| read::is_file(&directory.join(MANIFEST)))
    }

    /// Drops the generation: nothing stands in any more until the next one is kept.
    pub fn forget(&mut self) {
        if let Some(directory) = &self.directory {
            // Without it the objects are nothing; the next generation takes those that it needs.
            let _ = directory.remove(MANIFEST);
            let _ = directory.remove(SEEN);
        }
        if let Some(unread) = self.unread.take() {
            let _ = fs::remove_file(unread.manifest);
        }
        self.manifest = Manifest::default();
        self.is_on_disk = false;
    }

    /// Removes what is kept in a state directory, for a config that keeps nothing there.
    pub fn remove_from(state: &Path) {
        let _ = fs::remove_dir_all(state.join(DIRECTORY));
    }

    /// Ends the use of a generation of another school; its files stay.
    pub fn ignore(&mut self) {
        *self = Self::default();
    }
}

/// What is read of a file; none where there is no such file.
fn present<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    let is_absent = |kind| matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    match read {
        Err(error) if is_absent(error.kind()) => Ok(None),
        read => read.map(Some),
    }
}

/// Adds the entries that are missing.
fn fill<T, K: PartialEq>(to: &mut Vec<T>, from: Vec<T>, key: impl Fn(&T) -> K) {
    for one in from {
        if !to.iter().any(|known| key(known) == key(&one)) {
            to.push(one);
        }
    }
}

/// The digests that a manifest names.
fn digests(manifest: &Manifest) -> impl Iterator<Item = &str> {
    let texts = manifest.texts.iter().map(|one| &one.digest);
    let sources =
        manifest.sources.iter().flat_map(|one| one.texts.iter().map(|(_, digest)| digest));
    let sealed = manifest.sealed.iter().flat_map(|one| [&one.list, &one.key_digest]);
    texts.chain(sources).chain(sealed).map(String::as_str)
}
