//! `lachan services`: the services that `service:ID` can name, and what one of them is.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::lists::table::table;
use crate::cli::output::{complain, json, print};
use crate::cli::running::config_of_machine;
use crate::config::data::services::Service;
use crate::dns::name::Name;
use crate::load::assemble::read_config_for_command;

/// Arguments of `services`.
#[derive(Debug, clap::Args)]
pub struct ServicesArguments {
    /// Only those with this text in their id, label or category; an id shows the service itself.
    text: Option<String>,
    /// The config file: a release in its state directory may bring services; by default /etc/lachan/gateway.toml where it is there, else the embedded default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A JSON list instead of text.
    #[arg(long)]
    json: bool,
}

/// One service, as JSON.
#[derive(Debug, Serialize)]
struct ServiceRow<'a> {
    id: &'a str,
    vi: &'a str,
    en: &'a str,
    category: Option<&'a str>,
    names: Vec<String>,
    unverified: Vec<String>,
    beside: Beside<'a>,
    sources: Vec<SourceOf<'a>>,
}

/// What breaks beside a service.
#[derive(Debug, Serialize)]
struct Beside<'a> {
    vi: &'a str,
    en: &'a str,
}

/// A file that names are from.
#[derive(Debug, Serialize)]
struct SourceOf<'a> {
    repository: &'a str,
    commit: &'a str,
    licence: &'a str,
    file: &'a str,
}

/// Prints the services; exits 0, 1 if none has that text, or 3 for a config that cannot be used.
pub fn run(arguments: &ServicesArguments) -> ExitCode {
    let config = match read_config_for_command(config_of_machine(arguments.config.as_deref())) {
        Ok(config) => config,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::from(3);
        }
    };
    let mut rows: Vec<ServiceRow<'_>> =
        config.words.services().iter().map(|(id, service)| ServiceRow::of(id, service)).collect();
    if let Some(text) = &arguments.text {
        let text = text.strip_prefix("service:").unwrap_or(text).to_lowercase();
        if rows.iter().any(|row| row.id == text) {
            rows.retain(|row| row.id == text);
        } else {
            rows.retain(|row| row.has(&text));
        }
    }
    if rows.is_empty() {
        complain("no service has that text in its id, label or category");
        return ExitCode::FAILURE;
    }
    print(&match rows.as_slice() {
        rows if arguments.json => json(&rows),
        [row] if arguments.text.is_some() => row.text(),
        rows => list(rows),
    });
    ExitCode::SUCCESS
}

impl<'a> ServiceRow<'a> {
    fn of(id: &'a str, service: &'a Service) -> Self {
        let shown = |names: &[Name]| -> Vec<String> {
            names.iter().map(|n| n.to_string().trim_end_matches('.').to_owned()).collect()
        };
        Self {
            id,
            vi: &service.vi,
            en: &service.en,
            category: service.category.as_deref(),
            names: shown(&service.names),
            unverified: shown(&service.unverified),
            beside: Beside { vi: &service.beside_vi, en: &service.beside_en },
            sources: service
                .sources
                .iter()
                .map(|source| SourceOf {
                    repository: &source.repository,
                    commit: &source.commit,
                    licence: &source.licence,
                    file: &source.file,
                })
                .collect(),
        }
    }

    /// Whether a text is in its id, label or category.
    fn has(&self, text: &str) -> bool {
        let words = [Some(self.id), Some(self.vi), Some(self.en), self.category];
        words.into_iter().flatten().any(|word| word.to_lowercase().contains(text))
    }

    /// The service for people.
    fn text(&self) -> String {
        let mut out = format!("service:{}\n  {}\n", self.id, self.vi);
        if self.en != self.vi {
            let _ = writeln!(out, "  {}", self.en);
        }
        if let Some(category) = self.category {
            let _ = writeln!(out, "  category    {category}");
        }
        for text in [self.beside.vi, self.beside.en].into_iter().filter(|text| !text.is_empty()) {
            let _ = writeln!(out, "  beside      {text}");
        }
        for name in &self.names {
            let _ = writeln!(out, "  name        {name}");
        }
        for name in &self.unverified {
            let _ = writeln!(out, "  unverified  {name} (not used)");
        }
        for SourceOf { repository, commit, licence, file } in &self.sources {
            let licence = if licence.is_empty() { String::new() } else { format!(", {licence}") };
            let _ = writeln!(out, "  source      {repository} {file} at {commit}{licence}");
        }
        out
    }
}

/// The services for people.
fn list(rows: &[ServiceRow<'_>]) -> String {
    let cells = |row: &ServiceRow<'_>| {
        let label =
            if row.vi == row.en { row.vi.to_owned() } else { format!("{} / {}", row.vi, row.en) };
        let names = match row.names.len() {
            0 => "none verified".to_owned(),
            count => count.to_string(),
        };
        vec![format!("service:{}", row.id), row.category.unwrap_or("-").to_owned(), names, label]
    };
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    table(&["word", "category", "names", "label"], &rows)
        + "\n`lachan services ID` shows one: its names, where they are from, what breaks beside it.\n"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    const INTRODUCTION: &str = "\
# Services

The services that are built in: `service:ID` stands for all of its names, each with all below it, wherever
a name may stand ([how](../guide/timetables.md#services)). `lachan services ID` shows the names. This page is
made from `blocklists/services.toml` by `UPDATE_DOCS=1 cargo test --lib cli::services`.

A name that its source has exactly is taken where it is a host, with what would be below it; one that is
a pattern is left out. A name in *unverified* was not looked up, and is used by nothing.

";

    fn markdown(config: &Config) -> String {
        let mut out = INTRODUCTION.to_owned();
        let taxonomy = &config.taxonomy;
        let title = |id: &str| taxonomy.find(id).map_or("", |id| taxonomy.category(id).vi.as_str());
        let mut by_category: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, service) in config.words.services() {
            let row = ServiceRow::of(id, service);
            let heading = row.category.map_or_else(
                || "In no category: music, shops, reading".to_owned(),
                |id| format!("`{id}`: {}", title(id)),
            );
            let names = |names: &[String]| {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                names.join(" ")
            };
            let count = match row.names.len() {
                0 => format!("none; unverified: {}", names(&row.unverified)),
                count if row.unverified.is_empty() => count.to_string(),
                count => format!("{count}; unverified: {}", names(&row.unverified)),
            };
            let label = if row.vi == row.en {
                row.vi.to_owned()
            } else {
                format!("{} / {}", row.vi, row.en)
            };
            let beside = [row.beside.vi, row.beside.en].join(" ");
            by_category
                .entry(heading)
                .or_default()
                .push(format!("| `service:{id}` | {label} | {count} | {} |\n", beside.trim()));
        }
        for (heading, rows) in by_category {
            let _ =
                writeln!(out, "## {heading}\n\n| Word | Label | Names | What breaks beside it |");
            out += "| --- | --- | --- | --- |\n";
            out += &rows.concat();
            out += "\n";
        }
        out.trim_end().to_owned() + "\n"
    }

    #[test]
    fn the_reference_is_made_from_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/services.md");
        let made = markdown(&Config::embedded());
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == made,
            "docs/reference/services.md is not what blocklists/services.toml says; \
             run `UPDATE_DOCS=1 cargo test --lib cli::services`"
        );
    }
}
