//! `services.toml` → services: the names of an app or a site under one word, `service:tiktok`.
//!
//! A word of a service stands for its names, each with all below it, wherever names stand. Names are
//! those of a source that is named with its commit; what nobody looked up is `unverified` and unused.
//!
//! Law: a service has no essential name and no guarded one, and none of another service, unless it
//! says so: denying one service must close nothing else unasked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use toml::Spanned;

use crate::category::Taxonomy;
use crate::config::data::starter::{self, ShippedEssential};
use crate::config::file::report::Report;
use crate::config::file::shape::{self, SpannedText, SpannedTexts, Table};
use crate::config::file::value::each;
use crate::diagnostic::Diagnostic;
use crate::dns::name::{Folded, Name};
use crate::lang::messages;
use crate::policy::tables::local_zones::is_registry;

/// The most services.
const MAX_SERVICES: usize = 500;
/// The most names of one service: each name of a policy is hashed at every interval of a group.
const MAX_NAMES: usize = 500;
/// The most characters of a label and of what is said of a service.
const MAX_TEXT: usize = 500;

/// The services, by id.
pub type Services = BTreeMap<String, Service>;

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What it is called in Vietnamese.
    pub vi: String,
    /// What it is called in English.
    pub en: String,
    /// The id of the category that it is in; none where no category is about its like.
    pub category: Option<String>,
    /// Its names, each with all below it.
    pub names: Vec<Name>,
    /// Names that nobody looked up; no policy uses them.
    pub unverified: Vec<Name>,
    /// What breaks beside it where it is denied, in Vietnamese; empty where nothing is known to.
    pub beside_vi: String,
    /// The same in English.
    pub beside_en: String,
    /// Where its names are from.
    pub sources: Vec<ServiceSource>,
}

/// A file that names of a service are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSource {
    /// The address of the repository.
    pub repository: String,
    /// The commit that was read.
    pub commit: String,
    /// The licence of the repository.
    pub licence: String,
    /// The path of the file.
    pub file: String,
}

/// The names that a service must not have unless it says so.
#[derive(Debug)]
pub(super) struct KeptNames {
    /// Guarded names, each with the ids of the categories that exist to block it.
    pub(super) guarded: Vec<(Name, Vec<String>)>,
    /// Essential names.
    pub(super) essential: Vec<ShippedEssential>,
}

/// The whole file as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ServicesFile {
    source: BTreeMap<Spanned<String>, Spanned<Table<SourceRow>>>,
    service: BTreeMap<Spanned<String>, Spanned<Table<ServiceRow>>>,
}

/// One `[source.<name>]` as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SourceRow {
    repository: SpannedText,
    commit: SpannedText,
    licence: SpannedText,
}

/// One `[service.<id>]` as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ServiceRow {
    vi: SpannedText,
    en: SpannedText,
    category: SpannedText,
    beside_vi: SpannedText,
    beside_en: SpannedText,
    /// Services with which it has names in common.
    shares: SpannedTexts,
    /// Guarded names that it has.
    guarded: SpannedTexts,
    unverified: SpannedTexts,
    from: Vec<Spanned<Table<FromRow>>>,
}

/// One `[[service.<id>.from]]` as written: names of one file.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FromRow {
    source: SpannedText,
    file: SpannedText,
    /// Whether `names` are some of the file, chosen by hand; for the script that writes the others.
    part: Option<bool>,
    /// Names of the file that the service is better without; for the same.
    leave_out: SpannedTexts,
    names: SpannedTexts,
}

/// A service with the places of its words.
struct Read<'f> {
    id: &'f str,
    service: Service,
    names: Vec<(Name, Range<usize>)>,
    row: &'f ServiceRow,
}

/// The services that are compiled in.
static EMBEDDED: LazyLock<Services> = LazyLock::new(|| {
    let parsed = starter::taxonomy().and_then(|taxonomy| parse(starter::SERVICES, &taxonomy, None));
    match parsed {
        Ok(services) => services,
        Err(mistakes) => unreachable!("the services are tested to hold together: {mistakes:?}"),
    }
});

