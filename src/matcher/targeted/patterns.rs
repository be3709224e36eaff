//! Pattern set: which of many patterns match a name.
//!
//! 1. One pass with an Aho-Corasick automaton over the literals of all patterns. A hit names the
//!    patterns to run, each at most once a name, each linear in the name.
//! 2. Patterns without a rare literal (`^[a-z]{20}\.com$`) run on every name, all in one lazy DFA.
//!
//! The memory of a search comes from a pool, so that a worker allocates on its first searches only:
//! buffers grow to the largest pattern, and the lazy DFA to [`LAZY_OCTETS`].

use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::util::pool::Pool;
use regex_automata::{Input, MatchKind, PatternSet as Found};

use crate::matcher::automaton::Automaton;
use crate::pattern::{HostPattern, HostText, MAX_SET_OCTETS, PatternCache, lazy_automaton};

/// Octets that the states of a lazy DFA may take, for each search at a time.
const LAZY_OCTETS: usize = 1 << 20;

/// A maker of search memory.
type Make = Box<dyn Fn() -> Scratch + Send + Sync + UnwindSafe + RefUnwindSafe>;

/// Patterns, each with a number.
pub(super) struct Patterns {
    literals: Option<Automaton>,
    /// The patterns that need a literal, by literal.
    uses: Box<[Box<[u32]>]>,
    /// Those with literals, by place.
    compiled: Box<[HostPattern]>,
    /// The numbers of these.
    numbers: Box<[u32]>,
    lazy: Option<Lazy>,
    pool: Pool<Scratch, Make>,
}

/// Patterns without literals.
struct Lazy {
    dfa: DFA,
    numbers: Box<[u32]>,
}

/// The memory of one search.
struct Scratch {
    cache: PatternCache,
    /// The patterns that were run, one bit each.
    seen: Box<[u64]>,
    lazy: Option<(dfa::Cache, Found)>,
}

impl Patterns {
    /// The set of `patterns` with their numbers; those for which there is no room are returned.
    pub(super) fn new(patterns: Vec<(HostPattern, u32)>) -> Self {
        let (with, without): (Vec<_>, Vec<_>) =
            patterns.into_iter().partition(|(pattern, _)| pattern.literals().is_some());
        let mut found: Vec<(&[u8], u32)> = Vec::new();
        for (place, (pattern, _)) in with.iter().enumerate() {
            let literals = pattern.literals().unwrap_or(&[]);
            found.extend(literals.iter().map(|literal| (&**literal, place as u32)));
        }
        found.sort_unstable();
        let groups: Vec<_> = found.chunk_by(|a, b| a.0 == b.0).collect();
        let words: Vec<&[u8]> =
            groups.iter().filter_map(|group| group.first()).map(|(word, _)| *word).collect();
        let literals = Automaton::new(&words);
        let uses = groups.iter().map(|group| group.iter().map(|(_, place)| *place).collect());
        let uses = uses.collect();
        let lazy = Lazy::new(&without);
        let (dfa, room) = (lazy.as_ref().map(|lazy| lazy.dfa.clone()), with.len().div_ceil(64));
        let make: Make = Box::new(move || Scratch {
            cache: PatternCache::default(),
            seen: vec![0; room].into(),
            lazy: dfa.as_ref().map(|dfa| (dfa.create_cache(), Found::new(dfa.pattern_len()))),
        });
        let (compiled, numbers): (Vec<_>, Vec<_>) = with.into_iter().unzip();
        Self {
            literals,
            uses,
            compiled: compiled.into(),
            numbers: numbers.into(),
            lazy,
            pool: Pool::new(make),
        }
    }

    /// Octets of the automata.
    pub(super) fn octets(&self) -> usize {
        let lazy = self.lazy.as_ref().map_or(0, |lazy| lazy.dfa.get_nfa().memory_usage());
        let literals = self.literals.as_ref().map_or(0, Automaton::octets);
        lazy + literals + self.compiled.iter().map(HostPattern::octets).sum::<usize>()
    }

    /// Calls `hit` with the number of each pattern that matches.
    #[inline]
    pub(super) fn each(&self, text: &HostText, mut hit: impl FnMut(u32)) {
        let mut scratch = None;
        if let Some(automaton) = &self.literals {
            automaton.scan(text.as_octets(), |literal, _| {
                let scratch = scratch.get_or_insert_with(|| {
                    let mut scratch = self.pool.get();
                    scratch.seen.fill(0);
                    scratch
                });
                self.run(literal, text, scratch, &mut hit);
            });
        }
        if let Some(lazy) = &self.lazy {
            let scratch = scratch.get_or_insert_with(|| self.pool.get());
            lazy.each(text, scratch, &mut hit);
        }
    }

    /// Runs the patterns of a literal that were not run for this name.
    fn run(
        &self,
        literal: usize,
        text: &HostText,
        scratch: &mut Scratch,
        hit: &mut impl FnMut(u32),
    ) {
        for &place in self.uses.get(literal).map_or(&[][..], |uses| uses) {
            let place = place as usize;
            let (Some(seen), Some(pattern)) =
                (scratch.seen.get_mut(place / 64), self.compiled.get(place))
            else {
                continue;
            };
            let bit = 1 << (place % 64);
            if *seen & bit == 0 {
                *seen |= bit;
                if pattern.finds(text, &mut scratch.cache)
                    && let Some(&number) = self.numbers.get(place)
                {
                    hit(number);
                }
            }
        }
    }
}

impl Lazy {
    fn new(patterns: &[(HostPattern, u32)]) -> Option<Self> {
        if patterns.is_empty() {
            return None;
        }
        let nfa = lazy_automaton(patterns.iter().map(|(pattern, _)| pattern), MAX_SET_OCTETS);
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(LAZY_OCTETS)
            .skip_cache_capacity_check(true);
        let dfa = nfa.and_then(|nfa| DFA::builder().configure(config).build_from_nfa(nfa).ok())?;
        Some(Self { dfa, numbers: patterns.iter().map(|(_, number)| *number).collect() })
    }

    fn each(&self, text: &HostText, scratch: &mut Scratch, hit: &mut impl FnMut(u32)) {
        let Some((cache, found)) = &mut scratch.lazy else { return };
        found.clear();
        let input = Input::new(text.as_octets());
        // It fails for octets that stop it and for a cache that is given up; both are not set.
        if self.dfa.try_which_overlapping_matches(cache, &input, found).is_err() {
            return;
        }
        for place in found.iter() {
            if let Some(&number) = self.numbers.get(place.as_usize()) {
                hit(number);
            }
        }
    }
}
