//! Syntax: TOML types that serde lacks (tables only, a word or a list, quoted quantities),
//! and TOML errors as diagnostics.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer};
use toml::Spanned;

use crate::diagnostic::{Diagnostic, nearest};
use crate::lang::{Message, messages};

/// What a [`Table`] expects: serde hands the words on, [`type_expected`] makes a message of them.
const TABLE: &str = "a table";
/// What a [`Choice`] expects.
const WORD_OR_LIST: &str = "a word or a list";
/// What [`AllowOnly`] expects.
const IS_OR_NAMES: &str = "a boolean or names";

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
                f.write_str(IS_OR_NAMES)
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
                f.write_str(WORD_OR_LIST)
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
                f.write_str(TABLE)
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
    /// What is expected, as serde hands it on.
    const EXPECTED: &'static str;
    /// Quantities as they are written.
    const EXAMPLES: &'static str;
}

/// Durations.
#[derive(Debug)]
pub(crate) struct Time;

impl Unit for Time {
    const EXPECTED: &'static str = "a duration";
    const EXAMPLES: &'static str = r#""1500ms", "30s" or "1h""#;
}

/// Sizes.
#[derive(Debug)]
pub(crate) struct Size;

impl Unit for Size {
    const EXPECTED: &'static str = "a size";
    const EXAMPLES: &'static str = r#""64MiB""#;
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
        return Diagnostic::new(span, messages::key_twice(found)).hint(messages::remove_one());
    }
    // Syntax: the TOML reader's own message, on one line.
    Diagnostic::new(span, Message::english(message.lines().collect::<Vec<_>>().join("; ")))
}

/// A value of the wrong type, in terms of TOML instead of serde.
///
/// `rest` is what serde writes after "invalid type: "; `source` is the value as written.
fn wrong_type(span: Range<usize>, rest: &str, source: &str) -> Diagnostic {
    let (found, expected) = rest.rsplit_once(", expected ").unwrap_or((rest, "another type"));
    if found.ends_with("128") {
        return Diagnostic::new(span, messages::number_too_large());
    }
    let mistake =
        Diagnostic::new(span, messages::wrong_type(type_found(found), type_expected(expected)));
    match (found, expected) {
        ("map", "a sequence") => mistake.hint(messages::brackets_of_many("[[group]]")),
        ("sequence", "a map" | "a table") => mistake.hint(messages::brackets_of_one("[school]")),
        (text, "a sequence") if text.starts_with("string") => {
            let value = source.lines().next().unwrap_or_default();
            mistake.hint(messages::write(format!("[{value}]")))
        }
        _ => mistake,
    }
}

/// What was found, by the words of serde.
fn type_found(words: &str) -> Message {
    let quoted = |kind: &str| words.strip_prefix(kind)?.strip_prefix(" `")?.strip_suffix('`');
    match words {
        "map" => messages::a_table(),
        "sequence" => messages::an_array(),
        _ => {
            let integer = quoted("integer").map(messages::found_integer);
            let float = || quoted("floating point").map(messages::found_float);
            let boolean = || quoted("boolean").map(messages::found_boolean);
            let string = || words.strip_prefix("string ").map(messages::found_string);
            let found = integer.or_else(float).or_else(boolean).or_else(string);
            found.unwrap_or_else(|| Message::english(words))
        }
    }
}

/// What was expected, by the words of serde and of the visitors above.
fn type_expected(words: &str) -> Message {
    match words {
        "i64" => messages::a_whole_number(),
        "a boolean" => messages::true_or_false(),
        "a string" => messages::a_text(),
        "a sequence" => messages::an_array_in_brackets(),
        "a map" | TABLE => messages::a_table(),
        WORD_OR_LIST => messages::a_text_or_array(),
        IS_OR_NAMES => messages::true_false_or_names(),
        Time::EXPECTED => messages::a_duration(Time::EXAMPLES),
        Size::EXPECTED => messages::a_size(Size::EXAMPLES),
        _ => Message::english(words),
    }
}

/// An unknown key, with the keys that are known here and the one probably meant.
///
/// `rest` is what serde writes after "unknown field ", every name in backticks,
/// the unknown one first.
fn unknown_key(span: Range<usize>, rest: &str) -> Diagnostic {
    let mut names = rest.split('`').skip(1).step_by(2);
    let found = names.next().unwrap_or_default();
    let known: Vec<&str> = names.collect();
    let mistake =
        Diagnostic::new(span, messages::unknown_key(found, listed(known.iter().copied())));
    if TOP_KEYS.contains(&found) {
        return mistake.hint(messages::move_to_the_top(found));
    }
    match nearest(found, known) {
        Some(meant) => mistake.hint(messages::did_you_mean(meant)),
        None => mistake,
    }
}

/// Writes alternatives for a message: `a`, `b`, `c`.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
