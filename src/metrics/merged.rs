//! Sites that were blocked in the last minute: the merged counts.
//!
//! One page makes many queries: A, AAAA and HTTPS, retries, names below one site. So a report has two
//! numbers of blocked queries, all of them and *merged* ones: of a group and a registrable domain one
//! in [`WINDOW`] seconds.
//!
//! ```text
//! a name of two labels ─▶ itself
//! a longer one ─▶ are its last two or three known as a site? ─▶ counted in this window
//!                  └ no ─▶ public suffix list ─▶ the site
//! ```
//!
//! Laws: a cell has a keyed hash of group and site, and a second; the key is of this process and on no
//! disk. Neither a lock is taken nor memory allocated. All threads share the table, and two that see
//! a site first in the same moment may both count it; so may a site with a cell that another one took,
//! where more than there are cells were blocked in a minute.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use psl::Psl as _;

use crate::dns::name::Folded;
use crate::dns::public_suffix::PublicSuffixes;
use crate::matcher::SuffixHashes;
use crate::policy::GroupCounters;

/// Seconds in which a group and a site count once.
pub const WINDOW: u64 = 60;
/// Cells in which one site can be: a line of memory.
const WAYS: usize = 8;
/// Lines; a power of two.
const LINES: usize = 1 << 10;
/// Bits of the second in a cell: the rest is of the hash.
const SECOND_BITS: u32 = 24;
const SECONDS: u64 = (1 << SECOND_BITS) - 1;
/// The bit of a name that the public suffix list says is a site. Without it a name of two labels may be
/// one, or a suffix: what is below it asks the list.
const SITE: u64 = 1 << SECOND_BITS;
/// Labels of nearly all sites; others are looked up in the public suffix list each time.
const USUAL: std::ops::RangeInclusive<usize> = 2..=3;

/// Cells of one line of memory; 0 is a free one.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; WAYS]);

/// Sites that were blocked lately, by group.
#[derive(Debug)]
pub struct MergedSites {
    lines: Box<[Line]>,
    key: (u64, u64),
}

/// What a name is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Site {
    /// The registrable domain of this many labels.
    Domain(usize),
    /// The name itself: a public suffix, which is nobody's site.
    Whole,
}

impl MergedSites {
    /// Nothing, under a key that no other process has.
    pub fn new(key: (u64, u64)) -> Self {
        Self { lines: (0..LINES).map(|_| Line::default()).collect(), key }
    }

    /// Whether a blocked query for a name is the first of its group and site in this window; then the
    /// window begins. `now` is in seconds of the gateway's clock.
    #[inline]
    pub fn is_first(
        &self,
        group: GroupCounters,
        (name, hashes): (&Folded, &SuffixHashes),
        now: u64,
    ) -> bool {
        let (labels, second) = (hashes.label_count(), now & SECONDS);
        let mark = |count: usize| self.mark(group, hashes.at(labels.saturating_sub(count)));
        if labels <= *USUAL.start() {
            // Its own site, or a public suffix: it counts by itself in either case.
            return self.begin(mark(labels), 0, second);
        }
        // A name below a site that counted counts with it: no list of suffixes is needed.
        let is_known = |count| self.is_site(mark(count), second);
        if USUAL.take_while(|count| *count <= labels).any(is_known) {
            return false;
        }
        match site(name) {
            Site::Domain(count) => self.begin(mark(count), SITE, second),
            Site::Whole => self.begin(mark(labels), 0, second),
        }
    }

    #[inline]
    fn line(&self, mark: u64) -> &[AtomicU64] {
        let line = self.lines.get(mark as usize % LINES);
        line.map_or(&[], |Line(cells)| cells)
    }

    /// Whether a mark is known as a site, and counted in a window that is not over.
    #[inline]
    fn is_site(&self, mark: u64, second: u64) -> bool {
        let is_it = |cell: &AtomicU64| {
            let found = cell.load(Relaxed);
            is_same(found, mark) && found & SITE != 0 && age(found, second) < WINDOW
        };
        self.line(mark).iter().any(is_it)
    }

    /// Begins the window of a mark, in the place of the oldest one; false where it has begun. `kind` is
    /// [`SITE`] where the mark is known as one.
    #[inline]
    fn begin(&self, mark: u64, kind: u64, second: u64) -> bool {
        let (mut oldest, mut greatest) = (None, 0);
        for cell in self.line(mark) {
            let found = cell.load(Relaxed);
            let old = if found == 0 { u64::MAX } else { age(found, second) };
            if is_same(found, mark) {
                if old < WINDOW {
                    if kind & !found != 0 {
                        cell.store(found | kind, Relaxed);
                    }
                    return false;
                }
                (oldest, greatest) = (Some(cell), u64::MAX);
            } else if oldest.is_none() || old > greatest {
                (oldest, greatest) = (Some(cell), old);
            }
        }
        if let Some(cell) = oldest {
            cell.store(mark & !(SECONDS | SITE) | kind | second, Relaxed);
        }
        true
    }

