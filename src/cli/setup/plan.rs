//! The plan: what is written, what stays, and what only people can do. A pure function of answers.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::cli::enrol::fragment;
use crate::cli::setup::answers::SetupAnswers;
use crate::config::load_text;
use crate::lang::{Lang, Message, messages};
use crate::release::enrolment::Enrolment;

/// The state directory that the unit has.
pub(super) const STATE: &str = "/var/lib/lachan";
/// The drop-in of systemd-resolved.
pub(super) const STUB: &str = "/etc/systemd/resolved.conf.d/lachan.conf";
/// Zones of a system (tzfile(5)): systemd knows those that are there.
pub(super) const ZONES: &str = "/usr/share/zoneinfo";
/// The timer of upgrades, its drop-in, and its own text. Drop-ins act in the order of their names: one of
/// `systemctl edit`, `override.conf`, has the last word.
const TIMER: &str = "lachan-upgrade.timer";
const TIMER_HOURS: &str = "/etc/systemd/system/lachan-upgrade.timer.d/10-timezone.conf";
const TIMER_TEXT: &str = include_str!("../../../deploy/systemd/lachan-upgrade.timer");

/// Something that has a port that is wanted.
#[derive(Debug, Clone)]
pub(super) struct HeldPort {
    /// Whether it is the stub of systemd-resolved.
    pub(super) is_stub: bool,
    /// It, for people.
    pub(super) shown: String,
}

/// What is known of the system that is set up.
#[derive(Debug, Clone)]
pub(super) struct TargetFacts {
    /// Whether its ports were looked at.
    pub(super) are_ports_seen: bool,
    pub(super) held: Vec<HeldPort>,
    /// Whether the drop-in of systemd-resolved is there.
    pub(super) has_stub_off: bool,
    /// Whether it knows the school's time zone.
    pub(super) has_zone: bool,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedFile {
    /// Its path on the system, without the root that it is reached by.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// What becomes of a file of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileChange {
    /// There is none.
    New,
    /// It is there with these octets.
    Same,
    /// `setup` wrote it before, and nobody changed it since.
    Own,
    /// Another one is there, which is moved aside to this path.
    Replaced(PathBuf),
}

/// The plan.
#[derive(Debug)]
pub(super) struct SetupPlan {
    pub(super) files: Vec<PlannedFile>,
    pub(super) enrolment: Option<Enrolment>,
    pub(super) answers: SetupAnswers,
    /// Where the reply for the department is written: a path of this machine, beside the enrolment file.
    pub(super) reply: Option<PathBuf>,
    target: TargetFacts,
}

impl SetupPlan {
    /// The plan of answers for a machine.
    ///
    /// # Errors
    ///
    /// The enrolment is of another school, its reply cannot be beside it, or the config would be refused, or is to
    /// be where another file of the plan is.
    pub(super) fn of(
        answers: SetupAnswers,
        enrolment: Option<Enrolment>,
        config: &Path,
        target: TargetFacts,
    ) -> Result<Self, Message> {
        if let Some(document) = enrolment.as_ref().filter(|one| one.school != answers.id) {
            return Err(messages::enrol_other_school(&document.school, &answers.id));
        }
        let text = config_text(&answers, enrolment.as_ref());
        let base = config.parent().unwrap_or(Path::new("/"));
        // What is written must pass `lachan check`; every answer was judged before.
        load_text(&text, &config.display().to_string(), base)
            .map_err(|errors| Message::english(errors.to_string()))?;
        let mut files = vec![PlannedFile { path: config.to_owned(), text }];
        if answers.stub_off || target.held.iter().any(|one| one.is_stub) {
            files.push(PlannedFile { path: STUB.into(), text: stub_text(answers.lang) });
        }
        if target.has_zone {
            let text = timer_text(&answers.timezone, answers.lang);
            files.push(PlannedFile { path: TIMER_HOURS.into(), text });
        }
        if let Some(other) = files.iter().skip(1).find(|other| other.path == config) {
            return Err(messages::setup_other_file(other.path.display()));
        }
        let reply = enrolment.as_ref().and(answers.enrolment.as_deref());
        let reply = reply.map(reply_path).transpose()?;
        Ok(Self { files, enrolment, answers, reply, target })
    }

    /// Whether a file is written.
    fn writes(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == Path::new(path))
    }

    /// The plan for people; `changes` are those of its files.
    pub(super) fn text(&self, changes: &[FileChange], lang: Lang) -> String {
        let say = |message: Message| message.in_lang(lang);
        let mut out = say(messages::setup_heading_written()) + "\n";
        for (file, change) in self.files.iter().zip(changes) {
            let path = file.path.display();
            let what = match change {
                FileChange::New => messages::setup_file_new(path),
                FileChange::Same => messages::setup_file_same(path),
                FileChange::Own => messages::setup_file_own(path),
                FileChange::Replaced(backup) => {
                    messages::setup_file_replaced(path, backup.display())
                }
            };
            let _ = writeln!(out, "  {}", say(what));
            for line in file.text.lines() {
                let _ = writeln!(out, "  {}", format!("    | {line}").trim_end());
            }
        }
        if let Some(document) = &self.enrolment {
            let (unit, root) = (&document.unit, &document.fingerprint);
            let _ = writeln!(out, "  {}", say(messages::setup_enrols(unit, STATE, root)));
        }
        if let Some(path) = &self.reply {
            let _ = writeln!(out, "  {}", say(messages::setup_reply(path.display())));
        }
        let _ = writeln!(out, "\n{}", say(messages::setup_heading_stays()));
        for one in self.stays() {
            let _ = writeln!(out, "  {}", say(one));
        }
        let others = self.target.held.iter().filter(|one| !one.is_stub);
        let others: Vec<&str> = others.map(|one| one.shown.as_str()).collect();
        if !others.is_empty() {
            let _ = writeln!(out, "\n{}", say(messages::setup_heading_held()));
            for one in others {
                let _ = writeln!(out, "  ! {one}");
            }
        }
        let _ = writeln!(out, "\n{}", say(messages::setup_heading_router()));
        for hint in self.hints() {
            let _ = writeln!(out, "  {}", say(hint));
        }
        out
    }

