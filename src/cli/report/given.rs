//! What `report` and `report merge` read alike, and how they write.

use std::fs;
use std::path::Path;

use crate::category::Taxonomy;
use crate::cli::output::CommandFailure;
use crate::config::data::starter;
use crate::lang::{Lang, Message, messages};
use crate::report::period::{MAX_MONTHS, PeriodError, ReportPeriod, YearStart};
use crate::sys::state_dir::whole;

/// The categories that are compiled in.
pub(super) fn own_taxonomy() -> Result<Taxonomy, CommandFailure> {
    starter::taxonomy().map_err(|_| (1, "the categories compiled in cannot be read".to_owned()))
}

/// The failure of a message.
pub(super) fn failed(message: &Message, lang: Lang) -> CommandFailure {
    (1, message.in_lang(lang))
}

/// The day on which report years begin.
pub(super) fn year_start(given: &str, lang: Lang) -> Result<YearStart, CommandFailure> {
    YearStart::parse(given).ok_or_else(|| failed(&messages::report_no_year_start(given), lang))
}

/// The period of a text.
pub(super) fn period(
    text: &str,
    year: YearStart,
    lang: Lang,
) -> Result<ReportPeriod, CommandFailure> {
    ReportPeriod::parse(text, year).map_err(|error| {
        let message = match error {
            PeriodError::Form => messages::report_no_period(text),
            PeriodError::Months => messages::report_period_months(text, MAX_MONTHS),
        };
        failed(&message, lang)
    })
}

/// Makes a directory, and says which one could not be made.
pub(super) fn make_directory(path: &Path) -> Result<(), CommandFailure> {
    fs::create_dir_all(path).map_err(|error| (1, format!("{}: {error}", path.display())))
}

/// Writes a file whole, and says which one could not be written.
pub(super) fn put(directory: &Path, name: &str, octets: &[u8]) -> Result<(), CommandFailure> {
    let path = directory.join(name);
    whole::replace(&path, 0o666, octets)
        .map_err(|error| (1, format!("{}: {error}", path.display())))
}
