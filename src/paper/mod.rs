//! Pages to print: one document each, that needs nothing beside itself, and has no script.
//!
//! Reports, attestations and the fleet's screen are such pages: a frame, tables, and plots as inline
//! SVG. They are read on a screen, by Chromium's print to PDF, and on paper without colour.

mod plot;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use plot::bars;

use crate::lang::Lang;

/// The style sheet, which every page carries.
const STYLE: &str = include_str!("style.css");

/// A page with a title.
pub fn page(lang: Lang, title: &str, body: &Markup) -> String {
    let body = PreEscaped(body.0.as_str());
    let document = html! {
        (DOCTYPE)
        html lang=(lang.id()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { h1 { (title) } (body) }
        }
    };
    document.into_string()
}

/// A table with a caption; cells that are numbers stand right.
pub fn table(caption: &str, head: &[&str], rows: &[Vec<String>]) -> Markup {
    let is_number = |cell: &String| {
        let digits = cell.trim_start_matches(['<', '-', '≈', ' ']);
        digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_digit() || " \u{a0}.,%".contains(c))
    };
    html! {
        table {
            caption { (caption) }
            thead { tr { @for cell in head { th scope="col" { (cell) } } } }
            tbody {
                @for row in rows {
                    tr { @for cell in row { td.number[is_number(cell)] { (cell) } } }
                }
            }
        }
    }
}
