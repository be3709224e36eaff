//! `lachan publish watch DIR`: asks Prometheus how the rollout fares, and halts it where it fares badly.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use crate::cli::output::{CommandFailure, INVALID, complain, json, print};
use crate::cli::publish::wait::failure;
use crate::publish::rollout::{RolloutChange, change, current};
use crate::publish::series::{SeriesServer, parse_base};
use crate::publish::trust::keys::SigningKey;
use crate::publish::trust::refresh::refuse_stranger;
use crate::publish::trust::repository::Repository;
use crate::publish::watch::answer::{Readings, readings};
use crate::publish::watch::question::WatchQuestion;
use crate::publish::watch::{
    FigureKind, FigureVerdict, GatewayShare, WatchAnswers, WatchFigure, WatchLimits, judge,
};
use crate::release::rollout::Rollout;
use crate::sys::clock::system_time;

/// The time between two looks.
const EVERY: Duration = Duration::from_secs(60);
/// Arguments of `publish watch`.
#[derive(Debug, clap::Args)]
pub(super) struct WatchArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The key of the publishing host.
    #[arg(long, value_name = "FILE")]
    online: PathBuf,
    /// Prometheus, or what answers as it does; `/api/v1/query` is put behind.
    #[arg(long = "prometheus", value_name = "URL", value_parser = parse_base)]
    server: Url,
    /// Certificates of authorities to trust besides the public ones.
    #[arg(long, value_name = "FILE")]
    tls_roots: Option<PathBuf>,
    /// The least gateways that a figure is judged by, with the release and without it.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = parse_gateways)]
    gateways: usize,
    /// Halt where this share of the gateways that tried the release refused it or went back.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = parse_share)]
    ratio: f64,
    /// Halt where this share more than among the others is silent, or blocks another share.
    #[arg(long, value_name = "SHARE", default_value_t = 0.25, value_parser = parse_share)]
    apart: f64,
    /// A gateway blocks another share where it is off last week's by this much.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = parse_share)]
    jump: f64,
    /// Look once, instead of each minute.
    #[arg(long)]
    once: bool,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum WatchState {
    /// There is nothing to halt.
    Idle,
    /// Nothing is past its limit.
    Fine,
    /// The same, as far as Prometheus answered.
    Blind,
    /// The rollout is halted by this look.
    Halted,
}

/// A look.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct WatchReport {
    state: WatchState,
    /// The release that is rolled out; 0 without one.
    release: u64,
    /// Why there is nothing to halt.
    why: Option<&'static str>,
    figures: Vec<WatchFigure>,
    /// Questions without an answer, and the reason.
    unread: BTreeMap<WatchQuestion, String>,
}

impl WatchReport {
    fn idle(release: u64, why: &'static str) -> Self {
        let (figures, unread) = (Vec::new(), BTreeMap::new());
        Self { state: WatchState::Idle, release, why: Some(why), figures, unread }
    }
}

/// Watches a rollout; with `--once` the exit code is 1 where Prometheus did not answer, 3 where the
/// repository or the key is refused. Without it this ends only by a signal.
pub(super) fn run(arguments: &WatchArguments) -> ExitCode {
    let watch = match Watch::new(arguments) {
        Ok(watch) => watch,
        Err((code, message)) => {
            complain(&message);
            return ExitCode::from(code);
        }
    };
    let mut before = None;
    loop {
        let look = watch.look();
        // A look that came to the same is not told again.
        if before.as_ref() != Some(&look) {
            match &look {
                Ok(report) if arguments.json => print(&json(report)),
                Ok(report) => print(&told(report)),
                Err((_, message)) => complain(message),
            }
        }
        if arguments.once {
            return match look {
                Ok(report) if report.state == WatchState::Blind => ExitCode::FAILURE,
                Ok(_) => ExitCode::SUCCESS,
                Err((code, _)) => ExitCode::from(code),
            };
        }
        before = Some(look);
        std::thread::sleep(EVERY);
    }
}

struct Watch<'a> {
    arguments: &'a WatchArguments,
    repository: Repository,
    online: SigningKey,
    series: SeriesServer,
}

impl<'a> Watch<'a> {
    fn new(arguments: &'a WatchArguments) -> Result<Self, CommandFailure> {
        let repository = Repository::open(&arguments.directory).map_err(|error| failure(&error))?;
        let online = SigningKey::read(&arguments.online).map_err(|error| failure(&error.into()))?;
        // A wrong key is found now, and not when it is needed.
        refuse_stranger(&repository, &online).map_err(|error| failure(&error))?;
        let series = SeriesServer::new(arguments.server.clone(), arguments.tls_roots.as_deref())
            .map_err(|(is_invalid, why)| (if is_invalid { INVALID } else { 1 }, why))?;
        Ok(Self { arguments, repository, online, series })
    }

