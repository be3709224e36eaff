//! `categories.toml` → [`Taxonomy`].
//!
//! ```toml
//! [[category]]
//! id = "adult"
//! vi = "Khiêu dâm, người lớn"
//! en = "Pornography"
//! lock = "pupils"        # none | pupils | everyone
//! privacy = "normal"     # normal | sensitive | protected
//! kind = "block"         # block | allow: a list of good names, which never blocks
//! fail = "open"          # open (the default) | closed: without its list
//! duty = "law"           # law | request: blocked for everyone; none by default
//! defaults = { preschool = "block", … one of block, observe, allow, lessons, safe for each level }
//! ```
//!
//! A level without a default is a mistake, never "allow": the file is part of signed
//! releases, and a missing level must not loosen policy.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;

use crate::category::{
    Category, CategoryLock, DefaultAction, LegalDuty, Level, LevelRow, MAX_CATEGORIES, Taxonomy,
};
use crate::config::file::report::Report;
use crate::config::file::shape::{self, SpannedText, Table};
use crate::config::file::syntax::listed;
use crate::diagnostic::Diagnostic;
use crate::lang::{Message, messages};

/// The whole file as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TaxonomyFile {
    level: Vec<Spanned<Table<LevelFile>>>,
    category: Vec<Spanned<Table<CategoryFile>>>,
}

/// One `[[level]]` as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LevelFile {
    id: SpannedText,
    vi: SpannedText,
    en: SpannedText,
    allow_only: Option<bool>,
}

/// One `[[category]]` as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CategoryFile {
    id: SpannedText,
    vi: SpannedText,
    en: SpannedText,
    lock: SpannedText,
    privacy: SpannedText,
    kind: SpannedText,
    fail: SpannedText,
    duty: SpannedText,
    defaults: Option<Spanned<BTreeMap<Spanned<String>, Spanned<String>>>>,
}

const LOCKS: [(&str, CategoryLock); 3] = [
    ("none", CategoryLock::None),
    ("pupils", CategoryLock::Pupils),
    ("everyone", CategoryLock::Everyone),
];
/// Words of `privacy`: whether a category is protected, and whether it is sensitive.
const PRIVACY: [(&str, (bool, bool)); 3] =
    [("normal", (false, false)), ("sensitive", (false, true)), ("protected", (true, true))];
const KINDS: [(&str, bool); 2] = [("block", false), ("allow", true)];
const FAILS: [(&str, bool); 2] = [("open", false), ("closed", true)];
const DUTIES: [(&str, LegalDuty); 2] = [("law", LegalDuty::Law), ("request", LegalDuty::Request)];
pub(crate) const ACTIONS: [(&str, DefaultAction); 5] = [
    ("block", DefaultAction::Block),
    ("observe", DefaultAction::Observe),
    ("allow", DefaultAction::Allow),
    ("lessons", DefaultAction::Lessons),
    ("safe", DefaultAction::Safe),
];

/// Reads a taxonomy.
///
/// # Errors
///
/// The first mistake of shape, or every mistake of meaning.
pub fn parse(text: &str) -> Result<Taxonomy, Vec<Diagnostic>> {
    let file: TaxonomyFile = shape::parse(text).map_err(|mistake| vec![mistake])?;
    let mut report = Report::new(Path::new(""));
    let mut categories: Vec<Category> = Vec::new();
    for table in &file.category {
        let Some(category) = read(&mut report, table) else { continue };
        if categories.iter().any(|other| other.id == category.id) {
            let span = table.get_ref().id.as_ref().map_or(0..0, Spanned::span);
            report.mistake(span, messages::category_already(&category.id)).hint =
                Some(messages::id_used_once());
        }
        categories.push(category);
    }
    if let Some(table) = file.category.get(MAX_CATEGORIES) {
        let count = file.category.len();
        report.mistake(table.span(), messages::too_many_categories(count, MAX_CATEGORIES));
    }
    if categories.is_empty() && file.category.is_empty() {
        report.mistake(0..0, messages::no_category_table("[[category]]"));
    }
    let levels = levels(&mut report, &file.level);
    let mistakes = report.into_mistakes();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Taxonomy::new(categories)
        .map(|taxonomy| taxonomy.with_levels(levels))
        .map_err(|id| vec![Diagnostic::new(0..0, messages::category_does_not_fit(id))])
}

