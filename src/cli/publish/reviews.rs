//! `lachan publish reviews`: what schools forwarded, and the department's answers to it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::tz::TimeZone;

use crate::cli::output::{CommandFailure, complain, finish, json, print};
use crate::cli::publish::wait::{failure, now};
use crate::config::data::answers::{self, AnswerVerdict, ReviewAnswer};
use crate::config::data::released::ANSWERS;
use crate::publish::reviews::{MergedReview, MergedReviews, answers_in, merge};
use crate::reviews::day::CivilDay;
use crate::reviews::request::AskedSite;
use crate::sys::state_dir::whole;

/// Arguments of `publish reviews`.
#[derive(Debug, clap::Args)]
pub(super) struct PublishReviewsArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Merge the files that schools forwarded, by name: what most schools need stands first.
    Merge {
        /// The directory with the files.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// A directory with the tables of the next release: what is answered there stands last.
        #[arg(long, value_name = "DIR")]
        tables: Option<PathBuf>,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Answer a name: schools read it after the next release.
    Answer {
        /// The name.
        name: String,
        /// The directory with the tables of the next release.
        #[arg(long, value_name = "DIR")]
        tables: PathBuf,
        /// A release opens the name.
        #[arg(long, conflicts_with = "deny", required_unless_present = "deny")]
        accept: bool,
        /// It stays blocked.
        #[arg(long)]
        deny: bool,
        /// The person that answers.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why: schools read it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Merges or answers; exits 0, or 1 where a file was refused or nothing could be written.
pub(super) fn run(arguments: &PublishReviewsArguments) -> ExitCode {
    match &arguments.action {
        Action::Merge { directory, tables, json } => match merged(directory, tables.as_ref()) {
            Err((code, why)) => {
                complain(&why);
                ExitCode::from(code)
            }
            Ok(all) => {
                print(&if *json { self::json(&all) } else { text(&all) });
                for refused in &all.refused {
                    complain(&format!("{}: refused: {}", refused.file, refused.why));
                }
                ExitCode::from(u8::from(!all.refused.is_empty()))
            }
        },
        Action::Answer { name, tables, accept, by, reason, deny: _ } => {
            let verdict = if *accept { AnswerVerdict::Accepted } else { AnswerVerdict::Denied };
            finish(answer(name, tables, verdict, (by, reason)))
        }
    }
}

fn merged(
    directory: &std::path::Path,
    tables: Option<&PathBuf>,
) -> Result<MergedReviews, CommandFailure> {
    let answers = match tables {
        Some(tables) => answers_in(tables).map_err(|error| failure(&error))?.1,
        None => Vec::new(),
    };
    merge(directory, &answers).map_err(|error| (1, format!("{}: {error}", directory.display())))
}

fn answer(
    name: &str,
    tables: &std::path::Path,
    verdict: AnswerVerdict,
    (by, reason): (&str, &str),
) -> Result<String, CommandFailure> {
    let site = AskedSite::read(name).map_err(|_| (1, "the name is no site".to_owned()))?;
    for (word, text) in [("--by", by), ("--reason", reason)] {
        if !answers::is_text(text.trim()) {
            return Err((1, format!("{word} is empty, too long, or has control characters")));
        }
    }
    let (text, all) = answers_in(tables).map_err(|error| failure(&error))?;
    if all.len() >= answers::MAX_ANSWERS {
        let most = answers::MAX_ANSWERS;
        return Err((
            1,
            format!("there are {most} answers already; take old ones out of {ANSWERS}"),
        ));
    }
    let day = CivilDay::of(now()?, &TimeZone::UTC);
    let answer = ReviewAnswer {
        name: site.text(),
        verdict,
        day: day.map(String::from).unwrap_or_default(),
        by: by.trim().to_owned(),
        reason: reason.trim().to_owned(),
    };
    let path = tables.join(ANSWERS);
    whole::replace(&path, 0o666, answers::with(&text, &answer).as_bytes())
        .map_err(|error| (1, format!("{}: {error}", path.display())))?;
    let next = match verdict {
        AnswerVerdict::Denied => String::new(),
        AnswerVerdict::Accepted => format!(
            "\nit opens nothing by itself: take {} off its list, or put it into a list of the \
             category `safe`, before the next `lachan lists build`",
            answer.name
        ),
    };
    Ok(format!(
        "answered in {}; schools read it after `lachan publish release … --tables {}`{next}",
        path.display(),
        tables.display()
    ))
}

/// The merged reviews for people.
fn text(all: &MergedReviews) -> String {
    let mut out =
        format!("{} files of {} schools, {} names\n", all.files, all.schools, all.reviews.len());
    for review in &all.reviews {
        let MergedReview { name, schools, count, .. } = review;
        let _ = write!(out, "{schools:>5} schools {count:>6} requests  {name}");
        let reasons = review.reasons.iter().map(|(reason, n)| format!("{} {n}", reason.id()));
        let levels = review.levels.iter().map(|(level, n)| format!("{level} {n}"));
        let why: Vec<String> = reasons.chain(levels).collect();
        let blocked: Vec<&str> = review.blocked.iter().map(String::as_str).collect();
        let _ = write!(out, "  {}  [{}]", why.join(", "), blocked.join(", "));
        if let Some(answer) = &review.answer {
            let verdict = match answer.verdict {
                AnswerVerdict::Accepted => "accepted",
                AnswerVerdict::Denied => "denied",
            };
            let _ = write!(out, "  {verdict} on {} by {}", answer.day, answer.by);
        }
        out.push('\n');
    }
    out
}
