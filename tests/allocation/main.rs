//! Nothing is allocated for what can be answered at once; the proof counts: in `begin` for
//! each kind of answer, and in the whole turn of a worker.
//!
//! The policy is the real one: starter lists, essential names, canaries. Cached answers
//! come into the cache the way they always do, through `Forward::finish` with octets from
//! upstream. Allocations are counted by thread, so that tests beside each other do not mix,
//! and nothing is warmed up: the first query counts as the thousandth.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test binary")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::Ipv4Addr;
use std::sync::Arc;

use lachan::dns::message::Rcode;
use lachan::dns::name::Name;
use lachan::dns::rtype;
use lachan::load::assemble::Assembler;
use lachan::policy::{AnswerMode, Snapshot};
use lachan::resolve::{AnswerSource, Begin, Done, Now, Outcome, Trust};

use self::kit::core::Core;
use self::kit::folder::{Folder, embedded};
use self::kit::wire::{self, QNAME, wire};

#[path = "../kit/mod.rs"]
mod kit;
mod policy;
mod worker;

/// The system's allocator, with a count of what each thread asks it for.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends has no count any more, and nobody reads it.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

#[expect(unsafe_code, reason = "a global allocator cannot be written without")]
// SAFETY: every call goes to `System` with the arguments it came with, so its contract is
// ours. Counting neither allocates (a const-initialised `Cell` without drop glue) nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A name of the starter lists.
const BLOCKED: &str = "www.adult.test.lachan.example";

/// A moment, so many seconds after the start.
fn at(mono: u64) -> Now {
    Now { mono, civil: 1_800_000_000 + mono, trust: Trust::Synced }
}

/// The core, and room for its replies that was made before anything is counted.
struct Counted {
    core: Core,
    out: Vec<u8>,
}

impl Counted {
    fn new(snapshot: Snapshot) -> Self {
        Self { core: Core::new(snapshot), out: vec![0; 65_535] }
    }

    /// What runs without a config.
    fn embedded() -> Self {
        Self::new(embedded())
    }

    /// The starter lists, and one group for each answer mode.
    fn with_every_mode() -> Self {
        let groups = AnswerMode::ALL.iter().zip(1..).map(|(mode, number)| {
            let id = mode.id();
            format!(
                "[[group]]\nname = \"{id}\"\nclients = [\"10.0.{number}.0/24\"]\n\
                 profile = \"{id}\"\n\n\
                 [profile.{id}]\nlevel = \"primary\"\nblock = [\"adult\"]\nanswer = \"{id}\"\n\n"
            )
        });
        let head = "default_group = \"nxdomain\"\n\n[portal]\nlisten = [\"127.0.0.1:8080\"]\n\n";
        let text = groups.fold(head.to_owned(), |text, group| text + &group);
        Self::new(Folder::new(&text, &[]).policy())
    }

    /// Begins a query at second `mono`; the step, and how often memory was asked for.
    fn begin(&mut self, query: &[u8], client: Ipv4Addr, mono: u64) -> (Begin, u64) {
        let before = ASKED.get();
        let step = self.core.begin(query, client, at(mono), &mut self.out);
        (step, ASKED.get() - before)
    }

    /// Puts an upstream's answer to `query` into the cache.
    fn learn(&self, query: &[u8], upstream: &[u8]) {
        self.core.learn(query, CLIENT, at(1), upstream);
    }

    /// Asks with and without OPT, later than the cache was filled: each must be answered at
    /// once, as expected, without asking for memory.
    fn expect(
        &mut self,
        name: &str,
        qtype: u16,
        client: Ipv4Addr,
        rcode: Rcode,
        source: AnswerSource,
    ) {
        for has_opt in [false, true] {
            let (step, asked) = self.begin(&query(name, qtype, has_opt), client, 61);
            let Begin::Done(Done::Reply(length, outcome)) = step else {
                panic!("{name}: {step:?}")
            };
            assert_eq!((outcome.rcode, outcome.source), (rcode, source), "{name} {qtype}");
            assert_eq!(self.out[..length][11], u8::from(has_opt), "{name}: OPT as in the query");
            assert_eq!(asked, 0, "{name} {qtype} (OPT: {has_opt}): memory was asked for");
        }
    }
}

const CLIENT: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A query in odd case, as 0x20 makes it.
fn query(name: &str, qtype: u16, has_opt: bool) -> Vec<u8> {
    let mut octets = wire::query(&Name::from_text(name).unwrap(), qtype);
    let end = octets.len() - 4;
    octets[12..end].make_ascii_uppercase();
    octets[11] = u8::from(has_opt);
    if has_opt {
        octets.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    }
    octets
}

