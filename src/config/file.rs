//! What was written: the shape of the config file, and nothing of its meaning.
//!
//! Every table is a struct that refuses keys it does not know, and every value
//! that can be wrong in meaning keeps its place ([`Spanned`]) for
//! `check.rs`. All keys are optional here, so that a missing one is
//! reported together with all other mistakes, or gets its default there.
//!
//! The TOML reader stops at the first mistake of *shape* (syntax, unknown key,
//! wrong type); [`parse`] shows that one in the look of all others.
//!
//! Absent on purpose: `flatten` and `untagged`, because both lose the place.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer};
use toml::Spanned;

use crate::diagnostic::{Diagnostic, nearest};

/// A text with its place, if it was given.
pub(super) type Text = Option<Spanned<String>>;
/// A whole number with its place, if it was given.
pub(super) type Number = Option<Spanned<i64>>;
/// A list of texts, each with its place, if it was given.
pub(super) type Texts = Option<Spanned<Vec<Spanned<String>>>>;
/// An amount in quotes with its place, if it was given.
pub(super) type Amount<U> = Option<Spanned<Quoted<U>>>;

/// The whole file.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    /// `default_group = "name"`: where clients outside every prefix go.
    pub(super) default_group: Text,
    /// `[school]`
    pub(super) school: Table<SchoolFile>,
    /// `[listen]`
    pub(super) listen: Table<ListenFile>,
    /// `[admin]`
    pub(super) admin: Table<AdminFile>,
    /// `[upstream]`
    pub(super) upstream: Table<UpstreamFile>,
    /// `[cache]`
    pub(super) cache: Table<CacheFile>,
    /// `[limits]`
    pub(super) limits: Table<LimitsFile>,
    /// `[block]`
    pub(super) block: Table<BlockFile>,
    /// `[rebinding]`
    pub(super) rebinding: Table<RebindingFile>,
    /// `[department]`
    pub(super) department: Table<DepartmentFile>,
    /// `[[schedule]]`
    pub(super) schedule: Vec<Spanned<Table<ScheduleFile>>>,
    /// `[bundle.<name>]`
    pub(super) bundle: BTreeMap<Spanned<String>, Table<BundleFile>>,
    /// `[[group]]`
    pub(super) group: Vec<Spanned<Table<GroupFile>>>,
    /// `[profile.<name>]`
    pub(super) profile: BTreeMap<Spanned<String>, Table<ProfileFile>>,
    /// `[lists]`
    pub(super) lists: Table<ListsFile>,
    /// `[state]`
    pub(super) state: Table<StateFile>,
}

/// `[school]`: who runs this gateway.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SchoolFile {
    pub(super) id: Text,
    pub(super) name: Text,
    pub(super) level: Text,
    pub(super) timezone: Text,
    pub(super) lang: Text,
}

/// `[department]`: what stands above this school.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DepartmentFile {
    pub(super) policy: Text,
}

/// One `[[schedule]]`: when something runs.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ScheduleFile {
    pub(super) name: Text,
    pub(super) days: Texts,
    pub(super) times: Texts,
    pub(super) calendar: Text,
    pub(super) except: Texts,
}

/// One `[bundle.<name>]`: names that belong together.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BundleFile {
    pub(super) names: Texts,
}

/// A file of bundles alone.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Bundles {
    pub(super) bundle: BTreeMap<Spanned<String>, Table<BundleFile>>,
}

/// One `[profile.<name>.during.<schedule>]`: what changes while it runs.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DuringFile {
    pub(super) block: Texts,
    pub(super) observe: Texts,
    pub(super) allow_only: Option<bool>,
}

/// `[listen]`: where clients ask.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListenFile {
    pub(super) dns: Texts,
    pub(super) allow: Texts,
    pub(super) workers: Number,
    pub(super) tcp_connections: Number,
    pub(super) tcp_per_client: Number,
    pub(super) tcp_idle: Amount<Time>,
    pub(super) tcp_in_flight: Number,
}

/// `[admin]`: where the gateway itself is asked.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AdminFile {
    pub(super) listen: Text,
}

/// `[upstream]`: whom we ask.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct UpstreamFile {
    pub(super) servers: Texts,
    pub(super) timeout: Amount<Time>,
    pub(super) in_flight: Number,
    pub(super) server_in_flight: Number,
    pub(super) tls_roots: Text,
}