    /// Asks, judges, and halts where a figure says so.
    fn look(&self) -> Result<WatchReport, CommandFailure> {
        let now = system_time();
        let rollout = self.rollout()?;
        let (rollout, age) = match watched(rollout, now) {
            Ok(watched) => watched,
            Err(idle) => return Ok(idle),
        };
        let (answers, unread) = self.ask(age, &rollout);
        let WatchArguments { gateways, ratio, apart, jump, .. } = *self.arguments;
        let limits = WatchLimits { gateways, ratio, apart, jump };
        let figures = judge(&rollout, &answers, &limits, now);
        let is_bad = figures.iter().any(|figure| figure.verdict == FigureVerdict::Halt);
        let state = if is_bad {
            WatchState::Halted
        } else if unread.is_empty() {
            WatchState::Fine
        } else {
            WatchState::Blind
        };
        if is_bad {
            // The figures are of the rollout that was read before they were asked for; nobody else
            // publishes from here on.
            let repository = Repository::open_to_publish(&self.arguments.directory)
                .map_err(|error| failure(&error))?;
            if current(&repository).map_err(|error| failure(&error))?.as_ref() != Some(&rollout) {
                let why = "the rollout was changed during the look";
                return Ok(WatchReport::idle(rollout.release, why));
            }
            let halt = change(&repository, &self.online, RolloutChange::Halt, now);
            self.series.wait(halt).map_err(|error| failure(&error))?;
        }
        Ok(WatchReport { state, release: rollout.release, why: None, figures, unread })
    }

    fn rollout(&self) -> Result<Option<Rollout>, CommandFailure> {
        current(&self.repository).map_err(|error| failure(&error))
    }

    /// Asks every question; a server that does not answer one may answer the next.
    fn ask(&self, age: u64, rollout: &Rollout) -> (WatchAnswers, BTreeMap<WatchQuestion, String>) {
        let (mut answers, mut unread) = (WatchAnswers::new(), BTreeMap::new());
        let programs = rollout.programs();
        let is_asked = |one: &WatchQuestion| *one != WatchQuestion::Program || !programs.is_empty();
        for question in WatchQuestion::ALL.into_iter().filter(is_asked) {
            match self.ask_one(&question.text(age, &programs)) {
                // Every Prometheus that scrapes gateways knows their releases.
                Ok(readings) if question == WatchQuestion::Release && readings.is_empty() => {
                    unread.insert(question, "Prometheus knows of no gateway".to_owned());
                }
                Ok(readings) => {
                    answers.insert(question, readings);
                }
                Err(why) => {
                    unread.insert(question, why);
                }
            }
        }
        (answers, unread)
    }

    fn ask_one(&self, text: &str) -> Result<Readings, String> {
        readings(self.series.ask(text)?).map_err(|error| error.to_string())
    }
}

/// A rollout that can be halted, and the seconds since its first ring; else the report.
fn watched(rollout: Option<Rollout>, now: u64) -> Result<(Rollout, u64), WatchReport> {
    let Some(rollout) = rollout else {
        return Err(WatchReport::idle(0, "nothing is rolled out"));
    };
    if rollout.halt || rollout.back {
        return Err(WatchReport::idle(rollout.release, "the rollout is halted already"));
    }
    match rollout.rings.first().and_then(|ring| now.checked_sub(ring.from)) {
        Some(age) => Ok((rollout, age)),
        None => Err(WatchReport::idle(rollout.release, "no ring has begun")),
    }
}

/// A look for a person.
fn told(report: &WatchReport) -> String {
    let release = report.release;
    let mut text = match (report.state, report.why) {
        (WatchState::Halted, _) => format!(
            "HALTED: no further school takes release {release}; look at it, then `publish rollout` \
             with --back or --release {release}"
        ),
        (_, Some(why)) => format!("nothing to halt: {why}"),
        (WatchState::Blind, _) => {
            format!("release {release} goes on, and Prometheus did not say all")
        }
        _ => format!("release {release} goes on"),
    };
    let is_known = |figure: &&WatchFigure| figure.verdict != FigureVerdict::Unread;
    for figure in report.figures.iter().filter(is_known) {
        let _ = write!(text, "\n{}", told_figure(figure));
    }
    // A server that is down gives one reason for all.
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (question, why) in &report.unread {
        reasons.entry(why).or_default().push(json(question).replace('"', ""));
    }
    for (why, questions) in reasons {
        let _ = write!(text, "\nnot answered: {}: {why}", questions.join(", "));
    }
    text
}

fn told_figure(figure: &WatchFigure) -> String {
    let WatchFigure { figure: kind, verdict, new, others, limit } = figure;
    let what = match kind {
        FigureKind::Refused => "refused it or went back",
        FigureKind::Program => "refused its program or went back",
        FigureKind::Silent => "with it are silent",
        FigureKind::Blocked => "with it block another share than last week",
    };
    let GatewayShare { bad, of } = new;
    let mut text = format!("{bad} of {of} gateways {what}");
    if let Some(GatewayShare { bad, of }) = others {
        let _ = write!(text, ", {bad} of {of} without it");
    }
    let percent = limit * 100.0;
    match verdict {
        FigureVerdict::Fine | FigureVerdict::Unread => text,
        FigureVerdict::TooFew => format!("{text}: too few to judge"),
        FigureVerdict::Halt if others.is_some() => format!("{text}: {percent:.0} points apart"),
        FigureVerdict::Halt => format!("{text}: {percent:.0} % or more"),
    }
}

/// A share above nothing.
fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share: &f64| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "a share is more than 0, and 1 at most".to_owned())
}

/// A number of gateways.
fn parse_gateways(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number: &usize| *number > 0);
    number.ok_or_else(|| "one gateway or more".to_owned())
}