/// The `[[level]]` rows: of every level, or of none.
fn levels(report: &mut Report<'_>, given: &[Spanned<Table<LevelFile>>]) -> Vec<LevelRow> {
    let mut rows: Vec<LevelRow> = Vec::new();
    for table in given {
        let file = table.get_ref();
        if file.id.is_none() {
            report.missing::<()>(table.span(), "[[level]]", "id");
        }
        let written = |text: &SpannedText| text.as_ref().map(|text| text.get_ref().clone());
        let Some(level) = report.level(&file.id) else { continue };
        if rows.iter().any(|row| row.level == level) {
            let message = messages::level_already(level.id());
            report.mistake(table.span(), message).hint = Some(messages::remove_one());
        }
        rows.push(LevelRow {
            level,
            vi: written(&file.vi).unwrap_or_else(|| level.id().into()),
            en: written(&file.en).unwrap_or_else(|| level.id().into()),
            is_allow_only: file.allow_only.unwrap_or(false),
        });
    }
    let is_absent = |level: &&Level| rows.iter().all(|row| row.level != **level);
    let absent: Vec<&str> = Level::ALL.iter().filter(is_absent).map(|level| level.id()).collect();
    if !given.is_empty() && !absent.is_empty() {
        report.mistake(0..0, messages::no_level_table(listed(absent)));
    }
    rows
}

/// One `[[category]]`; its mistakes are in the report.
fn read(report: &mut Report<'_>, table: &Spanned<Table<CategoryFile>>) -> Option<Category> {
    let file = table.get_ref();
    let id = text(report, table.span(), "id", &file.id).filter(|id| {
        let is_right = (1..=32).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_right {
            let span = file.id.as_ref().map_or(0..0, Spanned::span);
            report.mistake(span, messages::no_category_id(format!("{id:?}")));
        }
        is_right
    });
    let vi = text(report, table.span(), "vi", &file.vi);
    let en = text(report, table.span(), "en", &file.en);
    let lock = word(report, table.span(), "lock", &file.lock, &LOCKS);
    let privacy = word(report, table.span(), "privacy", &file.privacy, &PRIVACY);
    let is_positive = word(report, table.span(), "kind", &file.kind, &KINDS);
    let fails_closed = file.fail.as_ref().is_some_and(|given| {
        // A wrong word is reported; the value does not matter then.
        one_of(report, Message::english("fail"), given, &FAILS).unwrap_or(true)
    });
    let duty = file
        .duty
        .as_ref()
        .and_then(|given| one_of(report, Message::english("duty"), given, &DUTIES));
    let defaults = defaults(report, table, is_positive.unwrap_or(false));
    Some(Category {
        id: id?,
        vi: vi?,
        en: en?,
        lock: lock?,
        is_protected: privacy?.0,
        is_sensitive: privacy?.1,
        is_positive: is_positive?,
        fails_closed,
        duty,
        defaults: defaults?,
    })
}

/// A required text that is not empty.
fn text(
    report: &mut Report<'_>,
    table: Range<usize>,
    key: &str,
    given: &SpannedText,
) -> Option<String> {
    let Some(given) = given else { return report.missing(table, "[[category]]", key) };
    if given.get_ref().trim().is_empty() {
        report.mistake(given.span(), messages::is_empty(key));
        return None;
    }
    Some(given.get_ref().clone())
}

/// A required word of a closed set.
fn word<T: Copy>(
    report: &mut Report<'_>,
    table: Range<usize>,
    key: &str,
    given: &SpannedText,
    known: &[(&str, T)],
) -> Option<T> {
    match given {
        Some(given) => one_of(report, Message::english(key), given, known),
        None => report.missing(table, "[[category]]", key),
    }
}

/// One word of a closed set.
fn one_of<T: Copy>(
    report: &mut Report<'_>,
    kind: Message,
    given: &Spanned<String>,
    known: &[(&str, T)],
) -> Option<T> {
    let found = known.iter().find(|(word, _)| word == given.get_ref()).map(|(_, value)| *value);
    if found.is_none() {
        report.unknown(kind, given, known.iter().map(|(word, _)| *word));
    }
    found
}