/// `[cache]`: what is remembered.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CacheFile {
    pub(super) size: Amount<Size>,
    pub(super) min_ttl: Amount<Time>,
    pub(super) max_ttl: Amount<Time>,
    pub(super) max_negative_ttl: Amount<Time>,
    pub(super) stale: Amount<Time>,
    pub(super) stale_after: Amount<Time>,
    pub(super) prefetch: Option<bool>,
    pub(super) failure_ttl: Amount<Time>,
    pub(super) max_failure_ttl: Amount<Time>,
}

/// `[limits]`: what one client may take.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsFile {
    pub(super) client_rate: Number,
    pub(super) client_burst: Number,
    pub(super) client_in_flight: Number,
    pub(super) exempt: Texts,
}

/// `[block]`: what a blocked answer looks like.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BlockFile {
    pub(super) ttl: Amount<Time>,
    pub(super) ede_text: Option<bool>,
}

/// `[rebinding]`: answers from outside with addresses from inside.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RebindingFile {
    pub(super) protect: Option<bool>,
    pub(super) allow: Texts,
}

/// One `[[group]]`: clients under one policy.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GroupFile {
    pub(super) name: Text,
    pub(super) clients: Texts,
    pub(super) listen: Texts,
    pub(super) lessons: Text,
    pub(super) level: Text,
    pub(super) profile: Text,
    pub(super) answer: Text,
}

/// One `[profile.<name>]`: a policy that groups can share.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProfileFile {
    pub(super) level: Text,
    pub(super) block: Texts,
    pub(super) observe: Texts,
    pub(super) allow: Texts,
    pub(super) deny: Texts,
    pub(super) allow_only: Option<Spanned<AllowOnly>>,
    pub(super) during: BTreeMap<Spanned<String>, Table<DuringFile>>,
    pub(super) keywords: Option<bool>,
    pub(super) safesearch: Option<Spanned<Choice>>,
    pub(super) youtube: Text,
    pub(super) canaries: Option<Spanned<Choice>>,
    pub(super) answer: Text,
}

/// `[lists]`: where listed names come from.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListsFile {
    pub(super) starter: Option<bool>,
    pub(super) use_keywords: Option<bool>,
    pub(super) keywords: Text,
    pub(super) packs: Text,
    pub(super) tls_roots: Text,
    pub(super) source: Vec<Spanned<Table<SourceFile>>>,
}

/// `[state]`: what outlives the process.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StateFile {
    pub(super) dir: Text,
}

/// One `[[lists.source]]`: a file of names, a download, or a sealed list.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SourceFile {
    pub(super) category: Text,
    pub(super) path: Text,
    pub(super) format: Text,
    pub(super) scope: Text,
    pub(super) key: Text,
    pub(super) url: Text,
    pub(super) every: Amount<Time>,
    pub(super) timeout: Amount<Time>,
    pub(super) max_size: Amount<Size>,
    pub(super) min_percent: Number,
}