/// What upstream says: the question, and records in answer and authority.
fn response(name: &str, qtype: u16, rcode: Rcode, answer: &[Vec<u8>], soa: bool) -> Vec<u8> {
    let mut asked = wire::query(&Name::from_text(name).unwrap(), qtype);
    // The id of another query than the client's.
    asked[..2].copy_from_slice(&[0, 7]);
    let times = [1_u32, 3600, 600, 86_400, 300].map(u32::to_be_bytes).concat();
    let rdata = [b"\x02ns\xc0\x0c\xc0\x0c".as_slice(), &times].concat();
    let soa = soa.then(|| record(QNAME, rtype::SOA, &rdata));
    wire::response(&asked, rcode.0 as u8, answer, soa.as_slice())
}

fn record(owner: &[u8], rtype: u16, rdata: &[u8]) -> Vec<u8> {
    wire::record(owner, rtype, 300, rdata)
}

fn address(owner: &[u8]) -> Vec<u8> {
    record(owner, rtype::A, &[192, 0, 2, 1])
}

#[test]
fn a_blocked_answer_allocates_nothing_in_every_mode() {
    let mut core = Counted::with_every_mode();
    let expected =
        [Rcode::NXDOMAIN, Rcode::NOERROR, Rcode::NOERROR, Rcode::NOERROR, Rcode::REFUSED];
    for (number, rcode) in (1..).zip(expected) {
        let client = Ipv4Addr::new(10, 0, number, 9);
        for qtype in [rtype::A, rtype::AAAA, rtype::HTTPS, rtype::ANY] {
            core.expect(BLOCKED, qtype, client, rcode, AnswerSource::Blocked);
        }
    }
    for name in ["lachan.internal", "0123.check.lachan.internal", "check.lachan.internal"] {
        for qtype in [rtype::A, rtype::AAAA, rtype::HTTPS] {
            core.expect(name, qtype, CLIENT, Rcode::NOERROR, AnswerSource::Local);
        }
    }
}

#[test]
fn a_cached_answer_allocates_nothing() {
    let mut core = Counted::embedded();
    let name = "www.example.com";
    let upstream = response(name, rtype::A, Rcode::NOERROR, &[address(QNAME)], false);
    core.learn(&query(name, rtype::A, false), &upstream);
    core.expect(name, rtype::A, CLIENT, Rcode::NOERROR, AnswerSource::Cache);
}

#[test]
fn a_cached_negative_answer_allocates_nothing() {
    let mut core = Counted::embedded();
    for (name, rcode) in [("gone.example.com", Rcode::NXDOMAIN), ("example.com", Rcode::NOERROR)] {
        let upstream = response(name, rtype::A, rcode, &[], true);
        core.learn(&query(name, rtype::A, false), &upstream);
        core.expect(name, rtype::A, CLIENT, rcode, AnswerSource::Cache);
    }
}

/// `name` is an alias of `target`, through one more alias of its own, with an address.
fn chain(name: &str, target: &str) -> Vec<u8> {
    let middle = [b"\x03cdn".as_slice(), QNAME].concat();
    let records = [
        record(QNAME, rtype::CNAME, &middle),
        record(&middle, rtype::CNAME, &wire(target)),
        address(&wire(target)),
    ];
    response(name, rtype::A, Rcode::NOERROR, &records, false)
}

#[test]
fn the_review_of_a_cached_chain_allocates_nothing() {
    let mut core = Counted::embedded();
    core.learn(&query("a.example.com", rtype::A, false), &chain("a.example.com", "b.example.net"));
    core.expect("a.example.com", rtype::A, CLIENT, Rcode::NOERROR, AnswerSource::Cache);
    // And where the review blocks it.
    core.learn(&query("c.example.com", rtype::A, false), &chain("c.example.com", BLOCKED));
    core.expect("c.example.com", rtype::A, CLIENT, Rcode::NXDOMAIN, AnswerSource::Blocked);
}

