//! Expression: the text of a pattern → a bounded automaton and its literals.

use std::fmt;

use regex_automata::Input;
use regex_automata::nfa::thompson::backtrack::{BoundedBacktracker, Cache};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_syntax::ParserBuilder;
use regex_syntax::ast;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look, Repetition};

use super::{HostText, MAX_LENGTH, MAX_OCTETS, PatternError, glob, literal};
use crate::dns::name;

/// The deepest nesting of an expression.
const MAX_DEPTH: u32 = 32;

/// One pattern, compiled.
#[derive(Clone)]
pub struct HostPattern {
    text: Box<str>,
    hir: Hir,
    engine: BoundedBacktracker,
    literals: Option<Vec<Box<[u8]>>>,
}

/// The memory of a search; it may be used for any pattern, one after the other.
#[derive(Default)]
pub struct PatternCache(Option<Cache>);

impl HostPattern {
    /// Compiles `/re/` or a [`super::glob`].
    ///
    /// # Errors
    ///
    /// [`PatternError`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use lachan::dns::name::{Folded, Name};
    /// # use lachan::pattern::HostPattern;
    /// let pattern = HostPattern::parse("/^stats?\\./")?;
    /// let is_match = |text| pattern.matches(&Folded::from_name(&Name::from_text(text).unwrap()));
    /// assert!(is_match("stat.x.example") && !is_match("x.stats.example"));
    /// # Ok::<(), lachan::pattern::PatternError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_LENGTH {
            return Err(PatternError::TooLarge);
        }
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let hir = match inner {
            Some(expression) => parse(expression)?,
            None => parse(&glob::expression(text).ok_or(PatternError::NoHost)?)?,
        };
        let hir = folded(&hir);
        let engine = BoundedBacktracker::builder()
            .build_from_nfa(automaton(std::slice::from_ref(&hir), MAX_OCTETS)?)
            .map_err(|_| PatternError::TooLarge)?;
        if engine.max_haystack_len() < name::MAX_OCTETS {
            return Err(PatternError::TooLarge);
        }
        let literals = literal::required(&hir);
        Ok(Self { text: text.into(), hir, engine, literals })
    }

    /// The pattern as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Octets of its automaton.
    pub fn octets(&self) -> usize {
        self.engine.get_nfa().memory_usage() + size_of::<Self>()
    }

    /// Its literals, one of which is in every name that it matches; none where it has none that are
    /// rare enough.
    pub fn literals(&self) -> Option<&[Box<[u8]>]> {
        self.literals.as_deref()
    }

    /// Whether it matches a name. Allocates; for one pattern and one name.
    pub fn matches(&self, name: &name::Folded) -> bool {
        self.finds(&HostText::of(name), &mut PatternCache::default())
    }

    /// Whether it finds something in a text.
    #[inline]
    pub fn finds(&self, text: &HostText, cache: &mut PatternCache) -> bool {
        let cache = cache.0.get_or_insert_with(|| self.engine.create_cache());
        cache.reset(&self.engine);
        let input = Input::new(text.as_octets()).earliest(true);
        // The only error is a haystack beyond `max_haystack_len`, which no name is.
        self.engine.try_is_match(cache, input).unwrap_or(false)
    }
}

impl fmt::Debug for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostPattern").field(&self.text).finish()
    }
}

/// One automaton of several patterns, of at most `limit` octets.
pub(crate) fn lazy_automaton<'a>(
    patterns: impl Iterator<Item = &'a HostPattern>,
    limit: usize,
) -> Option<NFA> {
    let expressions: Vec<Hir> = patterns.map(|pattern| pattern.hir.clone()).collect();
    automaton(&expressions, limit).ok()
}

/// One automaton of several expressions, of at most `limit` octets.
fn automaton(expressions: &[Hir], limit: usize) -> Result<NFA, PatternError> {
    let config = thompson::Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(limit));
    let mut compiler = thompson::Compiler::new();
    compiler.configure(config).build_many_from_hir(expressions).map_err(|_| PatternError::TooLarge)
}

fn parse(expression: &str) -> Result<Hir, PatternError> {
    let mut parser = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .case_insensitive(true)
        .nest_limit(MAX_DEPTH)
        .build();
    parser.parse(expression).map_err(|error| match error {
        regex_syntax::Error::Parse(error) => match error.kind() {
            ast::ErrorKind::UnsupportedLookAround | ast::ErrorKind::UnsupportedBackreference => {
                PatternError::Unbounded
            }
            ast::ErrorKind::NestLimitExceeded(_) => PatternError::TooLarge,
            _ => PatternError::Syntax,
        },
        _ => PatternError::Syntax,
    })
}

/// The same expression for names, which are in lower case: without capitals, groups and Unicode.
///
/// An expression that ignores case has `[Aa]` for a letter; without the capital that is a literal.
fn folded(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0.to_ascii_lowercase()),
        HirKind::Class(class) => Hir::class(Class::Bytes(folded_class(class))),
        HirKind::Look(look) => Hir::look(ascii(*look)),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(folded(&repetition.sub)),
            ..repetition.clone()
        }),
        HirKind::Capture(capture) => folded(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(folded).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(folded).collect()),
    }
}

fn folded_class(class: &Class) -> ClassBytes {
    let mut octets = match class {
        Class::Bytes(class) => class.clone(),
        Class::Unicode(class) => {
            let range = |range: &regex_syntax::hir::ClassUnicodeRange| {
                let octet = |letter: char| u8::try_from(letter).unwrap_or(u8::MAX);
                ClassBytesRange::new(octet(range.start()), octet(range.end()))
            };
            ClassBytes::new(class.ranges().iter().map(range))
        }
    };
    octets.difference(&ClassBytes::new([ClassBytesRange::new(b'A', b'Z')]));
    octets
}

/// The same assertion about ASCII.
fn ascii(look: Look) -> Look {
    match look {
        Look::WordUnicode => Look::WordAscii,
        Look::WordUnicodeNegate => Look::WordAsciiNegate,
        Look::WordStartUnicode => Look::WordStartAscii,
        Look::WordEndUnicode => Look::WordEndAscii,
        Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
        Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
        other => other,
    }
}
