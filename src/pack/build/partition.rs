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
    /// The names with the smallest rotated hashes: the same in whatever order they came.
    sample: Vec<(u64, Box<[u8]>)>,
    /// Rotated hashes above this limit are not in the sample.
    limit: u64,
}

impl Partitioner {
    pub(crate) fn new() -> Self {
        Self {
            partitions: (0..PARTITIONS).map(|_| Partition::default()).collect(),
            sample: Vec::new(),
            limit: u64::MAX,
        }
    }

    /// Adds a rule of a name without its root octet.
    pub(crate) fn push(&mut self, hash: u64, name: &[u8], rule: u16) {
        if let Some(partition) = self.partitions.get_mut(partition_of(hash)) {
            partition.push(name, rule);
        }
        let rotated = hash.rotate_left(24);
        if rotated <= self.limit {
            self.sample.push((rotated, name.into()));
            if self.sample.len() >= 2 * SAMPLE {
                self.trim();
            }
        }
    }

    fn trim(&mut self) {
        self.sample.sort_unstable();
        self.sample.dedup();
        self.sample.truncate(SAMPLE);
        if self.sample.len() == SAMPLE {
            self.limit = self.sample.last().map_or(u64::MAX, |(rotated, _)| *rotated);
        }
    }

    /// The sample as text, taken out of the partitioner.
    pub(crate) fn take_sample(&mut self) -> Vec<Vec<u8>> {
        self.trim();
        let text = |(_, name): (u64, Box<[u8]>)| {
            let mut text = Vec::new();
            text_of(&name, &mut text).then_some(text)
        };
        std::mem::take(&mut self.sample).into_iter().filter_map(text).collect()
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