/// The services that are compiled in; read once in a process, where one is first asked for.
pub(in crate::config) fn embedded() -> &'static Services {
    &EMBEDDED
}

/// Reads a table of services, and judges their names where it has names to keep them from.
///
/// # Errors
///
/// The first mistake of shape, or every mistake of meaning.
pub(super) fn parse(
    text: &str,
    taxonomy: &Taxonomy,
    kept: Option<&KeptNames>,
) -> Result<Services, Vec<Diagnostic>> {
    let file: ServicesFile = shape::parse(text).map_err(|mistake| vec![mistake])?;
    let mut report = Report::new(Path::new(""));
    let mut read = Vec::new();
    for (id, table) in &file.service {
        report.label(messages::service(), id);
        read.push(read_service(&mut report, taxonomy, &file, (id, table)));
    }
    if let Some((id, _)) = file.service.iter().nth(MAX_SERVICES) {
        report.mistake(id.span(), messages::too_many_services(MAX_SERVICES));
    }
    if let Some(kept) = kept {
        lint(&mut report, taxonomy, &read, kept);
    }
    let mistakes = report.into_mistakes();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(read.into_iter().map(|read| (read.id.to_owned(), read.service)).collect())
}

/// Reads one `[service.<id>]`.
fn read_service<'f>(
    report: &mut Report<'_>,
    taxonomy: &Taxonomy,
    file: &'f ServicesFile,
    (id, table): (&'f Spanned<String>, &'f Spanned<Table<ServiceRow>>),
) -> Read<'f> {
    let row: &ServiceRow = table.get_ref();
    let (mut names, mut sources) = (Vec::new(), Vec::new());
    for from in &row.from {
        sources.extend(read_source(report, file, from));
        for given in each(&from.get_ref().names) {
            let Some(name) = report.name("names", given) else { continue };
            if is_registry(&name) {
                report.mistake(given.span(), messages::service_public_suffix(given.get_ref()));
                continue;
            }
            names.push((name, given.span()));
        }
    }
    if let Some((_, span)) = names.get(MAX_NAMES) {
        report.mistake(span.clone(), messages::service_too_many_names(id.get_ref(), MAX_NAMES));
    }
    let mut label = |key: &str, given: &SpannedText| {
        if given.is_none() {
            report.missing::<()>(id.span(), "[service]", key);
        }
        line(report, given)
    };
    let (vi, en) = (label("vi", &row.vi), label("en", &row.en));
    let category = row.category.as_ref();
    let category = category.filter(|given| report.category(taxonomy, given).is_some());
    let service = Service {
        vi,
        en,
        category: category.map(|given| given.get_ref().clone()),
        names: names.iter().map(|(name, _)| name.clone()).collect(),
        unverified: report.names("unverified", &row.unverified),
        beside_vi: line(report, &row.beside_vi),
        beside_en: line(report, &row.beside_en),
        sources,
    };
    Read { id: id.get_ref(), service, names, row }
}

/// The source of one `[[service.<id>.from]]`.
fn read_source(
    report: &mut Report<'_>,
    file: &ServicesFile,
    from: &Spanned<Table<FromRow>>,
) -> Option<ServiceSource> {
    let row = from.get_ref();
    let Some(given) = &row.source else {
        return report.missing(from.span(), "[[service.from]]", "source");
    };
    if row.file.is_none() {
        report.missing::<()>(from.span(), "[[service.from]]", "file");
    }
    let Some((_, table)) = file.source.iter().find(|(id, _)| id.get_ref() == given.get_ref())
    else {
        let known = file.source.keys().map(|id| id.get_ref().as_str());
        report.unknown(messages::origin(), given, known);
        return None;
    };
    let source = table.get_ref();
    for (key, value) in [("repository", &source.repository), ("commit", &source.commit)] {
        if value.is_none() {
            report.missing::<()>(table.span(), "[source]", key);
        }
    }
    Some(ServiceSource {
        repository: line(report, &source.repository),
        commit: line(report, &source.commit),
        licence: line(report, &source.licence),
        file: line(report, &row.file),
    })
}

