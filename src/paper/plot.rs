//! Plots as inline SVG, with their values as text: nothing is told by a colour or a length alone.

use maud::{Markup, html};

/// Units of width of the label column, of a full bar, and of the value column.
const WIDTHS: (u64, u64, u64) = (220, 360, 100);
/// Units of height of a row.
const ROW: u64 = 24;

/// Horizontal bars: a label, a value and its text each, longest for the greatest value.
pub fn bars(title: &str, rows: &[(String, u64, String)]) -> Markup {
    let (label, full, value) = WIDTHS;
    let greatest = rows.iter().map(|(_, value, _)| *value).max().unwrap_or(0).max(1);
    let (width, height) = (label + full + value, ROW * rows.len() as u64);
    html! {
        figure {
            figcaption { (title) }
            svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(title) {
                @for (number, (name, amount, text)) in (0_u64..).zip(rows) {
                    @let (top, length) = (number * ROW, scaled(*amount, greatest, full));
                    text x=(label - 8) y=(top + 17) text-anchor="end" { (name) }
                    rect x=(label) y=(top + 4) width=(length) height=(ROW - 8) {}
                    text x=(label + length + 6) y=(top + 17) { (text) }
                }
            }
        }
    }
}

/// `amount` of `greatest` in units of a full bar; a unit for whatever is not 0.
fn scaled(amount: u64, greatest: u64, full: u64) -> u64 {
    let units = u128::from(amount) * u128::from(full) / u128::from(greatest.max(1));
    u64::try_from(units).unwrap_or(full).max(u64::from(amount > 0))
}
