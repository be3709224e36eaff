//! Syntax: TOML types that serde lacks (tables only, a word or a list, quoted quantities),
//! and TOML errors as diagnostics.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer};
use toml::Spanned;

use crate::diagnostic::{Diagnostic, nearest};

/// Whether only allowed names pass: yes or no, or the names.
#[derive(Debug)]
pub(crate) enum AllowOnly {
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
pub(crate) enum Choice {
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
pub(crate) struct Table<T>(T);

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

/// The unit of a [`Quoted`] quantity, for the message about a wrong type.
pub(crate) trait Unit {
    /// What follows "expected" in the message.
    const EXPECTED: &'static str;
}

/// Durations.
#[derive(Debug)]
pub(crate) struct Time;

impl Unit for Time {
    const EXPECTED: &'static str = r#"a duration in quotes, such as "1500ms", "30s" or "1h""#;
}

/// Sizes.
#[derive(Debug)]
pub(crate) struct Size;

impl Unit for Size {
    const EXPECTED: &'static str = r#"a size in quotes, such as "64MiB""#;
}

/// The text of a quantity, which `quantity.rs` reads.
#[derive(Debug)]
pub(crate) struct Quoted<U> {
    pub(crate) text: String,
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
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Diagnostic> {
    toml::from_str(text).map_err(|error| shape_mistake(&error, text))
}

/// A TOML error as a diagnostic.
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
    // Syntax: the TOML reader's own message, on one line.
    Diagnostic::new(span, message.lines().collect::<Vec<_>>().join("; "))
}

/// A value of the wrong type, in terms of TOML instead of serde.
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

/// An unknown key, with the keys that are known here and the one probably meant.
///
/// `rest` is what serde writes after "unknown field ", every name in backticks,
/// the unknown one first.
fn unknown_key(span: Range<usize>, rest: &str) -> Diagnostic {
    let mut names = rest.split('`').skip(1).step_by(2);
    let found = names.next().unwrap_or_default();
    let known: Vec<&str> = names.collect();
    let mistake = Diagnostic::new(
        span,
        format!("unknown key `{found}`; the keys here are {}", listed(known.iter().copied())),
    );
    if TOP_KEYS.contains(&found) {
        return mistake.hint(format!("move `{found}` to the top, before the first `[table]`"));
    }
    match nearest(found, known) {
        Some(meant) => mistake.hint(format!("did you mean `{meant}`?")),
        None => mistake,
    }
}

/// Writes alternatives for a message: `a`, `b`, `c`.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
