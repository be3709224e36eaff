//! `lachan diagnose`: looks at what is blocked for a group, for some minutes, through the admin API.

use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::admin::diagnosis::{DiagnosisRequest, DiagnosisShown};
use crate::cli::output::{CommandFailure, finish, json};
use crate::cli::people::overrides::encoded;
use crate::cli::running::{GatewayArguments, read};
use crate::lang::{Lang, messages};
use crate::overblock::diagnosis::DiagnosisState;

/// Arguments of `diagnose`.
#[derive(Debug, clap::Args)]
pub struct DiagnoseArguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Begin to note, in memory, what is blocked for a group.
    Start {
        /// The group.
        #[arg(long, value_name = "GROUP")]
        group: String,
        /// For how many minutes, at most 30.
        #[arg(long, value_name = "N")]
        minutes: u64,
        /// The person that looks: the change ledger keeps the name, and the department gets it.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// The reason: the change ledger keeps it, and the department gets it word for word with the
        /// attestation. Never a pupil's name.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Show what was blocked since.
    Show,
    /// End it before its time.
    Stop {
        /// The person that ends it.
        #[arg(long, value_name = "NAME")]
        by: String,
    },
}

/// Sends the request to the running gateway; exits 0, 1 when it is refused, 3 without an answer.
pub fn run(arguments: &DiagnoseArguments) -> ExitCode {
    finish(act(arguments))
}

fn act(arguments: &DiagnoseArguments) -> Result<String, CommandFailure> {
    const PATH: &str = "/api/diagnosis";
    let gateway = arguments.gateway.running()?;
    let school = &gateway.config.school;
    let words = Words { lang: school.lang, zone: school.zone() };
    match &arguments.action {
        Action::Start { group, minutes, by, reason } => {
            let (group, by, reason) = (group.clone(), by.clone(), reason.clone());
            let request = DiagnosisRequest { group, minutes: *minutes, by, reason };
            let on: DiagnosisState = read(&gateway.send("POST", PATH, &json(&request))?)?;
            Ok(if arguments.gateway.json { json(&on) } else { words.on(&on) })
        }
        Action::Show => {
            let shown: DiagnosisShown = read(&gateway.send("GET", PATH, "")?)?;
            Ok(if arguments.gateway.json { json(&shown) } else { words.shown(&shown) })
        }
        Action::Stop { by } => {
            let path = format!("{PATH}?by={}", encoded(by));
            let ended: DiagnosisState = read(&gateway.send("DELETE", &path, "")?)?;
            Ok(if arguments.gateway.json {
                json(&ended)
            } else {
                messages::diagnosis_ended(&ended.group, &ended.by).in_lang(words.lang)
            })
        }
    }
}

/// The language and the zone in which a diagnosis is shown.
struct Words {
    lang: Lang,
    zone: TimeZone,
}

impl Words {
    fn time(&self, civil: u64, form: &str) -> String {
        let at = i64::try_from(civil).ok().and_then(|at| Timestamp::from_second(at).ok());
        at.map_or_else(String::new, |at| self.zone.to_datetime(at).strftime(form).to_string())
    }

    fn on(&self, on: &DiagnosisState) -> String {
        let until = self.time(on.until, "%H:%M");
        messages::diagnosis_on(&on.group, &on.by, until, &on.reason).in_lang(self.lang)
    }

    fn shown(&self, DiagnosisShown { on, blocks }: &DiagnosisShown) -> String {
        let about = match blocks.len() {
            0 => messages::diagnosis_nothing(),
            count => messages::diagnosis_about(count),
        };
        let lines = blocks.iter().map(|one| {
            let at = self.time(one.at, "%H:%M:%S");
            format!("{at}  {}  {}  {}  {}", one.name, one.qtype, one.source, one.category)
        });
        let head = [self.on(on), about.in_lang(self.lang)];
        head.into_iter().chain(lines).map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}
