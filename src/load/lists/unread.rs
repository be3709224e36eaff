//! Sources that the disk or the mount did not give.
//!
//! Law: a file that cannot be read now says nothing, and so it is not judged: it is read again as soon as it
//! gives its octets, though nothing of it has changed. While it gives none, no other list is read for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::load::lists::list_error::ListError;
use crate::sys::read;

/// Sources by identity, each with the file that could not be read.
#[derive(Debug, Default)]
pub(super) struct UnreadSources(BTreeMap<String, PathBuf>);

impl UnreadSources {
    /// Notes the source of an identity, if its fault is that a file cannot be read now.
    pub(super) fn note(&mut self, identity: &str, fault: &ListError) {
        if let ListError::Read { path, error } = fault
            && read::is_unread(error)
        {
            self.0.insert(identity.to_owned(), path.clone());
        }
    }

    /// Forgets all sources but those of these identities.
    pub(super) fn retain(&mut self, seen: &BTreeSet<String>) {
        self.0.retain(|identity, _| seen.contains(identity));
    }

    /// Takes out the sources with files that can be read again, or are gone.
    pub(super) fn take_readable(&mut self) -> Vec<String> {
        let is_readable = |path: &PathBuf| !read::through(path).is_err_and(|e| read::is_unread(&e));
        let (readable, unread) =
            std::mem::take(&mut self.0).into_iter().partition(|(_, path)| is_readable(path));
        self.0 = unread;
        let readable: BTreeMap<String, PathBuf> = readable;
        readable.into_keys().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_that_gives_no_octets_is_read_again_when_it_does() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("list.txt");
        // Its first octets are those of no page: the read is an error of the system.
        symlink("/proc/self/mem", &path).unwrap();
        let error = read::through(&path).unwrap_err();
        let mut sources = UnreadSources::default();
        sources.note("one", &ListError::Read { path: path.clone(), error });
        let bad = io::Error::other("it unpacks to more than it may");
        sources.note("two", &ListError::Read { path: path.clone(), error: bad });
        assert!(sources.take_readable().is_empty());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "bad.example\n").unwrap();
        assert_eq!(sources.take_readable(), ["one"], "what was read and is bad is not read again");
        assert!(sources.take_readable().is_empty());
    }
}