/// A text for people, on one line; empty where absent.
fn line(report: &mut Report<'_>, given: &SpannedText) -> String {
    let mut text = String::new();
    let is_right = |text: &str| {
        !text.is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
    };
    report.text(given, is_right, messages::no_service_text, &mut text);
    text
}

/// Reports names that a service must not have: essential ones, guarded ones and those of another
/// service that neither of the two says it shares.
fn lint(report: &mut Report<'_>, taxonomy: &Taxonomy, read: &[Read<'_>], kept: &KeptNames) {
    // Every name, with the services that have it.
    let mut by_name: BTreeMap<&Name, Vec<(usize, &Range<usize>)>> = BTreeMap::new();
    for (place, one) in read.iter().enumerate() {
        for (name, span) in &one.names {
            by_name.entry(name).or_default().push((place, span));
        }
    }
    let covering = |name: &Name| -> Vec<(usize, &Range<usize>)> {
        let above = std::iter::successors(Some(name.clone()), Name::parent);
        above.filter_map(|name| by_name.get(&name)).flatten().copied().collect()
    };
    let (mut essential, mut guarded) = (Covered::new(), Covered::new());
    for one in &kept.essential {
        for (place, span) in covering(&one.name) {
            essential.entry((span.start, place)).or_insert((span, Vec::new())).1.push(&one.name);
        }
    }
    for (name, purposes) in &kept.guarded {
        for (place, span) in covering(name) {
            if read.get(place).is_some_and(|one| !one.may_have(taxonomy, name, purposes)) {
                guarded.entry((span.start, place)).or_insert((span, Vec::new())).1.push(name);
            }
        }
    }
    let id = |place: usize| read.get(place).map_or("", |read| read.id);
    for ((_, place), (span, names)) in essential {
        report.mistake(span.clone(), messages::service_is_essential(id(place), first(&names)));
    }
    for ((_, place), (span, names)) in guarded {
        let message = messages::service_is_guarded(id(place), first(&names));
        let own: Vec<String> = names.iter().map(|name| format!("\"{}\"", shown(name))).collect();
        let hint = messages::service_say_guarded(format!("guarded = [{}]", own.join(", ")));
        report.mistake(span.clone(), message).hint = Some(hint);
    }
    for one in read {
        for given in each(&one.row.shares).filter(|id| read.iter().all(|r| r.id != id.get_ref())) {
            report.unknown(messages::service(), given, read.iter().map(|read| read.id));
        }
        for (name, span) in &one.names {
            for (place, _) in covering(name) {
                let Some(other) = read.get(place).filter(|other| other.id != one.id) else {
                    continue;
                };
                let says = |one: &Read<'_>, other: &Read<'_>| {
                    each(&one.row.shares).any(|id| id.get_ref() == other.id)
                };
                if !says(one, other) && !says(other, one) {
                    let message = messages::service_meets(one.id, shown(name), other.id);
                    report.mistake(span.clone(), message).hint =
                        Some(messages::service_say_shares(format!("shares = [\"{}\"]", other.id)));
                }
            }
        }
    }
}

/// Kept names that a name of a service covers, by the place of that name and by the service.
type Covered<'a> = BTreeMap<(usize, usize), (&'a Range<usize>, Vec<&'a Name>)>;

/// The most names in one message.
const MAX_SHOWN: usize = 5;

/// The first names, for a message.
fn first(names: &[&Name]) -> String {
    let first = names.iter().take(MAX_SHOWN).map(|name| format!("`{}`", shown(name)));
    let more = names.get(MAX_SHOWN).map(|_| "…".to_owned());
    first.chain(more).collect::<Vec<_>>().join(", ")
}

