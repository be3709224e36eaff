//! `lachan review`: names that people ask to have opened, through the admin API.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::admin::api::OverrideBegun;
use crate::admin::reviews::{ForwardedNames, NamedWord, ReviewList, ReviewRequest, ShownReview};
use crate::cli::output::{CommandFailure, finish, json};
use crate::cli::people::overrides::seconds;
use crate::cli::running::{GatewayArguments, RunningGateway, read};
use crate::config::data::answers::AnswerVerdict;
use crate::lang::{Lang, messages};
use crate::overrides::{AllowRequest, StoredOverride};
use crate::policy::group::overrides::EVERY_GROUP;
use crate::reviews::book::ReviewReceipt;
use crate::reviews::day::CivilDay;
use crate::reviews::forwarded::ForwardedFile;
use crate::reviews::request::AskedSite;
use crate::reviews::stored::{ReviewState, StoredReview};
use crate::sys::state_dir::whole;

/// Names of one request to the gateway.
const NAMES_A_REQUEST: usize = 100;

/// Arguments of `review`.
#[derive(Debug, clap::Args)]
pub struct ReviewsArguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show what was asked for, what the school allows, and what the department answered.
    List,
    /// Ask for a name, as the page does: for somebody that comes to the desk.
    Add {
        /// The name, or the address of a page.
        name: String,
        /// Why: `lesson`, `homework`, `mistake`, `broken` or `other`.
        #[arg(long, value_name = "REASON")]
        reason: String,
        /// The group that needs it; the default group without it.
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
    /// Let a name and all below it through, until a day; no lock is opened.
    Allow {
        /// The name.
        name: String,
        #[command(flatten)]
        word: Word,
        /// The group; every group without it.
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
        /// For how long: `2h`, `30d`; a school year by default.
        #[arg(long = "for", value_name = "DURATION", value_parser = seconds, default_value = "365d")]
        seconds: u64,
    },
    /// End an allow before its day.
    Revoke {
        /// The name.
        name: String,
        /// The person that ends it.
        #[arg(long, value_name = "NAME")]
        by: String,
    },
    /// Close a review without opening the name.
    Deny {
        /// The name.
        name: String,
        #[command(flatten)]
        word: Word,
    },
    /// Write reviews into a file for the department.
    Forward {
        /// The names; without one all that nobody answered yet.
        names: Vec<String>,
        /// The file; stdout without it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
struct Word {
    /// The person that decides.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why; the ledger keeps it, and the department gets it word for word with the attestation. Never
    /// a pupil's name.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Sends the request to the running gateway; exits 0, 1 when it is refused, 3 without an answer.
pub fn run(arguments: &ReviewsArguments) -> ExitCode {
    finish(act(arguments))
}

fn act(arguments: &ReviewsArguments) -> Result<String, CommandFailure> {
    let gateway = arguments.gateway.running()?;
    let is_json = arguments.gateway.json;
    let shown = Shown { gateway: &gateway, lang: gateway.config.school.lang };
    match &arguments.action {
        Action::List => {
            let list: ReviewList = read(&gateway.send("GET", "/api/reviews", "")?)?;
            Ok(if is_json { json(&list) } else { shown.list(&list) })
        }
        Action::Add { name, reason, group } => {
            let (name, reason, group) = (name.clone(), reason.clone(), group.clone());
            let asked = json(&ReviewRequest { name, reason, group });
            let receipt: ReviewReceipt = read(&gateway.send("POST", "/api/reviews", &asked)?)?;
            Ok(if is_json { json(&receipt) } else { shown.receipt(&receipt) })
        }
        Action::Allow { name, word, group, seconds } => {
            let (by, reason) = (word.by.clone(), word.reason.clone());
            let (name, group) = (name.clone(), group.clone());
            let asked = json(&AllowRequest { name, group, seconds: *seconds, by, reason });
            let begun: OverrideBegun =
                read(&gateway.send("POST", "/api/reviews/allow", &asked)?)?;
            Ok(if is_json { json(&begun) } else { shown.begun(&begun) })
        }
        Action::Revoke { name: of, by } => {
            let asked = NamedWord { name: of.clone(), by: by.clone(), reason: String::new() };
            let ended: StoredOverride =
                read(&gateway.send("POST", "/api/reviews/revoke", &json(&asked))?)?;
            Ok(if is_json { json(&ended) } else { shown.allow(&ended) })
        }
        Action::Deny { name: of, word } => {
            let (by, reason) = (word.by.clone(), word.reason.clone());
            let asked = NamedWord { name: of.clone(), by, reason };
            let closed: StoredReview =
                read(&gateway.send("POST", "/api/reviews/deny", &json(&asked))?)?;
            Ok(if is_json { json(&closed) } else { shown.row(&closed) })
        }
        Action::Forward { names, out } => forward(&gateway, names, out.as_ref()),
    }
}

/// Writes the file, and then says so to the gateway: a file that cannot be written is forwarded to
/// nobody.
fn forward(
    gateway: &RunningGateway,
    names: &[String],
    out: Option<&PathBuf>,
) -> Result<String, CommandFailure> {
    let lang = gateway.config.school.lang;
    let mut file: ForwardedFile = read(&gateway.send("GET", "/api/reviews/forward", "")?)?;
    let mut wanted = Vec::new();
    for name in names {
        let site =
            AskedSite::read(name).map_err(|_| (1, messages::review_no_site(name).in_lang(lang)))?;
        if !file.reviews.iter().any(|review| review.name == site.text()) {
            return Err((1, messages::review_no_row(site.text()).in_lang(lang)));
        }
        wanted.push(site.text());
    }
    file.reviews.retain(|review| {
        let waits = matches!(review.state, ReviewState::Open | ReviewState::Forwarded);
        wanted.contains(&review.name) || (wanted.is_empty() && waits)
    });
    let text = json(&file) + "\n";
    let names: Vec<String> = file.reviews.into_iter().map(|review| review.name).collect();
    let Some(out) = out else {
        note_forwarded(gateway, &names)?;
        return Ok(text);
    };
    whole::replace(out, 0o666, text.as_bytes())
        .map_err(|error| (1, format!("{}: {error}", out.display())))?;
    let count = note_forwarded(gateway, &names)?;
    Ok(messages::reviews_forwarded(count, out.display()).in_lang(lang))
}

/// Says to the gateway which names were written into a file.
fn note_forwarded(gateway: &RunningGateway, names: &[String]) -> Result<usize, CommandFailure> {
    let mut count = 0;
    // A request has a bound that all names together may pass.
    for names in names.chunks(NAMES_A_REQUEST) {
        let asked = json(&ForwardedNames { names: names.to_vec() });
        count += read::<usize>(&gateway.send("POST", "/api/reviews/forwarded", &asked)?)?;
    }
    Ok(count)
}

/// How the answers of a gateway are shown.
struct Shown<'a> {
    gateway: &'a RunningGateway,
    lang: Lang,
}

impl Shown<'_> {
    fn receipt(&self, receipt: &ReviewReceipt) -> String {
        let kept = if receipt.is_kept { String::new() } else { self.not_kept() };
        messages::review_received().in_lang(self.lang) + &kept
    }

    fn not_kept(&self) -> String {
        format!("\n{}", messages::reviews_not_kept().in_lang(self.lang))
    }

    fn begun(&self, begun: &OverrideBegun) -> String {
        let kept = if begun.is_kept { String::new() } else { self.not_kept() };
        self.allow(&begun.kept) + &kept
    }

    /// An allow, on one line.
    fn allow(&self, one: &StoredOverride) -> String {
        let day = CivilDay::of(one.until, &self.gateway.config.school.zone());
        let day = day.map_or_else(String::new, |day| day.to_string());
        let group = match one.group.as_str() {
            EVERY_GROUP => messages::every_group().in_lang(self.lang),
            group => group.to_owned(),
        };
        let names = one.names.join(" ");
        messages::review_allow(names, group, day, &one.by, &one.reason).in_lang(self.lang)
    }

    /// A row, on one line.
    fn row(&self, row: &StoredReview) -> String {
        let count = |(id, count): (String, &u32)| format!("{id} {count}");
        let reasons = row.reasons.iter().map(|(reason, n)| count((reason.id().into(), n)));
        let levels = row.levels.iter().map(|(level, n)| count((level.clone(), n)));
        let why: Vec<String> = reasons.chain(levels).collect();
        let day = |day: Option<CivilDay>| day.map_or_else(|| "-".into(), |day| day.to_string());
        let state = match row.state {
            ReviewState::Open => messages::review_open(),
            ReviewState::Forwarded => messages::review_forwarded(),
            ReviewState::Allowed => messages::review_allowed(),
            ReviewState::Denied => messages::review_denied(),
        };
        let days = format!("{}..{}", day(row.first), day(row.last));
        let state = state.in_lang(self.lang);
        let mut line =
            format!("{:>4}  {}  {state}  {days}  {}", row.count, row.name, why.join(", "));
        if let Some(word) = &row.word {
            let _ = write!(line, "  {}: {}", word.by, word.reason);
        }
        line
    }

    fn review(&self, review: &ShownReview) -> String {
        let mut lines = self.row(&review.row);
        if let Some(why) = &review.blocked {
            let category = why.category.as_deref().unwrap_or("-");
            let list = why.list.as_deref().unwrap_or("-");
            let _ = write!(lines, "\n      {} {category} {list}", why.layer);
        }
        if !review.row.codes.is_empty() {
            let _ = write!(lines, "\n      {}", review.row.codes.join(" "));
        }
        if let Some(answer) = &review.department {
            let said = match answer.verdict {
                AnswerVerdict::Accepted => {
                    messages::department_accepted(&answer.day, &answer.reason)
                }
                AnswerVerdict::Denied => messages::department_denied(&answer.day, &answer.reason),
            };
            let _ = write!(lines, "\n      {}", said.in_lang(self.lang));
        }
        lines
    }

    fn list(&self, list: &ReviewList) -> String {
        let reviews = list.reviews.iter().map(|review| self.review(review));
        let allows = list.allows.iter().map(|one| self.allow(one));
        let lines: Vec<String> = reviews.chain(allows).collect();
        let mut text = if lines.is_empty() {
            messages::no_reviews().in_lang(self.lang)
        } else {
            lines.join("\n")
        };
        if !list.is_kept {
            text += &self.not_kept();
        }
        text
    }
}
