//! `lachan override`: lessons and exams for a group and some minutes, through the admin API.

use std::fmt::Write as _;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::admin::api::{OverrideBegun, OverrideList};
use crate::cli::output::{CommandFailure, finish, json};
use crate::cli::running::{GatewayArguments, read};
use crate::config::file::quantity::duration;
use crate::lang::Lang;
use crate::overrides::{OverrideRequest, StoredOverride};
use crate::policy::group::overrides::OverrideKind;

/// Arguments of `override`.
#[derive(Debug, clap::Args)]
pub struct OverridesArguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Let names or categories through for a group, for some minutes.
    Lesson {
        #[command(flatten)]
        whom: Whom,
        /// A name with all below it, `service:ID`, `category:ID` or `bundle:NAME`; may be given many
        /// times.
        #[arg(long, value_name = "NAME", required_unless_present = "deny", num_args = 1..)]
        allow: Vec<String>,
        /// A name that is refused with all below it, `service:ID` or `bundle:NAME`; may be given many
        /// times.
        #[arg(long, value_name = "NAME", num_args = 1..)]
        deny: Vec<String>,
    },
    /// Let nothing through for a group but these names, for some minutes.
    Exam {
        #[command(flatten)]
        whom: Whom,
        /// A name with all below it, `service:ID` or `bundle:NAME`; may be given many times.
        #[arg(long, value_name = "NAME", required = true, num_args = 1..)]
        only: Vec<String>,
    },
    /// Show those that are on.
    List,
    /// End one before its time.
    End {
        /// Its number, as `list` shows it.
        id: u64,
        /// The person that ends it.
        #[arg(long, value_name = "NAME")]
        by: String,
    },
}

#[derive(Debug, clap::Args)]
struct Whom {
    /// The group.
    #[arg(long, value_name = "GROUP")]
    group: String,
    /// For how long: `45m`, `2h`.
    #[arg(long = "for", value_name = "DURATION", value_parser = seconds)]
    seconds: u64,
    /// The person that sets it.
    #[arg(long, value_name = "NAME")]
    by: String,
}

/// Reads `--for`.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    duration(text).map(|length| length.as_secs()).map_err(|error| error.to_string())
}

/// Sends the request to the running gateway; exits 0, 1 when it is refused, 3 without an answer.
pub fn run(arguments: &OverridesArguments) -> ExitCode {
    finish(act(arguments))
}

/// Sends one request, and shows the response.
fn act(arguments: &OverridesArguments) -> Result<String, CommandFailure> {
    let gateway = arguments.gateway.running()?;
    let send = |method: &str, path: &str, body: &str| gateway.send(method, path, body);
    let config = &gateway.config;
    let shown = Shown { zone: config.school.zone(), lang: config.school.lang };
    let request = |kind: &str, whom: &Whom, (what, deny): (&[String], &[String])| OverrideRequest {
        kind: kind.into(),
        group: whom.group.clone(),
        what: what.to_vec(),
        deny: deny.to_vec(),
        seconds: whom.seconds,
        by: whom.by.clone(),
    };
    let begin = |request: &OverrideRequest| -> Result<String, CommandFailure> {
        let answer = send("POST", "/api/overrides", &json(request))?;
        let begun: OverrideBegun = read(&answer)?;
        Ok(if arguments.gateway.json { json(&begun) } else { shown.begun(&begun) })
    };
    match &arguments.action {
        Action::Lesson { whom, allow, deny } => begin(&request("lesson", whom, (allow, deny))),
        Action::Exam { whom, only } => begin(&request("exam", whom, (only, &[]))),
        Action::List => {
            let listed: OverrideList = read(&send("GET", "/api/overrides", "")?)?;
            Ok(if arguments.gateway.json { json(&listed) } else { shown.listed(&listed.overrides) })
        }
        Action::End { id, by } => {
            let path = format!("/api/overrides/{id}?by={}", encoded(by));
            let stored: StoredOverride = read(&send("DELETE", &path, "")?)?;
            Ok(if arguments.gateway.json { json(&stored) } else { shown.ended(&stored) })
        }
    }
}

/// Percent-encodes everything but letters and digits.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, octet| {
        if octet.is_ascii_alphanumeric() {
            out.push(char::from(octet));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{octet:02X}");
        }
        out
    })
}

/// Zone and language in which overrides are shown.
struct Shown {
    zone: TimeZone,
    lang: Lang,
}

impl Shown {
    /// The end of an override, in the school's zone: the time of day, or the day of an allow.
    fn end(&self, stored: &StoredOverride) -> String {
        let civil = stored.until;
        let form = if stored.kind == OverrideKind::Allow.id() { "%Y-%m-%d %H:%M" } else { "%H:%M" };
        let at = i64::try_from(civil).ok().and_then(|at| Timestamp::from_second(at).ok());
        at.map_or(String::new(), |at| self.zone.to_datetime(at).strftime(form).to_string())
    }

    /// One override, on one line.
    fn one(&self, stored: &StoredOverride) -> String {
        let categories = stored.categories.iter().map(|id| format!("category:{id}"));
        let denied = stored.deny.iter().map(|name| match self.lang {
            Lang::En => format!("without {name}"),
            Lang::Vi => format!("cấm {name}"),
        });
        let what: Vec<String> =
            categories.chain(stored.names.iter().cloned()).chain(denied).collect();
        let (id, kind, group, by, until) =
            (stored.id, &stored.kind, &stored.group, &stored.by, self.end(stored));
        match self.lang {
            Lang::En => {
                format!("{id}  {kind}  {group}  until {until}  by {by}: {}", what.join(" "))
            }
            Lang::Vi => {
                let kind = match kind.as_str() {
                    "exam" => "thi",
                    "allow" => "mở theo đề nghị",
                    _ => "tiết học",
                };
                format!("{id}  {kind}  {group}  đến {until}  người đặt {by}: {}", what.join(" "))
            }
        }
    }

    /// An override that has begun.
    fn begun(&self, begun: &OverrideBegun) -> String {
        let note = match (begun.is_kept, self.lang) {
            (true, _) => "",
            (false, Lang::En) => {
                "\nit is kept nowhere: without a state directory a restart ends it, and no ledger \
                 has it; where there is one its disk may be full, and the log has the reason"
            }
            (false, Lang::Vi) => {
                "\nkhông lưu được: khi không có thư mục trạng thái thì khởi động lại sẽ kết thúc và \
                 không ghi sổ; nếu đã có, có thể đĩa đã đầy, lý do ở trong nhật ký"
            }
        };
        self.one(&begun.kept) + note
    }

    /// All overrides in effect.
    fn listed(&self, all: &[StoredOverride]) -> String {
        let lines: Vec<String> = all.iter().map(|stored| self.one(stored)).collect();
        match (lines.is_empty(), self.lang) {
            (false, _) => lines.join("\n"),
            (true, Lang::En) => "no override is on".into(),
            (true, Lang::Vi) => "không có thay đổi tạm thời nào".into(),
        }
    }

    /// An override that has ended.
    fn ended(&self, stored: &StoredOverride) -> String {
        match self.lang {
            Lang::En => format!("ended: {}", self.one(stored)),
            Lang::Vi => format!("đã kết thúc: {}", self.one(stored)),
        }
    }
}
