//! The state of a gateway in words, section by section: what the command line prints and the
//! technician's page shows.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::evidence::record::GapCause;
use crate::lang::{Lang, Message, messages};
use crate::load::list_state::{ListCondition, ListState};
use crate::overblock::top::{CLIENTS, TopName};
use crate::policy::group::time::Trust;
use crate::status::finding::{Finding, Gravity};
use crate::status::state::{
    BlockedStatus, CertificateStatus, EvidenceStatus, LoggedError, Status, UpstreamStatus, moment,
};
use crate::update::status::UpdateStatus;

/// The share of the school minutes that must be enforced, in tenths of a percent.
const OBJECTIVE: u64 = 999;

/// A state in words.
#[derive(Debug)]
pub struct StatusReport {
    /// Whether nothing is a fault.
    pub is_ok: bool,
    /// Whether it filters, and how it is.
    pub head: Vec<String>,
    /// What is to be done, the worst first.
    pub todo: Vec<Todo>,
    /// What there is.
    pub sections: Vec<StatusSection>,
    /// Names that are blocked for many.
    pub top: StatusSection,
}

/// One thing to do.
#[derive(Debug)]
pub struct Todo {
    /// Whether it can wait.
    pub is_notice: bool,
    /// The finding.
    pub text: String,
    /// The cause as it was found, in lines; a mistake in a file has a drawing of its place.
    pub why: Vec<String>,
    /// What to do.
    pub remedy: String,
}

impl Todo {
    /// What a finding asks for.
    pub fn of(finding: &Finding) -> Self {
        Self {
            is_notice: finding.gravity == Gravity::Notice,
            text: finding.text.clone(),
            why: finding.why.trim_end().lines().map(str::to_owned).collect(),
            remedy: finding.remedy.clone(),
        }
    }

    /// It as lines of plain text.
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let mark = if self.is_notice { '-' } else { '!' };
        let why = self.why.iter().map(|line| format!("      {line}"));
        let remedy = messages::what_to_do(&self.remedy).in_lang(lang);
        std::iter::once(format!("  {mark} {}", self.text))
            .chain(why)
            .chain([format!("    {remedy}")])
            .collect()
    }
}

/// A part of the report.
#[derive(Debug)]
pub struct StatusSection {
    /// Its heading.
    pub title: String,
    /// Its lines: whether one is as it should be, and its text.
    pub lines: Vec<(bool, String)>,
}

/// Words of one language and time zone.
struct Words<'a> {
    lang: Lang,
    zone: &'a TimeZone,
}

impl StatusReport {
    /// A state in a language, with times of a zone.
    pub fn of(status: &Status, lang: Lang, zone: &TimeZone) -> Self {
        let words = Words { lang, zone };
        Self {
            is_ok: status.state == "ok",
            head: words.head(status),
            todo: status.findings.iter().map(Todo::of).collect(),
            sections: vec![
                words.lists(&status.lists),
                words.upstreams(&status.upstreams),
                words.release(status),
                words.this_box(status),
                words.errors(&status.errors),
            ],
            top: words.top(&status.top_names),
        }
    }

    /// The report as plain text; names that are blocked for many if `with_top`.
    pub fn text(&self, lang: Lang, with_top: bool) -> String {
        let mut lines = self.head.clone();
        if !self.todo.is_empty() {
            lines.push(String::new());
            lines.push(messages::heading_todo().in_lang(lang));
        }
        lines.extend(self.todo.iter().flat_map(|todo| todo.lines(lang)));
        for section in self.sections.iter().chain(with_top.then_some(&self.top)) {
            lines.push(String::new());
            lines.push(section.title.clone());
            let mark = |is_ok: bool| if is_ok { ' ' } else { '!' };
            let shown = section.lines.iter();
            lines.extend(shown.map(|(is_ok, line)| format!("  {} {line}", mark(*is_ok))));
        }
        lines.join("\n")
    }
}

