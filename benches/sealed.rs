//! What a sealed list costs, in ns a name: `cargo bench --bench sealed`.
//!
//! ```text
//! lists    a name → whether a sealed list has it: unlisted, listed, and unlisted where the
//!          list has no filter, so that every ancestor takes an HMAC
//! decide   an unlisted name → verdict, without a sealed list and with one: what a query pays
//! open     octets and key → table
//! ```
//!
//! Names are synthetic and always the same. Each bench goes round 4,096 names and checks each
//! outcome before any time is taken.
#![expect(clippy::unwrap_used, reason = "a bench: it fails by panicking")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use divan::{Bencher, black_box};
use lachan::dns::name::{Folded, Name};
use lachan::dns::rtype;
use lachan::load::assemble::Assembler;
use lachan::matcher::sealed::{SealedKey, SealedTable, seal};
use lachan::policy::{GroupId, Snapshot, Verdict};
use lachan::resolve::{Now, Trust};

fn main() {
    divan::main();
}

/// Names that a bench goes round.
const ROUND: usize = 4096;
/// Calls of a sample: long against the timer.
const SAMPLE: u32 = ROUND as u32 / 4;
const SIZES: [usize; 2] = [1_000, 100_000];

fn key() -> SealedKey {
    SealedKey::new([7; 32])
}

/// Three labels, 20 octets or so, as most names are.
fn name(kind: &str, number: usize) -> Name {
    let mut z = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^= z >> 27;
    Name::from_text(&format!("www.{kind}{:x}.com", z >> 36)).unwrap()
}

fn sealed(size: usize) -> Vec<u8> {
    let names: Vec<Name> = (0..size).map(|number| name("l", number)).collect();
    seal(&names, &key())
}

/// The same list without its filter, as a tool of somebody else's may make it.
fn without_filter(octets: &[u8]) -> Vec<u8> {
    let words = u32::from_le_bytes(octets[16..20].try_into().unwrap()) as usize;
    let mut head = octets[..40].to_vec();
    head[16..20].copy_from_slice(&[0; 4]);
    let mut octets = [head.as_slice(), &octets[40 + 8 * words..octets.len() - 32]].concat();
    let hmac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[7; 32]);
    let tag = aws_lc_rs::hmac::sign(&hmac, &octets);
    octets.extend_from_slice(tag.as_ref());
    octets
}

fn run(bencher: Bencher<'_, '_>, table: &SealedTable, kind: &str, size: usize, is_listed: bool) {
    let names: Vec<Folded> =
        (0..ROUND).map(|number| Folded::from_name(&name(kind, number * 7919 % size))).collect();
    assert!(names.iter().all(|name| table.lists(name) == is_listed));
    let mut next = 0;
    bencher.bench_local(|| {
        next = (next + 1) % ROUND;
        table.lists(black_box(&names[next]))
    });
}

#[divan::bench(args = SIZES, sample_size = SAMPLE, sample_count = 200)]
fn lists_unlisted(bencher: Bencher<'_, '_>, size: usize) {
    run(bencher, &SealedTable::open(&sealed(size), &key()).unwrap(), "u", usize::MAX >> 14, false);
}

#[divan::bench(args = SIZES, sample_size = SAMPLE, sample_count = 200)]
fn lists_listed(bencher: Bencher<'_, '_>, size: usize) {
    run(bencher, &SealedTable::open(&sealed(size), &key()).unwrap(), "l", size, true);
}

#[divan::bench(args = SIZES, sample_size = SAMPLE, sample_count = 200)]
fn lists_unlisted_without_filter(bencher: Bencher<'_, '_>, size: usize) {
    let table = SealedTable::open(&without_filter(&sealed(size)), &key()).unwrap();
    run(bencher, &table, "u", usize::MAX >> 14, false);
}

/// The embedded policy, with a sealed list of `size` names, or none.
fn snapshot(dir: &Path, size: usize) -> Snapshot {
    let mut config = String::new();
    if size > 0 {
        fs::write(dir.join("list"), sealed(size)).unwrap();
        fs::write(dir.join("key"), key().to_text().as_bytes()).unwrap();
        fs::set_permissions(dir.join("key"), Permissions::from_mode(0o600)).unwrap();
        config += "[[lists.source]]\ncategory = \"csam\"\nformat = \"sealed\"\n\
                   path = \"list\"\nkey = \"key\"\n";
    }
    fs::write(dir.join("gateway.toml"), config).unwrap();
    Assembler::new(Some(dir.join("gateway.toml"))).assemble().unwrap().snapshot
}

#[divan::bench(args = [0, 100_000], sample_size = SAMPLE, sample_count = 200)]
fn decide_unlisted(bencher: Bencher<'_, '_>, size: usize) {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = snapshot(dir.path(), size);
    let names: Vec<Folded> =
        (0..ROUND).map(|number| Folded::from_name(&name("u", number))).collect();
    let now = Now { mono: 1, civil: 1_800_000_000, trust: Trust::Synced };
    let decide = |name| {
        let bound = snapshot.rules_at(GroupId(0), now);
        snapshot.decide(bound, &snapshot.hashed(black_box(name)), rtype::A)
    };
    assert!(names.iter().all(|name| matches!(decide(name), Verdict::Pass(_))));
    let mut next = 0;
    bencher.bench_local(|| {
        next = (next + 1) % ROUND;
        decide(&names[next])
    });
}

#[divan::bench(args = SIZES, sample_size = 1, sample_count = 20)]
fn open(bencher: Bencher<'_, '_>, size: usize) {
    let (octets, key) = (sealed(size), key());
    bencher.bench_local(|| SealedTable::open(black_box(&octets), &key).unwrap());
}