    /// The keyed hash of a group and a suffix, never that of a free cell.
    #[inline]
    fn mark(&self, group: GroupCounters, suffix: u64) -> u64 {
        let word = suffix ^ self.key.0 ^ u64::from(group.0);
        let product = u128::from(word) * u128::from(self.key.1 | 1 << 63 | 1);
        ((product as u64) ^ (product >> 64) as u64) | 1 << 63
    }
}

/// Whether a cell is of a mark, whatever its second and kind.
#[inline]
fn is_same(cell: u64, mark: u64) -> bool {
    (cell ^ mark) & !(SECONDS | SITE) == 0
}

/// Seconds since the second of a cell.
#[inline]
fn age(cell: u64, second: u64) -> u64 {
    second.wrapping_sub(cell & SECONDS) & SECONDS
}

/// The site of a name, by the public suffix list.
#[inline(never)]
fn site(name: &Folded) -> Site {
    let labels = name.label_count();
    let info = PublicSuffixes.find((0..labels).rev().map(|index| name.label(index)));
    // Behind the last letter: a suffix of the list is counted in octets, dots included.
    let end = name.as_wire().len().saturating_sub(2);
    let mut count = 1;
    while count < labels && end.saturating_sub(name.start(labels - count)) < info.len {
        count += 1;
    }
    if count < labels { Site::Domain(count + 1) } else { Site::Whole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::Name;
    use crate::pack::SEED;

    fn first(table: &MergedSites, group: u8, name: &str, now: u64) -> bool {
        let name = Folded::from_name(&Name::from_text(name).unwrap());
        table.is_first(GroupCounters(group), (&name, &SuffixHashes::of(&name, SEED)), now)
    }

    #[test]
    fn a_group_and_a_site_count_once_in_a_minute() {
        let table = MergedSites::new((1, 2));
        assert!(first(&table, 0, "a.b.site.com.vn", 1000));
        assert!(!first(&table, 0, "site.com.vn", 1000), "the same site");
        assert!(!first(&table, 0, "x.site.com.vn", 1059), "within the window of the first");
        assert!(first(&table, 1, "site.com.vn", 1000), "another group");
        assert!(first(&table, 0, "other.com.vn", 1000), "another site of the same suffix");
        assert!(first(&table, 0, "site.com.vn", 1060), "the next window");
    }

    #[test]
    fn suffixes_of_any_length_have_sites_and_none_of_their_own() {
        let table = MergedSites::new((3, 4));
        let names = ["com.vn", "a.com.vn", "github.io", "one.github.io", "two.github.io", "vn"];
        for name in names {
            assert!(first(&table, 0, name, 5), "{name} is a site of its own");
            assert!(!first(&table, 0, name, 5), "{name} counted");
        }
        assert!(!first(&table, 0, "x.y.two.github.io", 6));
        // A site that counted by its own name, before its list was asked.
        assert!(first(&table, 0, "own.com", 7) && !first(&table, 0, "a.own.com", 7));
        assert!(!first(&table, 0, "b.own.com", 8) && !first(&table, 0, "own.com", 8));
        assert!(first(&table, 0, "a.own.com", 67), "the window is that of the first");
        let site = |text: &str| {
            let name = Folded::from_name(&Name::from_text(text).unwrap());
            site(&name)
        };
        assert_eq!(site("www.example.com"), Site::Domain(2));
        assert_eq!(site("a.b.com.vn"), Site::Domain(3));
        assert_eq!(site("com"), Site::Whole);
        assert_eq!(site("x.s3.dualstack.us-east-1.amazonaws.com"), Site::Domain(6));
        assert_eq!(site("a.no-such-suffix-at-all"), Site::Domain(2));
    }

    /// More sites than cells: the newest windows stay, and none counts twice at once.
    #[test]
    fn many_sites_at_once_lose_the_oldest_windows_only() {
        let table = MergedSites::new((5, 6));
        let count = |from: u64, now| {
            (from..from + 2000).filter(|n| first(&table, 0, &format!("s{n}.com"), now)).count()
        };
        assert_eq!(count(0, 10), 2000);
        let again = count(0, 11);
        assert!(again < 20, "{again} of 2,000 lost their cells in a table of 8,192");
        assert!(count(0, 80) == 2000);
    }
}