impl Words<'_> {
    fn say(&self, message: &Message) -> String {
        message.in_lang(self.lang)
    }

    /// A moment by RFC 3339, as the clock on the wall has it.
    fn time(&self, moment: &str) -> String {
        let at = moment.parse::<Timestamp>();
        at.map_or_else(
            |_| moment.to_owned(),
            |at| self.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string(),
        )
    }

    fn section(&self, title: &Message, lines: Vec<(bool, Message)>) -> StatusSection {
        let lines = lines.into_iter().map(|(is_ok, line)| (is_ok, self.say(&line))).collect();
        StatusSection { title: self.say(title), lines }
    }

    fn head(&self, status: &Status) -> Vec<String> {
        let since = self.time(&status.filtering.since);
        let filtering = match status.filtering.state.as_str() {
            "on" => messages::filtering_on(since),
            "off" => messages::filtering_off(since),
            _ => messages::filtering_partly(since),
        };
        let state = match status.state.as_str() {
            "ok" if status.findings.is_empty() => messages::state_ok(),
            "ok" => messages::state_notices(),
            _ => messages::state_degraded(self.time(&status.since)),
        };
        let program = messages::program_version(&status.version, status.generation);
        let diagnosis = status.diagnosis.as_ref().map(|on| {
            let until = self.time(&moment(on.until));
            messages::diagnosis_on(&on.group, &on.by, until, &on.reason)
        });
        let lines = [filtering, state, program].into_iter().chain(diagnosis);
        lines.map(|line| self.say(&line)).collect()
    }

    fn lists(&self, lists: &[ListState]) -> StatusSection {
        let line = |list: &ListState| {
            let age = list.age_s.map_or_else(String::new, |age| {
                let hours = age / 3600;
                self.say(&match hours {
                    0..=47 => messages::hours_old(hours),
                    _ => messages::days_old(hours / 24),
                })
            });
            match list.state {
                ListCondition::Ok => (true, messages::list_ok(&list.name, list.rules, age)),
                ListCondition::Held => (false, messages::list_held(&list.name, list.rules, age)),
                ListCondition::LeftOut => (false, messages::list_left_out(&list.name)),
            }
        };
        let line = |list: &ListState| {
            let (is_ok, line) = line(list);
            match list.matches {
                _ if list.only_costs => (is_ok, messages::list_only_costs(self.say(&line))),
                Some(matches) if list.state != ListCondition::LeftOut => {
                    (is_ok, messages::list_matches(self.say(&line), matches))
                }
                _ => (is_ok, line),
            }
        };
        self.section(&messages::heading_lists(), lists.iter().map(line).collect())
    }

    fn upstreams(&self, servers: &[UpstreamStatus]) -> StatusSection {
        let line = |server: &UpstreamStatus| match server.down_s {
            None => (server.up, messages::upstream_up(&server.name)),
            Some(seconds) => (false, messages::upstream_down(&server.name, seconds / 60)),
        };
        self.section(&messages::heading_upstreams(), servers.iter().map(line).collect())
    }

    fn release(&self, status: &Status) -> StatusSection {
        let mut lines = match &status.update {
            None => vec![(true, messages::no_repository())],
            Some(update) => self.update(update),
        };
        if let Some(list) = &status.emergency {
            let when = match list.seconds_to_use {
                Some(seconds) => messages::emergency_took(seconds),
                None => messages::emergency_signed(self.time(&list.signed_at)),
            };
            let (block, warn, allow) = (list.block, list.warn, list.allow);
            let line = messages::emergency_in_use(list.version, block, warn, allow, when);
            lines.push((list.refused == 0, line));
        }
        self.section(&messages::heading_release(), lines)
    }

    fn update(&self, update: &UpdateStatus) -> Vec<(bool, Message)> {
        let ring = match update.ring.as_str() {
            "" => messages::no_ring(),
            ring => messages::in_ring(ring),
        };
        let release = match update.release {
            0 => (false, messages::no_release_yet()),
            release => (true, messages::release_in_use(release, ring)),
        };
        let program = update.program.as_ref();
        let chosen = program.map(|one| (true, messages::program_chosen(&one.version)));
        let installed = update.upgrade.as_ref().and_then(|record| record.installed.as_ref());
        let installed = installed.filter(|one| one.at > 0).map(|one| {
            (true, messages::program_upgraded(&one.version, self.time(&moment(one.at))))
        });
        let looked = match update.last_success {
            0 => messages::update_never_looked_for(),
            at => messages::update_looked_for(self.time(&moment(at))),
        };
        let servers = update.servers.iter().map(|server| match &server.why {
            None => (true, messages::repository_server_ok(&server.url)),
            Some(why) => (false, messages::repository_server_fails(&server.url, why.trim_end())),
        });
        let program = chosen.into_iter().chain(installed);
        std::iter::once(release).chain(program).chain([(true, looked)]).chain(servers).collect()
    }

    fn this_box(&self, status: &Status) -> StatusSection {
        let clock = match status.clock.as_str() {
            id if id == Trust::Synced.id() => (true, messages::clock_is_synced()),
            id if id == Trust::Plausible.id() => (true, messages::clock_is_plausible()),
            _ => (false, messages::clock_is_untrusted()),
        };
        let kept = if status.is_kept {
            (true, messages::kept_in_state())
        } else {
            (false, messages::kept_in_memory())
        };
        let BlockedStatus { queries, merged } = status.blocked;
        let mut lines = vec![clock, kept, (true, messages::blocked_since(queries, merged))];
        lines.extend(status.certificates.iter().map(|one| self.certificate(one)));
        lines.extend(status.evidence.iter().flat_map(|one| self.evidence(one)));
        if status.reviews_open > 0 || status.allows > 0 {
            lines.push((true, messages::reviews_waiting(status.reviews_open, status.allows)));
        }
        self.section(&messages::heading_box(), lines)
    }

    /// A certificate, by its end, or why there is none.
    fn certificate(&self, one: &CertificateStatus) -> (bool, Message) {
        let is_ok = one.why.is_none() && one.days_left.is_none_or(|days| days >= 0);
        match &one.until {
            Some(until) => {
                let until = self.time(until);
                (is_ok, messages::certificate_until(&one.file, until, one.covers.join(", ")))
            }
            None => (false, messages::finding_certificate_unusable(&one.file)),
        }
    }

    /// The share of this month, and what is missing in it.
    fn evidence(&self, evidence: &EvidenceStatus) -> Vec<(bool, Message)> {
        let Some(share) = evidence.share() else {
            return vec![(true, messages::evidence_no_minute())];
        };
        let shown = format!("{}.{}", share / 10, share % 10);
        let mut lines = vec![(share >= OBJECTIVE, messages::evidence_month(shown))];
        // What is left of a minute is one: a gap must not be told as none.
        let gap =
            |(cause, seconds): (&GapCause, &u64)| self.say(&gap(*cause, seconds.div_ceil(60)));
        let gaps: Vec<String> =
            evidence.gaps_s.iter().filter(|(_, seconds)| **seconds > 0).map(gap).collect();
        if !gaps.is_empty() {
            lines.push((true, messages::evidence_gaps(gaps.join(", "))));
        }
        lines
    }

    fn top(&self, names: &[TopName]) -> StatusSection {
        let line = |one: &TopName| {
            let category = match one.category.as_str() {
                "" => self.say(&messages::top_without_category()),
                id => id.to_owned(),
            };
            (true, messages::top_name(&one.name, category))
        };
        let mut lines: Vec<(bool, Message)> = names.iter().map(line).collect();
        if lines.is_empty() {
            lines.push((true, messages::no_top()));
        }
        self.section(&messages::heading_top(CLIENTS), lines)
    }

    fn errors(&self, errors: &[LoggedError]) -> StatusSection {
        let line = |error: &LoggedError| {
            let at = self.time(&error.at);
            let line = match error.times {
                1 => messages::error_line(at, &error.text),
                times => messages::error_line_times(at, &error.text, times),
            };
            (true, line)
        };
        let mut lines: Vec<(bool, Message)> = errors.iter().map(line).collect();
        if lines.is_empty() {
            lines.push((true, messages::no_errors()));
        }
        self.section(&messages::heading_errors(), lines)
    }
}

/// The minutes of a cause, in words.
fn gap(cause: GapCause, minutes: u64) -> Message {
    match cause {
        GapCause::Uplink => messages::gap_uplink(minutes),
        GapCause::Power => messages::gap_power(minutes),
        GapCause::Stopped => messages::gap_stopped(minutes),
        GapCause::Program => messages::gap_program(minutes),
        GapCause::Clock => messages::gap_clock(minutes),
        GapCause::Config => messages::gap_config(minutes),
        GapCause::Lists => messages::gap_lists(minutes),
    }
}
