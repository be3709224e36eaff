//! [`Kept`]: the generation that was adopted last.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

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
}

impl Kept {
    /// The generation in a state directory, which is only read; an empty one where there is none.
    pub(super) fn read(state: &Path) -> Self {
        let place = state.join(DIRECTORY);
        let manifest = place.join(MANIFEST);
        if !manifest.is_file() {
            return Self::default();
        }
        // A directory that others can write to proves nothing: anybody could loosen the filter.
        let opened = StateDir::at(state.to_owned()).and_then(|state| state.subdirectory(DIRECTORY));
        let Ok(directory) = opened else { return Self::default() };
        let manifest = read::octets(&manifest, MAX_MANIFEST).ok();
        let manifest = manifest.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
        let Some(manifest) = manifest.filter(|one| one.format == FORMAT) else {
            return Self::default();
        };
        let mut objects = Objects::default();
        objects.at(directory.subdirectory(OBJECTS).ok());
        Self { manifest, objects, directory: Some(directory), is_on_disk: true }
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
        self.is_on_disk
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

    /// The kept text of a file.
    pub fn text(&self, path: &Path) -> Option<String> {
        let path = absolute(path);
        let kept = self.manifest.texts.iter().find(|kept| kept.path == path)?;
        String::from_utf8(self.objects.get(&kept.digest)?).ok()
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
        let texts = origins
            .texts
            .iter()
            .map(|(path, text)| KeptText { path: absolute(path), digest: self.objects.hold(text) });
        let texts = texts.collect();
        let mut sources = Vec::new();
        for source in origins.sources {
            let is_whole =
                |objects: &Objects| source.texts.iter().all(|(_, digest)| objects.has(digest));
            if !is_whole(&self.objects) {
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
        let manifest = Manifest {
            format: FORMAT,
            config: absolute(origins.config),
            school: origins.school.to_owned(),
            texts,
            sources,
            sealed: origins.sealed,
            pack: origins.pack,
            unenrolled: origins.unenrolled.iter().map(|path| absolute(path)).collect(),
        };
        settled.and(self.write(manifest))
    }

    /// Changes over to another state directory, or to memory.
    fn settle_at(&mut self, state: Option<&StateDir>) -> io::Result<()> {
        let place = state.map(|state| state.join(DIRECTORY));
        let is_here = self.directory.as_ref().map(StateDir::path) == place.as_deref();
        // A directory that was removed, or lost with its disk, is made anew.
        if is_here && place.as_ref().is_none_or(|place| place.join(OBJECTS).is_dir()) {
            return Ok(());
        }
        if self.directory.take().is_some() {
            // What is elsewhere is carried over in memory; the old directory stays as it is.
            let kept: BTreeSet<&str> = digests(&self.manifest).collect();
            let octets: Vec<Vec<u8>> =
                kept.into_iter().filter_map(|digest| self.objects.get(digest)).collect();
            self.objects.at(None);
            for octets in octets {
                self.objects.hold(&octets);
            }
        }
        self.is_on_disk = false;
        if let Some(state) = state {
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
        self.directory.as_ref().is_some_and(|directory| directory.join(MANIFEST).is_file())
    }

    /// Drops the generation: nothing stands in any more until the next one is kept.
    pub fn forget(&mut self) {
        if let Some(directory) = &self.directory {
            // Without it the objects are nothing; the next generation takes those that it needs.
            let _ = directory.remove(MANIFEST);
            let _ = directory.remove(SEEN);
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

/// The digests that a manifest names.
fn digests(manifest: &Manifest) -> impl Iterator<Item = &str> {
    let texts = manifest.texts.iter().map(|one| &one.digest);
    let sources =
        manifest.sources.iter().flat_map(|one| one.texts.iter().map(|(_, digest)| digest));
    let sealed = manifest.sealed.iter().flat_map(|one| [&one.list, &one.key_digest]);
    texts.chain(sources).chain(sealed).map(String::as_str)
}