    /// What is not written, and why. Of a stub that was not looked at nothing is said.
    fn stays(&self) -> Vec<Message> {
        let mut found = vec![messages::setup_resolv_conf_stays()];
        if !self.writes(STUB) {
            if self.target.has_stub_off {
                found.push(messages::setup_stub_off(STUB));
            } else if self.target.are_ports_seen {
                found.push(messages::setup_stub_stays());
            }
        }
        if !self.writes(TIMER_HOURS) {
            found.push(messages::setup_no_zone(TIMER, &self.answers.timezone));
        }
        found
    }

    /// What the school's router must be told: nothing here does it.
    fn hints(&self) -> [Message; 3] {
        let of = |is_v4: bool| {
            let each = self.answers.addresses.iter().filter(|ip| ip.is_ipv4() == is_v4);
            each.map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
        };
        let (v4, v6) = (of(true), of(false));
        [
            if v4.is_empty() { messages::setup_no_dhcp() } else { messages::setup_dhcp(v4) },
            if v6.is_empty() { messages::setup_no_rdnss() } else { messages::setup_rdnss(v6) },
            messages::setup_exports("lachan export dhcp", "lachan export ra"),
        ]
    }

    /// The commands that follow.
    pub(super) fn next_steps(&self, lang: Lang) -> String {
        let config = self.files.first().map(|file| file.path.display().to_string());
        let config = config.unwrap_or_default();
        let mut out = messages::setup_heading_next().in_lang(lang) + "\n";
        let _ = writeln!(out, "  lachan check {config}");
        if self.writes(STUB) {
            out += "  systemctl restart systemd-resolved\n";
        }
        if self.writes(TIMER_HOURS) {
            let _ = writeln!(out, "  systemctl daemon-reload && systemctl try-restart {TIMER}");
        }
        out += "  systemctl enable --now lachan && systemctl restart lachan\n";
        let _ = writeln!(out, "  lachan doctor --config {config}");
        out
    }
}

/// The config of answers.
fn config_text(answers: &SetupAnswers, enrolment: Option<&Enrolment>) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let list = |each: Vec<String>| {
        format!("[{}]", each.iter().map(|one| text(one)).collect::<Vec<_>>().join(", "))
    };
    let listen: Vec<String> = answers.listeners().iter().map(ToString::to_string).collect();
    let mut out = String::new();
    for comment in [messages::setup_config_comment(), messages::setup_config_reference()] {
        let _ = writeln!(out, "# {}", comment.in_lang(answers.lang));
    }
    let SetupAnswers { id, name, level, timezone, lang, .. } = answers;
    let _ = write!(
        out,
        "\n[school]\nid = {}\nname = {}\nlevel = {}\ntimezone = {}\nlang = {}\n\n[listen]\ndns = {}\n",
        text(id),
        text(name),
        text(level.id()),
        text(timezone),
        text(lang.id()),
        list(listen),
    );
    if !answers.clients.is_empty() {
        let local = ["127.0.0.0/8", "::1/128"].map(str::to_owned);
        let clients = answers.clients.iter().map(ToString::to_string);
        let _ = writeln!(out, "allow = {}", list(clients.chain(local).collect()));
    }
    let servers = list(answers.servers.clone());
    let _ = write!(
        out,
        "\n[upstream]\nservers = {servers}\n\n[state]\ndir = {}\n\n[lists]\nstarter = true\n",
        text(STATE)
    );
    if let Some(document) = enrolment {
        out += &fragment(document, Path::new(STATE));
    }
    out
}

/// The drop-in that frees port 53 (resolved.conf(5)). The gateway is then what this machine asks too.
fn stub_text(lang: Lang) -> String {
    let comment = messages::setup_stub_comment().in_lang(lang);
    format!("# {comment}\n[Resolve]\nDNS=127.0.0.1\nDNSStubListener=no\n")
}

/// The drop-in that has the hours of the upgrade timer in a zone (systemd.time(7)). The empty line takes back
/// those of the unit.
fn timer_text(zone: &str, lang: Lang) -> String {
    let comment = messages::setup_timer_comment().in_lang(lang);
    let mut out = format!("# {comment}\n[Timer]\nOnCalendar=\n");
    for hours in TIMER_TEXT.lines().filter(|line| line.starts_with("OnCalendar=")) {
        let _ = writeln!(out, "{hours} {zone}");
    }
    out
}

/// The path of the reply to an enrolment file.
fn reply_path(enrolment: &Path) -> Result<PathBuf, Message> {
    let path = enrolment.with_extension("reply.json");
    let path = std::path::absolute(&path).unwrap_or(path);
    if path.to_str().is_some_and(|text| !text.contains(char::is_control)) {
        return Ok(path);
    }
    let shown = enrolment.display().to_string();
    Err(messages::setup_bad_reply_path(shown.escape_debug()))
}
