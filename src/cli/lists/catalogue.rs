//! `lachan lists catalogue`: well-known public lists, with advice on each.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::output::{complain, json, print};
use crate::config::data::catalogue::{Advice, Catalogue, CatalogueEntry, Never, Provenance};

/// Arguments of `lists catalogue`.
#[derive(Debug, clap::Args)]
pub struct CatalogueArguments {
    /// Only lists with this text in their name or category.
    text: Option<String>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// The catalogue, as JSON.
#[derive(Debug, Serialize)]
struct CatalogueResult {
    lists: Vec<CatalogueEntry>,
    never: Vec<Never>,
}

/// Prints the catalogue; exits 0, or 1 if no list has that text.
pub fn run(arguments: &CatalogueArguments) -> ExitCode {
    let Catalogue { mut lists, mut never } = Catalogue::embedded();
    if let Some(text) = &arguments.text {
        lists.retain(|one| one.name.contains(text) || one.category.contains(text));
        never.retain(|one| one.names.iter().any(|name| name.contains(text)));
    }
    if lists.is_empty() && never.is_empty() {
        complain("nothing of the catalogue has that text in its name or category");
        return ExitCode::FAILURE;
    }
    print(&if arguments.json {
        json(&CatalogueResult { lists, never })
    } else {
        table(&lists, &never)
    });
    ExitCode::SUCCESS
}

/// The catalogue for people, by category.
fn table(lists: &[CatalogueEntry], never: &[Never]) -> String {
    let mut out = String::new();
    let mut category = "";
    let mut sorted: Vec<&CatalogueEntry> = lists.iter().collect();
    // A stable sort: within a category the order is the catalogue's.
    sorted.sort_by_key(|listing| listing.category.as_str());
    for listing in sorted {
        if listing.category != category {
            category = &listing.category;
            let _ = writeln!(out, "{category}");
        }
        let CatalogueEntry { name, what, url, licence, .. } = listing;
        let seen = match listing.seen {
            Provenance::Repository | Provenance::Cited => "",
            Provenance::Unverified => " (unverified)",
        };
        let care = if listing.advice == Advice::Care { "  *" } else { "   " };
        let _ = writeln!(out, "{care}{name:24} {what}");
        let _ = writeln!(out, "     {url}{seen}");
        let _ = writeln!(out, "     {licence}");
        for more in listing.leave_out.iter().chain(&listing.note) {
            let _ = writeln!(out, "     take care: {more}");
        }
    }
    for one in never {
        let _ = writeln!(out, "never: {}\n     {}", one.names.join(", "), one.why);
    }
    out + "\n`lachan lists add NAME --config FILE` writes one into a config; * is to be looked at first.\n"
}
