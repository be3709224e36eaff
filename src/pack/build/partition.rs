//! Partitioner: added rules, partitioned by the hash of their name.

use crate::dns::name::Labels;
use crate::pack::format::{PARTITIONS, partition_of};
use crate::pack::symbols::is_letter;

/// Octets by which a partition grows: large enough that the allocator returns them to the system.
const CHUNK: usize = 128 << 10;
/// Names in the training sample of the symbols.
const SAMPLE: usize = 16_384;

/// Names of one range of hashes: length, name without its root octet, rule id.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    chunks: Vec<Vec<u8>>,
    pub(crate) len: usize,
}

impl Partition {
    fn push(&mut self, name: &[u8], rule: u16) {
        let needed = 1 + name.len() + 2;
        let has_room =
            self.chunks.last().is_some_and(|chunk| chunk.capacity() - chunk.len() >= needed);
        if !has_room {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(name.len() as u8);
            chunk.extend_from_slice(name);
            chunk.extend_from_slice(&rule.to_le_bytes());
            self.len += 1;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], u16)> {
        self.chunks.iter().flat_map(|chunk| {
            let mut rest = chunk.as_slice();
            std::iter::from_fn(move || {
                let (&length, after) = rest.split_first()?;
                let (name, after) = after.split_at_checked(usize::from(length))?;
                let (rule, after) = after.split_first_chunk::<2>()?;
                rest = after;
                Some((name, u16::from_le_bytes(*rule)))
            })
        })
    }
}

/// All partitions, and a sample of all names.
#[derive(Debug)]
pub(crate) struct Partitioner {
    pub(crate) partitions: Vec<Partition>,
    pub(crate) sample: NameSample,
}

impl Partitioner {
    pub(crate) fn new() -> Self {
        Self {
            partitions: (0..PARTITIONS).map(|_| Partition::default()).collect(),
            sample: NameSample::default(),
        }
    }

    /// Adds a rule of a name without its root octet.
    pub(crate) fn push(&mut self, hash: u64, name: &[u8], rule: u16) {
        if let Some(partition) = self.partitions.get_mut(partition_of(hash)) {
            partition.push(name, rule);
        }
        self.sample.offer(hash, name);
    }
}

/// Names to train symbols on: those with the smallest rotated hashes, so that the same names give
/// the same sample in whatever order they come.
#[derive(Debug)]
pub(crate) struct NameSample {
    names: Vec<(u64, Box<[u8]>)>,
    /// Rotated hashes above this limit are not in the sample.
    limit: u64,
}

impl Default for NameSample {
    fn default() -> Self {
        Self { names: Vec::new(), limit: u64::MAX }
    }
}

impl NameSample {
    /// Takes the name, without its root octet, if its hash is small.
    pub(crate) fn offer(&mut self, hash: u64, name: &[u8]) {
        let rotated = hash.rotate_left(24);
        if rotated <= self.limit {
            self.names.push((rotated, name.into()));
            if self.names.len() >= 2 * SAMPLE {
                self.trim();
            }
        }
    }

    fn trim(&mut self) {
        self.names.sort_unstable();
        self.names.dedup();
        self.names.truncate(SAMPLE);
        if self.names.len() == SAMPLE {
            self.limit = self.names.last().map_or(u64::MAX, |(rotated, _)| *rotated);
        }
    }

    /// The sample as text; it is empty then.
    pub(crate) fn take(&mut self) -> Vec<Vec<u8>> {
        self.trim();
        let text = |(_, name): (u64, Box<[u8]>)| {
            let mut text = Vec::new();
            text_of(&name, &mut text).then_some(text)
        };
        std::mem::take(&mut self.names).into_iter().filter_map(text).collect()
    }
}

/// Writes a wire name without its root octet as text; false if a label has other octets than
/// those of stored text.
pub(crate) fn text_of(name: &[u8], text: &mut Vec<u8>) -> bool {
    text.clear();
    for label in Labels(name) {
        if !label.iter().all(|&octet| is_letter(octet)) {
            return false;
        }
        if !text.is_empty() {
            text.push(b'.');
        }
        text.extend_from_slice(label);
    }
    text.len() + 1 == name.len()
}
