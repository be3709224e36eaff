//! `lachan token`: tokens of DNS over HTTPS, through the admin API.

use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::admin::tokens::{RotateRequest, TokenList};
use crate::cli::output::{CommandFailure, finish, json};
use crate::cli::running::{GatewayArguments, read};
use crate::config::file::quantity::duration;
use crate::devices::tokens::{IssuedToken, TokenRequest, TokenState};
use crate::lang::{Lang, Message, messages};

/// Arguments of `token`.
#[derive(Debug, clap::Args)]
pub struct TokensArguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a token for a group of devices, never for one child; it is shown this once.
    ///
    /// Whoever has the token has the group, and one for each device would be a name for a child: make
    /// one for what is set up together, such as the laptops of the staff. Nothing is counted or
    /// remembered of the use of a token.
    Add {
        /// The group that its devices get.
        #[arg(long, value_name = "GROUP")]
        group: String,
        /// Its name, to list and revoke it by, such as `staff-laptops`.
        #[arg(long, value_name = "LABEL")]
        name: String,
    },
    /// Show the tokens, without their secret.
    List,
    /// Make a token good no more, at once.
    Revoke {
        /// Its name.
        name: String,
    },
    /// Give a token another secret; it is shown this once.
    Rotate {
        /// Its name.
        name: String,
        /// How long the secret before it stays good, such as 14d: until the devices are moved over.
        /// Without it that one is good no more at once.
        #[arg(long, value_name = "DURATION")]
        keep_old: Option<String>,
    },
}

/// Sends the request to the running gateway; exits 0, 1 when it is refused, 3 without an answer.
pub fn run(arguments: &TokensArguments) -> ExitCode {
    finish(act(arguments))
}

fn act(arguments: &TokensArguments) -> Result<String, CommandFailure> {
    let gateway = arguments.gateway.running()?;
    let school = &gateway.config.school;
    let shown = Shown { zone: school.zone(), lang: school.lang };
    let as_json = arguments.gateway.json;
    let send = |method, name: &str, body: &str| {
        // Of a name that is none, only what can stand in a path is sent: no such token is there.
        let name: String =
            name.chars().filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
        gateway.send(method, &format!("/api/tokens/{name}"), body)
    };
    let issued = |issued: &IssuedToken| if as_json { json(issued) } else { shown.issued(issued) };
    match &arguments.action {
        Action::Add { group, name } => {
            let request = TokenRequest { name: name.clone(), group: group.clone() };
            let answer = gateway.send("POST", "/api/tokens", &json(&request))?;
            Ok(issued(&read(&answer)?))
        }
        Action::List => {
            let listed: TokenList = read(&gateway.send("GET", "/api/tokens", "")?)?;
            Ok(if as_json { json(&listed) } else { shown.listed(&listed) })
        }
        Action::Revoke { name } => {
            let revoked: TokenState = read(&send("DELETE", name, "")?)?;
            let said = messages::token_revoked(&revoked.name);
            Ok(if as_json { json(&revoked) } else { shown.say(&said) })
        }
        Action::Rotate { name, keep_old } => {
            let keep_old = match keep_old.as_deref() {
                None => 0,
                Some(text) => {
                    let read = duration(text);
                    read.map_err(|error| {
                        let given = format!("{text:?}");
                        (2, shown.say(&messages::no_duration("--keep-old", given, error.message())))
                    })?
                    .as_secs()
                }
            };
            let answer = send("POST", name, &json(&RotateRequest { keep_old }))?;
            Ok(issued(&read(&answer)?))
        }
    }
}

/// Zone and language in which tokens are shown.
struct Shown {
    zone: TimeZone,
    lang: Lang,
}

impl Shown {
    fn say(&self, message: &Message) -> String {
        message.in_lang(self.lang)
    }

    fn time(&self, civil: u64, format: &str) -> String {
        let at = i64::try_from(civil).ok().and_then(|at| Timestamp::from_second(at).ok());
        let shown = at.map(|at| self.zone.to_datetime(at).strftime(format).to_string());
        shown.unwrap_or_default()
    }

    fn issued(&self, issued: &IssuedToken) -> String {
        let notes = [
            messages::token_issued(&issued.token, &issued.path),
            self.line(&issued.state),
            messages::token_issued_note(),
        ];
        let notes = notes.into_iter().chain((!issued.is_kept).then(messages::token_not_kept));
        notes.map(|note| self.say(&note)).collect::<Vec<_>>().join("\n")
    }

    fn listed(&self, listed: &TokenList) -> String {
        if listed.tokens.is_empty() {
            return self.say(&messages::no_tokens());
        }
        let lines = listed.tokens.iter().map(|token| self.say(&self.line(token)));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn line(&self, token: &TokenState) -> Message {
        let day = self.time(token.created, "%Y-%m-%d");
        let TokenState { name, group, .. } = token;
        match token.old_until {
            None => messages::token_line(name, group, day),
            Some(until) => {
                let until = self.time(until, "%Y-%m-%d %H:%M");
                messages::token_line_old(name, group, day, until)
            }
        }
    }
}
