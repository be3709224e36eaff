//! Aho-Corasick automaton over all literals, stepped by hand.
//!
//! Each search call of the crate has a set-up cost; for a label of a dozen octets
//! it exceeds the search. Each text starts afresh at the start state: keyword rules scan label by
//! label, so that a hit never crosses a dot; patterns scan whole names.

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::dfa::{self, DFA};
use aho_corasick::nfa::contiguous::{self, NFA};
use aho_corasick::{Anchored, MatchKind, StartKind};

/// The most literals for the DFA, which needs about 1 KB a literal.
const DFA_LITERALS: usize = 5000;

/// The automaton of a set of literals.
pub(in crate::matcher) struct Automaton {
    engine: Engine,
    start: StateID,
}

enum Engine {
    Fast(DFA),
    /// A tenth of the memory, for rule sets past [`DFA_LITERALS`].
    Small(NFA),
}

impl Automaton {
    /// The automaton of `words`, or `None` when there are none.
    ///
    /// # Panics
    ///
    /// If the words together are longer than 2³¹ octets, which no rule file is.
    pub(in crate::matcher) fn new(words: &[&[u8]]) -> Option<Self> {
        if words.is_empty() {
            return None;
        }
        let engine = if words.len() <= DFA_LITERALS {
            dfa::Builder::new()
                .match_kind(MatchKind::Standard)
                .start_kind(StartKind::Unanchored)
                .prefilter(false)
                .build(words)
                .map(Engine::Fast)
        } else {
            contiguous::Builder::new()
                .match_kind(MatchKind::Standard)
                .prefilter(false)
                .build(words)
                .map(Engine::Small)
        };
        let engine = engine.expect("literals of at most 63 octets make few enough states");
        let start = match &engine {
            Engine::Fast(dfa) => dfa.start_state(Anchored::No),
            Engine::Small(nfa) => nfa.start_state(Anchored::No),
        };
        Some(Self { engine, start: start.expect("built for unanchored searches") })
    }

    /// Octets of its states.
    pub(in crate::matcher) fn octets(&self) -> usize {
        match &self.engine {
            Engine::Fast(dfa) => dfa.memory_usage(),
            Engine::Small(nfa) => nfa.memory_usage(),
        }
    }

    /// Calls `found` with each literal in `label` and the octet after its end.
    #[inline]
    pub(in crate::matcher) fn scan(&self, label: &[u8], found: impl FnMut(usize, usize)) {
        match &self.engine {
            Engine::Fast(dfa) => step(dfa, self.start, label, found),
            Engine::Small(nfa) => step(nfa, self.start, label, found),
        }
    }
}

#[inline]
fn step(
    automaton: &impl aho_corasick::automaton::Automaton,
    start: StateID,
    label: &[u8],
    mut found: impl FnMut(usize, usize),
) {
    let mut state = start;
    for (at, &octet) in label.iter().enumerate() {
        state = automaton.next_state(Anchored::No, state, octet);
        if automaton.is_match(state) {
            for nth in 0..automaton.match_len(state) {
                found(automaton.match_pattern(state, nth).as_usize(), at + 1);
            }
        }
    }
}
