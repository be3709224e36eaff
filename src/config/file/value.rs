//! Kinds of values: each is read, or reported with what is allowed.
//!
//! Each kind is checked by one function, so that a mistake has the same message under
//! every key. A wrong value leaves `to`, the default, as it is.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;

use crate::category::{CategoryId, Level, Taxonomy};
use crate::config::file::quantity::{self, QuantityError, show_duration, show_size};
use crate::config::file::report::Report;
use crate::config::file::shape::{
    BundleFile, Number, Quoted, Size, SpannedText, SpannedTexts, Table, Time,
};
use crate::config::file::wire_error::name_error;
use crate::dns::name::Name;
use crate::lang::{Message, messages};

impl Report<'_> {
    /// A school level by its id.
    pub(crate) fn level(&mut self, given: &SpannedText) -> Option<Level> {
        self.choice(messages::level(), given.as_ref()?, &Level::ALL, Level::id)
    }

    /// A category by its id.
    pub(crate) fn category(
        &mut self,
        taxonomy: &Taxonomy,
        given: &Spanned<String>,
    ) -> Option<CategoryId> {
        let found = taxonomy.find(given.get_ref());
        if found.is_none() {
            self.unknown(
                messages::category(),
                given,
                taxonomy.iter().map(|(_, row)| row.id.as_str()),
            );
        }
        found
    }

    /// A text that passes `is_right`; `wrong` is the mistake of one that does not.
    pub(crate) fn text(
        &mut self,
        given: &SpannedText,
        is_right: impl Fn(&str) -> bool,
        wrong: fn(String) -> Message,
        to: &mut String,
    ) {
        let Some(given) = given else { return };
        if is_right(given.get_ref()) {
            to.clone_from(given.get_ref());
        } else {
            self.mistake(given.span(), wrong(format!("{:?}", given.get_ref())));
        }
    }

    /// The name of a group, profile, schedule, bundle or service: a label of metrics and files.
    pub(crate) fn label(&mut self, kind: Message, given: &Spanned<String>) {
        let text = given.get_ref();
        let is_right = (1..=32).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
        if !is_right {
            self.mistake(given.span(), messages::no_label(format!("{text:?}"), kind));
        }
    }

    /// A name; the hint shows the name inside a URL or a pattern.
    pub(crate) fn name(&mut self, key: &str, text: &Spanned<String>) -> Option<Name> {
        match Name::from_text(text.get_ref()) {
            Ok(name) => Some(name),
            Err(error) => {
                let shown = text.get_ref();
                let mistake =
                    self.mistake(text.span(), messages::no_name_in(shown, key, name_error(&error)));
                mistake.hint = plain_name(shown).map(messages::write_plain_name);
                None
            }
        }
    }

    /// Names of a list; those with a mistake are left out.
    pub(crate) fn names(&mut self, key: &str, given: &SpannedTexts) -> Vec<Name> {
        each(given).filter_map(|text| self.name(key, text)).collect()
    }

    /// Bundles of names, by the bundle's name.
    pub(crate) fn bundles(
        &mut self,
        given: &BTreeMap<Spanned<String>, Table<BundleFile>>,
    ) -> BTreeMap<String, Vec<Name>> {
        let mut bundles = BTreeMap::new();
        for (name, table) in given {
            self.label(messages::bundle(), name);
            if table.names.is_none() {
                self.missing::<()>(name.span(), "[bundle]", "names");
            }
            bundles.insert(name.get_ref().clone(), self.names("names", &table.names));
        }
        bundles
    }

    /// A path, resolved against the directory of the file.
    pub(crate) fn path(&mut self, key: &str, given: &Spanned<String>) -> Option<PathBuf> {
        if given.get_ref().is_empty() || given.get_ref().contains('\0') {
            self.mistake(given.span(), messages::no_path(key));
            return None;
        }
        Some(self.base_dir.join(given.get_ref()))
    }

    /// A whole number in `range`.
    pub(crate) fn number(
        &mut self,
        key: &str,
        given: &Number,
        range: RangeInclusive<usize>,
        to: &mut usize,
    ) {
        let Some(given) = given else { return };
        match usize::try_from(*given.get_ref()) {
            Ok(number) if range.contains(&number) => *to = number,
            _ => {
                let (least, most) = range.into_inner();
                let found = given.get_ref();
                self.mistake(given.span(), messages::out_of_range(key, found, least, most));
            }
        }
    }

    /// A duration in `range`.
    pub(crate) fn duration(
        &mut self,
        key: &str,
        given: Option<&Spanned<Quoted<Time>>>,
        range: RangeInclusive<Duration>,
        to: &mut Duration,
    ) {
        let Some(given) = given else { return };
        let text = &given.get_ref().text;
        match quantity::duration(text) {
            Ok(duration) if range.contains(&duration) => *to = duration,
            Ok(_) => {
                let (least, most) = (show_duration(*range.start()), show_duration(*range.end()));
                self.mistake(given.span(), messages::out_of_range(key, text, least, most));
            }
            Err(error) => {
                let message = messages::no_duration(key, format!("{text:?}"), error.message());
                self.no_amount(given.span(), message, error);
            }
        }
    }

    /// A duration in the unit of DNS: whole seconds.
    pub(crate) fn ttl(
        &mut self,
        key: &str,
        given: Option<&Spanned<Quoted<Time>>>,
        seconds: RangeInclusive<u64>,
        to: &mut Duration,
    ) {
        let (least, most) = seconds.into_inner();
        let mut read = *to;
        self.duration(
            key,
            given,
            Duration::from_secs(least)..=Duration::from_secs(most),
            &mut read,
        );
        if read.subsec_nanos() == 0 {
            *to = read;
        } else if let Some(given) = given {
            let text = &given.get_ref().text;
            self.mistake(given.span(), messages::whole_seconds(key, text));
        }
    }

    /// A size in octets, in `range`.
    pub(crate) fn size(
        &mut self,
        key: &str,
        given: Option<&Spanned<Quoted<Size>>>,
        range: RangeInclusive<u64>,
        to: &mut u64,
    ) {
        let Some(given) = given else { return };
        let text = &given.get_ref().text;
        match quantity::size(text) {
            Ok(octets) if range.contains(&octets) => *to = octets,
            Ok(_) => {
                let (least, most) = (show_size(*range.start()), show_size(*range.end()));
                self.mistake(given.span(), messages::out_of_range(key, text, least, most));
            }
            Err(error) => {
                let message = messages::no_size(key, format!("{text:?}"), error.message());
                self.no_amount(given.span(), message, error);
            }
        }
    }

    /// Reports a text that is no quantity.
    fn no_amount(&mut self, span: Range<usize>, message: Message, error: QuantityError) {
        let mistake = self.mistake(span, message);
        if let QuantityError::Unit { suggestion: Some(meant), .. } = error {
            mistake.hint = Some(messages::did_you_mean(meant));
        }
    }
}

/// The place of a key, or of its table where the key is absent.
pub(crate) fn place_of<T, U>(key: Option<&Spanned<T>>, table: &Spanned<U>) -> Range<usize> {
    key.map_or_else(|| table.span(), Spanned::span)
}

/// The texts of a list that may be absent.
pub(crate) fn each(texts: &SpannedTexts) -> impl Iterator<Item = &Spanned<String>> {
    texts.iter().flat_map(Spanned::get_ref)
}

/// The name inside a URL, a filter pattern or a mail address.
fn plain_name(text: &str) -> Option<String> {
    let text = text.trim().split_once("://").map_or(text.trim(), |(_, rest)| rest);
    let text = text.split(['/', ':', '?', '^']).next()?;
    let text = text.trim_start_matches(['*', '.', '|', '@']).trim_end_matches('.');
    let is_address = text.parse::<IpAddr>().is_ok();
    (!is_address && Name::from_text(text).is_ok()).then(|| text.to_owned())
}