impl Read<'_> {
    /// Whether the service may have a guarded name: its category exists to block it, or blocks
    /// nothing, or the service says that it is its own.
    fn may_have(&self, taxonomy: &Taxonomy, name: &Name, purposes: &[String]) -> bool {
        let is_meant = self.service.category.as_deref().is_some_and(|id| {
            purposes.iter().any(|purpose| purpose == id)
                || taxonomy.find(id).is_some_and(|id| taxonomy.category(id).is_positive)
        });
        let is_name = |given: &str| Name::from_text(given).is_ok_and(|given| given == *name);
        is_meant || each(&self.row.guarded).any(|given| is_name(given.get_ref()))
    }
}

/// A name without the final dot.
fn shown(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}

impl Service {
    /// Whether a name is one of its names, or below one.
    pub fn has(&self, name: &Name) -> bool {
        let folded = Folded::from_name(name);
        self.names.iter().any(|own| folded.is_at_or_below(own.as_wire()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> KeptNames {
        KeptNames {
            guarded: starter::parse_guarded(starter::GUARD).unwrap(),
            essential: starter::essential().unwrap(),
        }
    }

    fn refused(text: &str) -> String {
        let taxonomy = starter::taxonomy().unwrap();
        let mistakes = parse(text, &taxonomy, Some(&kept())).unwrap_err();
        mistakes.iter().map(|mistake| mistake.render("services.toml", text)).collect()
    }

    fn file(services: &[(&str, &str, &str)]) -> String {
        let source = "[source.s]\nrepository = \"https://s.example\"\ncommit = \"1\"\n";
        let row = |(id, more, names): &(&str, &str, &str)| {
            format!(
                "[service.{id}]\nvi = \"A\"\nen = \"A\"\n{more}\n\
                 [[service.{id}.from]]\nsource = \"s\"\nfile = \"f\"\nnames = [{names}]\n"
            )
        };
        services.iter().map(row).fold(source.to_owned(), |text, row| text + &row)
    }

    #[test]
    fn the_embedded_services_block_nothing_else() {
        let taxonomy = starter::taxonomy().unwrap();
        let services = parse(starter::SERVICES, &taxonomy, Some(&kept())).unwrap_or_else(|m| {
            panic!(
                "{}",
                m.iter().map(|m| m.render("services.toml", starter::SERVICES)).collect::<String>()
            )
        });
        assert_eq!(&services, embedded());
        assert!(starter::SERVICES.len() <= 150 << 10, "{} octets", starter::SERVICES.len());
    }

    #[test]
    fn a_service_that_would_close_more_than_itself_is_refused() {
        let shown = refused(&file(&[
            ("search", "category = \"social\"", "\"google.com\""),
            ("clock", "category = \"social\"", "\"ntp.org\""),
            ("one", "category = \"games\"", "\"one.example\", \"com\""),
            ("two", "category = \"games\"", "\"cdn.one.example\""),
        ]));
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn what_is_said_is_no_mistake() {
        let taxonomy = starter::taxonomy().unwrap();
        let text = file(&[
            ("tube", "category = \"video\"", "\"youtube.com\""),
            ("encyclopedia", "category = \"safe\"", "\"wikipedia.org\""),
            ("chat", "guarded = [\"zalo.me\", \"chat.zalo.me\"]", "\"zalo.me\""),
            ("one", "shares = [\"two\"]", "\"one.example\""),
            ("two", "", "\"cdn.one.example\""),
        ]);
        let services = parse(&text, &taxonomy, Some(&kept())).unwrap();
        assert_eq!(services.len(), 5);
        assert!(services["one"].has(&Name::from_text("x.One.example").unwrap()));
        assert!(!services["two"].has(&Name::from_text("one.example").unwrap()));
    }

    #[test]
    fn every_mistake_of_a_row_has_its_place() {
        let shown = refused(
            "[service.Big]\nvi = \"\"\ncategory = \"socal\"\nshares = [\"bigg\"]\nunverified = [\"a..b\"]\n\
             [[service.Big.from]]\nsource = \"none\"\nnames = [\"a..b\"]\n",
        );
        insta::assert_snapshot!(shown);
    }
}
