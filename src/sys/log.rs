//! The log: to stderr, one line an event, no name and no address at `info`.
//!
//! The last warnings and errors are remembered as well, for the people who ask how the gateway is.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::sys::clock::system_time;

/// Warnings and errors that are remembered.
const MOST: usize = 20;
/// The longest text of one, in characters.
const MAX_TEXT: usize = 300;

/// A warning or an error of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    /// The moment at which it was logged last, in civil seconds.
    pub at: u64,
    /// Its text, on one line.
    pub text: String,
    /// How often it was logged in a row.
    pub times: u64,
}

static LAST: Mutex<VecDeque<Recent>> = Mutex::new(VecDeque::new());

/// Starts the log. `RUST_LOG` chooses another level, for all or by module; `info` is the default.
pub fn start() {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    let filter = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // A stderr that was closed is no reason to panic.
        .log_internal_errors(false)
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_filter(filter);
    // Other crates log what a peer sent; ours keep names and addresses out of these levels.
    let own = Targets::new().with_target("lachan", LevelFilter::WARN);
    // Only a second start could fail, and it would change nothing.
    let _ = tracing_subscriber::registry().with(log).with(Memory.with_filter(own)).try_init();
}

/// The last warnings and errors, the newest first.
pub fn recent() -> Vec<Recent> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
}

/// The layer that remembers.
struct Memory;

impl<S: Subscriber> Layer<S> for Memory {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let text = line.text();
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut last, text, system_time());
    }
}

/// Adds an event to what is remembered.
fn note(last: &mut VecDeque<Recent>, text: String, at: u64) {
    if let Some(same) = last.back_mut().filter(|newest| newest.text == text) {
        (same.at, same.times) = (at, same.times.saturating_add(1));
        return;
    }
    if last.len() >= MOST {
        last.pop_front();
    }
    last.push_back(Recent { at, text, times: 1 });
}

/// The message of an event, and its fields behind it.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    /// One line of bounded length, which never writes to a terminal.
    fn text(&self) -> String {
        let all = self.message.chars().chain(self.fields.chars());
        all.map(|one| if one.is_control() { ' ' } else { one }).take(MAX_TEXT).collect()
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_remembered_and_the_same_is_counted() {
        let mut last = VecDeque::new();
        for at in 0..3 {
            note(&mut last, "again".into(), at);
        }
        assert_eq!(last, [Recent { at: 2, text: "again".into(), times: 3 }]);
        for at in 0..100 {
            note(&mut last, at.to_string(), at);
        }
        assert_eq!(last.len(), MOST);
        assert_eq!(last.back().unwrap().text, "99");
    }

    #[test]
    fn a_line_is_short_and_plain() {
        let line = Line { message: "a\u{1b}[2J\nb".into(), fields: "x".repeat(1000) };
        assert!(line.text().starts_with("a [2J b"));
        assert_eq!(line.text().chars().count(), MAX_TEXT);
    }
}
