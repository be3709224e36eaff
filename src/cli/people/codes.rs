//! `lachan code`: codes for teachers, and their PIN, through the admin API.

use std::io::Read as _;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::admin::codes::{CodeList, CodesIssued, PinRequest};
use crate::cli::output::{CommandFailure, finish, json};
use crate::cli::running::{GatewayArguments, RunningGateway, read};
use crate::lang::{Lang, Message, messages};
use crate::staff::codes::{CodeRequest, CodeState};
use crate::sys::clock::system_time;

/// The most octets that are read for a PIN.
const MAX_PIN: u64 = 256;

/// Arguments of `code`.
#[derive(Debug, clap::Args)]
pub struct CodesArguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make codes for teachers, each good once, for one room and one day; they are shown this once.
    Issue {
        /// The room: a group.
        #[arg(long, value_name = "GROUP")]
        room: String,
        /// The day, such as 2026-11-30; today by default.
        #[arg(long, value_name = "DATE")]
        day: Option<Date>,
        /// The time of that day at which they end, such as 17:00; the end of the day by default.
        #[arg(long, value_name = "TIME")]
        until: Option<Time>,
        /// The teacher; without it, whoever uses the code gives a name.
        #[arg(long, value_name = "NAME", default_value = "")]
        by: String,
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 1)]
        count: usize,
    },
    /// Show the codes that have not ended, without their secret.
    List,
    /// Make a code good no more, and log out the person that used it.
    Revoke {
        /// Its number, as `list` shows it.
        id: u64,
    },
    /// Set the PIN with which teachers log in on the staff network; it is read from stdin.
    Pin {
        /// Remove it instead.
        #[arg(long)]
        remove: bool,
    },
}

/// Sends the request to the running gateway; exits 0, 1 when it is refused, 3 without an answer.
pub fn run(arguments: &CodesArguments) -> ExitCode {
    finish(act(arguments))
}

fn act(arguments: &CodesArguments) -> Result<String, CommandFailure> {
    let gateway = arguments.gateway.running()?;
    let school = &gateway.config.school;
    let shown = Shown { zone: school.zone(), lang: school.lang };
    let as_json = arguments.gateway.json;
    match &arguments.action {
        Action::Issue { room, day, until, by, count } => {
            let (from, until) = shown.day(*day, *until)?;
            let (room, by) = (room.clone(), by.clone());
            let request = CodeRequest { room, by, from, until, count: *count };
            let answer = gateway.send("POST", "/api/codes", &json(&request))?;
            let issued: CodesIssued = read(&answer)?;
            Ok(if as_json { json(&issued) } else { shown.issued(&issued) })
        }
        Action::List => {
            let listed: CodeList = read(&gateway.send("GET", "/api/codes", "")?)?;
            Ok(if as_json { json(&listed) } else { shown.listed(&listed) })
        }
        Action::Revoke { id } => {
            let revoked: CodeState =
                read(&gateway.send("DELETE", &format!("/api/codes/{id}"), "")?)?;
            let said = messages::code_revoked(revoked.id);
            Ok(if as_json { json(&revoked) } else { said.in_lang(shown.lang) })
        }
        Action::Pin { remove } => pin(&gateway, *remove, as_json, &shown),
    }
}

fn pin(
    gateway: &RunningGateway,
    remove: bool,
    as_json: bool,
    shown: &Shown,
) -> Result<String, CommandFailure> {
    let pin = if remove { None } else { Some(read_pin()?) };
    let answer = gateway.send("POST", "/api/pin", &json(&PinRequest { pin }))?;
    let listed: CodeList = read(&answer)?;
    Ok(if as_json { json(&listed) } else { shown.pin(&listed) })
}

/// A line of stdin: an argument would stand in the history of the shell.
fn read_pin() -> Result<String, CommandFailure> {
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_PIN).read_to_string(&mut text);
    read.map_err(|error| (2, format!("stdin: {error}")))?;
    Ok(text.trim().to_owned())
}

/// Zone and language in which codes are shown.
struct Shown {
    zone: TimeZone,
    lang: Lang,
}

impl Shown {
    /// The civil seconds of a day from its begin to its end, or to a time of it. Today begins now, by
    /// the clock of the gateway.
    fn day(
        &self,
        day: Option<Date>,
        until: Option<Time>,
    ) -> Result<(Option<u64>, u64), CommandFailure> {
        let odd = |error: jiff::Error| (2, error.to_string());
        let now = i64::try_from(system_time()).unwrap_or(i64::MAX);
        let now = Timestamp::from_second(now).map_err(odd)?;
        let today = self.zone.to_datetime(now).date();
        let day = day.unwrap_or(today);
        let end = match until {
            Some(time) => day.to_datetime(time),
            None => day.tomorrow().map_err(odd)?.to_datetime(Time::midnight()),
        };
        let seconds = |at: DateTime| -> Result<u64, CommandFailure> {
            let at = self.zone.to_timestamp(at).map_err(odd)?;
            Ok(u64::try_from(at.as_second()).unwrap_or(0))
        };
        let start = day.to_datetime(Time::midnight());
        let from = if day == today { None } else { Some(seconds(start)?) };
        Ok((from, seconds(end)?))
    }

    fn say(&self, message: &Message) -> String {
        message.in_lang(self.lang)
    }

    fn time(&self, civil: u64) -> String {
        let at = i64::try_from(civil).ok().and_then(|at| Timestamp::from_second(at).ok());
        let shown = at.map(|at| self.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string());
        shown.unwrap_or_default()
    }

    fn issued(&self, issued: &CodesIssued) -> String {
        let lines = issued.codes.iter().map(|one| {
            let state = &one.state;
            let (from, until) = (self.time(state.from), self.time(state.until));
            self.say(&messages::code_issued(&one.code, state.id, &state.room, from, until))
        });
        let note = [messages::code_issued_note()].into_iter();
        let note = note.chain((!issued.is_kept).then(messages::code_not_kept));
        lines.chain(note.map(|note| self.say(&note))).collect::<Vec<_>>().join("\n")
    }

    fn listed(&self, listed: &CodeList) -> String {
        let mut lines: Vec<String> = listed.codes.iter().map(|one| self.one(one)).collect();
        if lines.is_empty() {
            lines.push(self.say(&messages::no_codes()));
        }
        lines.push(self.pin(listed));
        lines.join("\n")
    }

    fn one(&self, code: &CodeState) -> String {
        let state = match code.used {
            Some(at) => messages::code_is_used(self.time(at)),
            None => messages::code_is_open(),
        };
        let (from, until) = (self.time(code.from), self.time(code.until));
        let by = if code.by.is_empty() { "-" } else { &code.by };
        self.say(&messages::code_line(code.id, &code.room, from, until, by, state))
    }

    fn pin(&self, listed: &CodeList) -> String {
        let said = if listed.has_pin { messages::pin_is_set() } else { messages::pin_is_not_set() };
        self.say(&said)
    }
}
