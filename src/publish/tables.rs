//! The tables that a release brings to gateways, from a directory of the department.
//!
//! Law: a table that no gateway could use is refused here, with the lines that are wrong.

use std::collections::BTreeMap;
use std::path::Path;

use super::enrol::Organisation;
use super::error::PublishError;
use crate::config::data::released::ReleasedData;
use crate::diagnostic::Diagnostic;
use crate::release::organisation::SchoolRegistry;
use crate::sys::read;

/// The publisher, its schools and the keys of their boxes: for people and for the fleet, no table of
/// a gateway.
pub const ORGANISATION: &str = "org.toml";
/// The most octets of one table.
const MOST: u64 = 4 << 20;

/// Reads and judges the tables of a directory.
///
/// # Errors
///
/// [`PublishError`], which names each file and line that is wrong.
pub fn read(directory: &Path) -> Result<BTreeMap<String, Vec<u8>>, PublishError> {
    let file = |error| PublishError::File { path: directory.to_owned(), error };
    let mut tables = BTreeMap::new();
    for (path, metadata) in read::directory(directory).map_err(file)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let is_known = ReleasedData::FILES.contains(&name.as_str()) || name == ORGANISATION;
        if !is_known || !metadata.is_file() {
            return Err(PublishError::Refused(format!(
                "{}: no table of a release has this name; they are {} and {ORGANISATION}. \
                 Take it out of the directory",
                path.display(),
                ReleasedData::FILES.join(", "),
            )));
        }
        let octets = read::octets(&path, MOST)
            .map_err(|error| PublishError::File { path: path.clone(), error })?;
        if name == ORGANISATION {
            Organisation::read(&path)?;
            judge(&path, &octets)?;
        }
        tables.insert(name, octets);
    }
    let (_, faults) = of(&tables).usable();
    if faults.is_empty() {
        return Ok(tables);
    }
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Err(PublishError::Refused(faults.join("\n")))
}

/// Judges the registry of an organisation.
fn judge(path: &Path, octets: &[u8]) -> Result<(), PublishError> {
    let text = String::from_utf8_lossy(octets);
    let told = |mistakes: Vec<Diagnostic>| {
        let shown = path.display().to_string();
        mistakes.iter().map(|one| one.render(&shown, &text)).collect::<String>()
    };
    let judged = SchoolRegistry::parse(&text);
    judged.map(|_| ()).map_err(|mistakes| PublishError::Refused(told(mistakes)))
}

/// The tables as a gateway has them.
pub fn of(tables: &BTreeMap<String, Vec<u8>>) -> ReleasedData {
    ReleasedData::new(|file| {
        let octets = tables.get(file)?;
        // What is no text is judged as such.
        Some(String::from_utf8_lossy(octets).into_owned())
    })
}
