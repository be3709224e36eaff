//! A fleet as its gateways report it: the access logs of the department's web server.
//!
//! ```text
//! 203.0.113.7 - - [29/Nov/2026:06:26:44 +0000] "GET /timestamp.json HTTP/1.1" 304 0 "-" "lachan/…"
//! ```
//!
//! Laws: a line of a log is written by strangers, so that only what the strict grammar of
//! [`GatewayReport`] takes is shown, and it is *reported*, never evidence; addresses are not read. A line
//! of a day that is to come hides no line of today.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde::Serialize;

use crate::release::report::{GatewayReport, ReportedState};
use crate::sys::read;

/// The most octets of one line of a log.
const MAX_LINE: u64 = 16 << 10;
/// The most boxes that are told apart: names in a log are free to invent.
const MAX_BOXES: usize = 50_000;
/// Seconds that a line may be ahead of now: clocks of two hosts, and no more.
const AHEAD: u64 = 86_400;
/// Seconds without a poll after which a box is silent.
const SILENT: u64 = 3 * 86_400;

/// The last report of one box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportedBox {
    /// The id of the school.
    pub school: String,
    /// The id of the box.
    pub box_id: String,
    /// Seconds since 1970 of its last poll.
    pub last: u64,
    /// The version of its program.
    pub version: String,
    /// Its release.
    pub release: u64,
    /// Its ring.
    pub ring: String,
    /// `ok`, `held` or `rejected:reason`.
    pub state: String,
    /// True where it has not polled for three days.
    pub is_silent: bool,
}

/// A fleet as reported.
#[derive(Debug)]
pub struct ReportedFleet {
    /// Seconds since 1970 at which it is looked at.
    now: u64,
    boxes: BTreeMap<(String, String), (u64, GatewayReport)>,
    /// Lines of other programs, lines that are not of the grammar or of another day to come.
    pub passed_over: u64,
}

impl ReportedFleet {
    /// A fleet of which nothing is read yet, at a second since 1970.
    pub fn at(now: u64) -> Self {
        Self { now, boxes: BTreeMap::new(), passed_over: 0 }
    }

    /// Reads a log line by line; the rest of a line that is too long is another line.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn read(&mut self, path: &Path) -> io::Result<()> {
        let mut reader = BufReader::new(read::open(path)?);
        let mut line = Vec::new();
        while (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line)? > 0 {
            self.take(&String::from_utf8_lossy(&line));
            line.clear();
        }
        Ok(())
    }

    /// Takes one line of a log in the combined format.
    pub fn take(&mut self, line: &str) {
        let latest = self.now.saturating_add(AHEAD);
        let Some((at, report)) = parse(line).filter(|(at, _)| *at <= latest) else {
            self.passed_over += 1;
            return;
        };
        let is_full = self.boxes.len() >= MAX_BOXES;
        match self.boxes.entry((report.school.clone(), report.box_id.clone())) {
            Entry::Occupied(mut known) if known.get().0 <= at => {
                known.insert((at, report));
            }
            Entry::Vacant(new) if !is_full => {
                new.insert((at, report));
            }
            Entry::Vacant(_) => self.passed_over += 1,
            Entry::Occupied(_) => {}
        }
    }

    /// The boxes, sorted by what needs a hand: rejected, held, silent, then by release.
    pub fn boxes(&self) -> Vec<ReportedBox> {
        let mut shown: Vec<(u8, ReportedBox)> = Vec::new();
        for (at, report) in self.boxes.values() {
            let is_silent = self.now.saturating_sub(*at) > SILENT;
            let urgency = match report.state {
                ReportedState::Rejected(_) => 0,
                ReportedState::Held => 1,
                ReportedState::Ok if is_silent => 2,
                ReportedState::Ok => 3,
            };
            let GatewayReport { version, school, box_id, release, ring, state } = report.clone();
            let (last, state) = (*at, state.to_string());
            shown.push((
                urgency,
                ReportedBox { school, box_id, last, version, release, ring, state, is_silent },
            ));
        }
        shown.sort_by(|(a, one), (b, other)| {
            (a, one.release, &one.school, &one.box_id).cmp(&(
                b,
                other.release,
                &other.school,
                &other.box_id,
            ))
        });
        shown.into_iter().map(|(_, one)| one).collect()
    }
}

/// The time and the report of a line; the User-Agent is its last field.
fn parse(line: &str) -> Option<(u64, GatewayReport)> {
    let agent = line.trim_end().strip_suffix('"')?.rsplit_once('"')?.1;
    let report = GatewayReport::parse(agent)?;
    let (time, _) = line.split_once('[')?.1.split_once(']')?;
    let at = jiff::Timestamp::strptime("%d/%b/%Y:%H:%M:%S %z", time).ok()?;
    Some((u64::try_from(at.as_second()).ok()?, report))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(day: u32, agent: &str) -> String {
        format!(
            "203.0.113.7 - - [{day:02}/Nov/2026:06:00:00 +0000] \"GET /timestamp.json HTTP/1.1\" \
             304 0 \"-\" \"{agent}\""
        )
    }

    #[test]
    fn what_needs_a_hand_comes_first_and_strangers_are_passed_over() {
        let now = jiff::Timestamp::strptime("%F %T %z", "2026-11-28 07:00:00 +0000").unwrap();
        let mut fleet = ReportedFleet::at(u64::try_from(now.as_second()).unwrap());
        let agent = |school: &str, release: u64, state: &str| {
            format!("lachan/0.1.0 school={school} box=1 release={release} ring=all state={state}")
        };
        for (day, agent) in [
            (28, agent("fine", 8, "ok")),
            (20, agent("silent", 8, "ok")),
            (28, agent("held", 7, "held")),
            (27, agent("bad", 7, "ok")),
            (28, agent("bad", 7, "rejected:hash")),
            (26, agent("bad", 6, "ok")),
            (28, "Mozilla/5.0".to_owned()),
            (28, agent("x\\x1b[2J", 8, "ok")),
        ] {
            fleet.take(&line(day, &agent));
        }
        fleet.take("\u{0}\" [");
        let boxes = fleet.boxes();
        let schools: Vec<&str> = boxes.iter().map(|one| one.school.as_str()).collect();
        assert_eq!(schools, ["bad", "held", "silent", "fine"]);
        assert_eq!((boxes[0].state.as_str(), fleet.passed_over), ("rejected:hash", 3));
        assert!(boxes[2].is_silent && !boxes[3].is_silent);
    }

    #[test]
    fn a_line_of_a_day_to_come_is_passed_over_and_hides_nothing() {
        let now = jiff::Timestamp::strptime("%F %T %z", "2026-11-28 07:00:00 +0000").unwrap();
        let mut fleet = ReportedFleet::at(u64::try_from(now.as_second()).unwrap());
        let agent =
            |state: &str| format!("lachan/0.1.0 school=a box=1 release=8 ring=all state={state}");
        // A clock that is some hours ahead is believed, one that is two days ahead is not.
        fleet.take(&line(29, &agent("ok")));
        fleet.take(&line(30, &agent("rejected:hash")));
        let boxes = fleet.boxes();
        assert_eq!((boxes.len(), boxes[0].state.as_str(), fleet.passed_over), (1, "ok", 1));
        fleet.take(&line(30, &agent("ok").replace("school=a", "school=b")));
        assert_eq!((fleet.boxes().len(), fleet.passed_over), (1, 2));
    }
}