#[test]
fn what_is_answered_here_allocates_nothing() {
    let mut core = Counted::embedded();
    let local = AnswerSource::Local;
    core.expect("use-application-dns.net", rtype::A, CLIENT, Rcode::NXDOMAIN, local);
    core.expect("mask.icloud.com", rtype::HTTPS, CLIENT, Rcode::NXDOMAIN, local);
    core.expect("localhost", rtype::A, CLIENT, Rcode::NOERROR, local);
    core.expect("printer.local", rtype::A, CLIENT, Rcode::NXDOMAIN, local);
    core.expect("1.0.168.192.in-addr.arpa", rtype::A, CLIENT, Rcode::NXDOMAIN, local);
    core.expect("www.example.com", rtype::ANY, CLIENT, Rcode::NOERROR, local);
}

#[test]
fn what_is_refused_allocates_nothing() {
    let mut core = Counted::embedded();
    let stranger = Ipv4Addr::new(198, 51, 100, 7);
    core.expect("www.example.com", rtype::A, stranger, Rcode::REFUSED, AnswerSource::Refused);
    let malformed = &query("www.example.com", rtype::A, false)[..20];
    let (step, asked) = core.begin(malformed, CLIENT, 1);
    assert!(
        matches!(step, Begin::Done(Done::Reply(_, Outcome { rcode: Rcode::FORMERR, .. }))),
        "{step:?}"
    );
    assert_eq!(asked, 0);
}

/// Sealed lists hash every name that is asked, and every target.
#[test]
fn sealed_lists_allocate_nothing() {
    use std::os::unix::fs::PermissionsExt;

    let key = lachan::matcher::sealed::SealedKey::new([7; 32]);
    let names = ["sealed.example", "other.example"].map(|name| Name::from_text(name).unwrap());
    let config = "[[lists.source]]\ncategory = \"csam\"\nformat = \"sealed\"\n\
                  path = \"list\"\nkey = \"key\"\n";
    let folder = Folder::new(config, &[]);
    folder.write("list", lachan::matcher::sealed::seal(&names, &key));
    folder.write("key", key.to_text().as_bytes());
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.path("key"), mode).unwrap();
    let mut core = Counted::new(folder.policy());
    core.expect("www.sealed.example", rtype::A, CLIENT, Rcode::NXDOMAIN, AnswerSource::Blocked);
    let name = "www.example.com";
    let upstream = response(name, rtype::A, Rcode::NOERROR, &[address(QNAME)], false);
    core.learn(&query(name, rtype::A, false), &upstream);
    core.expect(name, rtype::A, CLIENT, Rcode::NOERROR, AnswerSource::Cache);
    core.learn(
        &query("a.example.com", rtype::A, false),
        &chain("a.example.com", "x.other.example"),
    );
    core.expect("a.example.com", rtype::A, CLIENT, Rcode::NXDOMAIN, AnswerSource::Blocked);
}

/// After a swap to other lists the names of an answer are looked up again, once for each
/// answer, and what was found is kept; a swap to the same lists costs nothing.
#[test]
fn a_chain_is_looked_up_again_only_under_new_lists() {
    let mut core = Counted::embedded();
    core.learn(&query("a.example.com", rtype::A, false), &chain("a.example.com", "b.example.net"));
    let mut assembler = Assembler::new(None);
    assembler.assemble().unwrap();
    core.core.snapshot = Arc::new(assembler.assemble().unwrap().snapshot);
    core.expect("a.example.com", rtype::A, CLIENT, Rcode::NOERROR, AnswerSource::Cache);

    let config = "[[lists.source]]\ncategory = \"adult\"\npath = \"list.txt\"\n";
    let folder = Folder::new(config, &[("list.txt", "b.example.net\n")]);
    let mut assembler = folder.assembler();
    assembler.assemble().unwrap();
    folder.write("list.txt", "b.example.net\nc.example.net\n");
    core.core.snapshot = Arc::new(assembler.assemble().unwrap().snapshot);
    let (step, asked) = core.begin(&query("a.example.com", rtype::A, false), CLIENT, 61);
    assert!(
        matches!(step, Begin::Done(Done::Reply(_, outcome)) if outcome.blocked.is_some()),
        "{step:?}"
    );
    assert!(asked > 0);
    core.expect("a.example.com", rtype::A, CLIENT, Rcode::NXDOMAIN, AnswerSource::Blocked);
}

/// Without this, the other tests would pass with an allocator that counts nothing.
#[test]
fn a_miss_is_counted() {
    let mut core = Counted::embedded();
    let (step, asked) = core.begin(&query("www.example.com", rtype::A, false), CLIENT, 1);
    assert!(matches!(step, Begin::Forward(_)), "{step:?}");
    assert!(asked > 0, "a miss owns its query, and that takes memory");
}
