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
const STUB: &str = "/etc/systemd/resolved.conf.d/lachan.conf";

/// Something that has a port that is wanted.
#[derive(Debug, Clone)]
pub(super) struct HeldPort {
    /// Whether it is the stub of systemd-resolved.
    pub(super) is_stub: bool,
    /// It, for people.
    pub(super) shown: String,
}

/// What is known of the ports of the machine.
#[derive(Debug, Clone, Default)]
pub(super) struct MachinePorts {
    pub(super) held: Vec<HeldPort>,
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
    machine: MachinePorts,
}

impl SetupPlan {
    /// The plan of answers for a machine.
    ///
    /// # Errors
    ///
    /// The enrolment is of another school, or the config would be refused.
    pub(super) fn of(
        answers: SetupAnswers,
        enrolment: Option<Enrolment>,
        config: &Path,
        machine: &MachinePorts,
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
        if answers.stub_off || machine.held.iter().any(|one| one.is_stub) {
            files.push(PlannedFile { path: STUB.into(), text: stub_text(answers.lang) });
        }
        Ok(Self { files, enrolment, answers, machine: machine.clone() })
    }

    /// Whether the stub of systemd-resolved is switched off.
    fn has_stub_off(&self) -> bool {
        self.files.iter().any(|file| file.path == Path::new(STUB))
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
        let _ = writeln!(out, "\n{}", say(messages::setup_heading_stays()));
        let _ = writeln!(out, "  {}", say(messages::setup_resolv_conf_stays()));
        if !self.has_stub_off() {
            let _ = writeln!(out, "  {}", say(messages::setup_stub_stays()));
        }
        let others = self.machine.held.iter().filter(|one| !one.is_stub);
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
        if self.has_stub_off() {
            out += "  systemctl restart systemd-resolved\n";
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