/// Whether only allowed names pass: yes or no, or the names.
#[derive(Debug)]
pub(super) enum AllowOnly {
    Is(bool),
    Names(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for AllowOnly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = AllowOnly;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false` or an array of names")
            }

            fn visit_bool<E: de::Error>(self, is: bool) -> Result<Self::Value, E> {
                Ok(AllowOnly::Is(is))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                let names = Deserialize::deserialize(de::value::SeqAccessDeserializer::new(seq))?;
                Ok(AllowOnly::Names(names))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// A word that stands for all, or a list of some.
#[derive(Debug)]
pub(super) enum Choice {
    Word(String),
    List(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Choice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text in quotes or an array of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Choice::Word(text.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                let words = Deserialize::deserialize(de::value::SeqAccessDeserializer::new(seq))?;
                Ok(Choice::List(words))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// A struct that is written as a table only.
///
/// serde's own structs can also be written as arrays, without keys: `[[school]]` would be taken
/// for one, and its keys for values.
#[derive(Debug, Default)]
pub(super) struct Table<T>(T);

impl<T> Deref for Table<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = Table<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(map)).map(Table)
            }
        }

        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

/// The unit family of a [`Quoted`] amount, for the message when the type is wrong.
pub(super) trait Unit {
    /// What stands after "expected".
    const EXPECTED: &'static str;
}

/// Durations.
#[derive(Debug)]
pub(super) struct Time;

impl Unit for Time {
    const EXPECTED: &'static str = r#"a duration in quotes, such as "1500ms", "30s" or "1h""#;
}

/// Sizes.
#[derive(Debug)]
pub(super) struct Size;

impl Unit for Size {
    const EXPECTED: &'static str = r#"a size in quotes, such as "64MiB""#;
}

/// The text of an amount, not yet read; `quantity.rs` does that.
#[derive(Debug)]
pub(super) struct Quoted<U> {
    pub(super) text: String,
    unit: PhantomData<U>,
}

impl<'de, U: Unit> Deserialize<'de> for Quoted<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<U>(PhantomData<U>);

        impl<U: Unit> de::Visitor<'_> for Visitor<U> {
            type Value = Quoted<U>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(U::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Quoted { text: text.to_owned(), unit: PhantomData })
            }
        }

        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

/// Keys that stand at the top of the file, before any table.
const TOP_KEYS: [&str; 1] = ["default_group"];

/// Reads TOML into a shape.
///
/// # Errors
///
/// The first mistake of shape: syntax, an unknown key, a wrong type.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Diagnostic> {
    toml::from_str(text).map_err(|error| shape_mistake(&error, text))
}

/// Says a TOML error in our words.
fn shape_mistake(error: &toml::de::Error, text: &str) -> Diagnostic {
    let mut span = error.span().unwrap_or(0..0);
    span.end = span.end.min(text.len());
    let message = error.message();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown_key(span, rest);
    }
    let found = text.get(span.clone()).unwrap_or_default();
    if let Some(rest) = message.strip_prefix("invalid type: ") {
        return wrong_type(span, rest, found);
    }
    if message == "duplicate key" {
        return Diagnostic::new(span, format!("`{found}` is given twice in one table"))
            .hint("remove one of the two");
    }
    // Syntax: the reader's own words, on one line.
    Diagnostic::new(span, message.lines().collect::<Vec<_>>().join("; "))
}

/// A value of another type than its key has, in the words of the file.
///
/// `rest` is what serde writes after "invalid type: "; `source` is the value as written.
fn wrong_type(span: Range<usize>, rest: &str, source: &str) -> Diagnostic {
    let (found, expected) = rest.rsplit_once(", expected ").unwrap_or((rest, "another type"));
    if found.ends_with("128") {
        return Diagnostic::new(span, "the number is too large");
    }
    let found = match found {
        "map" => "a table",
        "sequence" => "an array",
        other => other,
    };
    let expected = match expected {
        "i64" => "a whole number",
        "a boolean" => "`true` or `false`",
        "a string" => "a text in quotes",
        "a sequence" => "an array in square brackets",
        "a map" => "a table",
        other => other,
    };
    let hint = match (found, expected) {
        ("a table", "an array in square brackets") => {
            "a table that can stand many times has two brackets: `[[group]]`".to_owned()
        }
        ("an array", "a table") => {
            "a table that stands once has one bracket: `[school]`".to_owned()
        }
        (text, "an array in square brackets") if text.starts_with("string") => {
            format!("write `[{}]`", source.lines().next().unwrap_or_default())
        }
        _ => String::new(),
    };
    let mistake = Diagnostic::new(span, format!("wrong type: found {found}, expected {expected}"));
    if hint.is_empty() { mistake } else { mistake.hint(hint) }
}

/// An unknown key: which are known here, and which was meant.
///
/// `rest` is what serde writes after "unknown field ", every name in backticks,
/// the unknown one first.
fn unknown_key(span: Range<usize>, rest: &str) -> Diagnostic {
    let mut names = rest.split('`').skip(1).step_by(2);
    let found = names.next().unwrap_or_default();
    let known: Vec<&str> = names.collect();
    let mistake = Diagnostic::new(
        span,
        format!(
            "unknown key `{found}`; the keys here are {}",
            super::listed(known.iter().copied())
        ),
    );
    if TOP_KEYS.contains(&found) {
        return mistake.hint(format!("move `{found}` to the top, before the first `[table]`"));
    }
    match nearest(found, known) {
        Some(meant) => mistake.hint(format!("did you mean `{meant}`?")),
        None => mistake,
    }
}