/// Actions in the order of [`Level::ALL`]; every level has one.
fn defaults(
    report: &mut Report<'_>,
    table: &Spanned<Table<CategoryFile>>,
    is_positive: bool,
) -> Option<[DefaultAction; 7]> {
    let Some(given) = &table.get_ref().defaults else {
        report.mistake(table.span(), messages::table_without("[[category]]", "defaults")).hint =
            Some(messages::add_every_level("defaults = { preschool = \"block\", … }"));
        return None;
    };
    let mut actions = [None; 7];
    for (level, action) in given.get_ref() {
        let level = report.choice(messages::level(), level, &Level::ALL, Level::id);
        let known = one_of(report, messages::action(), action, &ACTIONS);
        if is_positive && known.is_some_and(|action| action != DefaultAction::Allow) {
            let message = messages::kind_never_blocks(action.get_ref(), "allow");
            report.mistake(action.span(), message).hint = Some(messages::write("allow"));
        }
        let place = Level::ALL.iter().position(|&one| Some(one) == level);
        if let Some(slot) = place.and_then(|place| actions.get_mut(place)) {
            *slot = known;
        }
    }
    let is_given = |level: &Level| given.get_ref().keys().any(|key| key.get_ref() == level.id());
    let absent: Vec<&str> =
        Level::ALL.iter().filter(|level| !is_given(level)).map(|level| level.id()).collect();
    if !absent.is_empty() {
        let absent = listed(absent);
        report.mistake(given.span(), messages::no_action_for("defaults", absent));
    }
    actions.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> String {
        let mistakes = parse(text).unwrap_err();
        mistakes.iter().map(|mistake| mistake.render("categories.toml", text)).collect()
    }

    #[test]
    fn a_taxonomy_says_all_that_is_wrong() {
        let text = r#"
[[category]]
id = "Adult!"
vi = ""
lock = "pupil"
privacy = "normal"
kind = "block"
defaults = { preschool = "blok", primry = "block" }

[[category]]
id = "safe"
vi = "Tốt"
en = "Good"
lock = "none"
privacy = "normal"
kind = "allow"
defaults = { preschool = "block", primary = "allow", lower-secondary = "allow", upper-secondary = "allow", boarding = "allow", continuing = "allow", staff = "allow" }

[[category]]
id = "safe"
vi = "Tốt"
en = "Good"
lock = "none"
privacy = "normal"
kind = "block"
"#;
        insta::assert_snapshot!(mistakes(text), @r#"
    categories.toml:2:1: this `[[category]]` has no `en`
      |
    2 | [[category]]
      | ^^^^^^^^^^^^
    hint: add `en = "…"`
    categories.toml:3:6: "Adult!" is not an id; an id is 1 to 32 of `a` to `z`, digits and `_`
      |
    3 | id = "Adult!"
      |      ^^^^^^^^
    categories.toml:4:6: `vi` is empty
      |
    4 | vi = ""
      |      ^^
    categories.toml:5:8: unknown lock `pupil`; known are `none`, `pupils`, `everyone`
      |
    5 | lock = "pupil"
      |        ^^^^^^^
    hint: did you mean `pupils`?
    categories.toml:8:12: `defaults` has no action for `primary`, `lower-secondary`, `upper-secondary`, `boarding`, `continuing`, `staff`
      |
    8 | defaults = { preschool = "blok", primry = "block" }
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    categories.toml:8:26: unknown action `blok`; known are `block`, `observe`, `allow`, `lessons`, `safe`
      |
    8 | defaults = { preschool = "blok", primry = "block" }
      |                          ^^^^^^
    hint: did you mean `block`?
    categories.toml:8:34: unknown level `primry`; known are `preschool`, `primary`, `lower-secondary`, `upper-secondary`, `boarding`, `continuing`, `staff`
      |
    8 | defaults = { preschool = "blok", primry = "block" }
      |                                  ^^^^^^
    hint: did you mean `primary`?
    categories.toml:17:26: `block` in a category of kind `allow`, which never blocks
       |
    17 | defaults = { preschool = "block", primary = "allow", lower-secondary = "allow", upper-secondary = "allow", boarding = "allow", continuing = "allow", staff = "allow" }
       |                          ^^^^^^^
    hint: write `allow`
    categories.toml:19:1: this `[[category]]` has no `defaults`
       |
    19 | [[category]]
       | ^^^^^^^^^^^^
    hint: add `defaults = { preschool = "block", … }` with every level
    "#);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        insta::assert_snapshot!(mistakes("[[category]]\nlok = \"none\"\n"), @r#"
    categories.toml:2:1: unknown key `lok`; the keys here are `id`, `vi`, `en`, `lock`, `privacy`, `kind`, `fail`, `duty`, `defaults`
      |
    2 | lok = "none"
      | ^^^
    hint: did you mean `lock`?
    "#);
    }

    #[test]
    fn an_empty_taxonomy_is_refused() {
        insta::assert_snapshot!(mistakes(""), @"
    categories.toml:1:1: there is no `[[category]]`; a taxonomy has at least one
    ");
    }
}
