//! The end of an examination, for people and for scripts.

use serde::Serialize;

use crate::doctor::facts::{ExaminedPart, MachineFacts};
use crate::doctor::judge::judged;
use crate::lang::{Lang, Message, messages};
use crate::status::finding::{Finding, Gravity};
use crate::status::report::Todo;

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartCondition {
    /// Nothing was found.
    Ok,
    /// A finding, and no fault.
    Notice,
    /// A fault.
    Fault,
    /// It could not be looked at.
    Unseen,
}

/// A part that was looked at, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExaminedRow {
    /// The part.
    pub id: ExaminedPart,
    /// How it is.
    pub state: PartCondition,
    /// What was looked at, for people; empty where nothing was.
    pub text: String,
}

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnseenThing {
    /// The part it is of.
    pub part: ExaminedPart,
    /// What it is and how to look, for people.
    pub text: String,
}

/// A whole examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkup {
    /// `ok`, or `degraded` where a finding is a fault.
    pub state: &'static str,
    /// Whether a gateway answers.
    pub is_answering: bool,
    /// What is not as it should be, the worst first.
    pub findings: Vec<Finding>,
    /// All parts.
    pub parts: Vec<ExaminedRow>,
    /// What was not looked at.
    pub unseen: Vec<UnseenThing>,
}

impl Checkup {
    /// The examination of a machine, in a language.
    pub fn of(facts: &MachineFacts, lang: Lang) -> Self {
        let (mut findings, mut parts, mut unseen) = (Vec::new(), Vec::new(), Vec::new());
        for part in judged(facts, lang) {
            let worst = part.findings.iter().map(|one| one.gravity).min();
            let state = match (worst, &part.line) {
                (Some(Gravity::Fault), _) => PartCondition::Fault,
                (Some(Gravity::Notice), _) => PartCondition::Notice,
                (None, Some(_)) => PartCondition::Ok,
                (None, None) => PartCondition::Unseen,
            };
            let text = part.line.map_or_else(String::new, |line| line.in_lang(lang));
            parts.push(ExaminedRow { id: part.part, state, text });
            findings.extend(part.findings);
            let thing = |text: &Message| UnseenThing { part: part.part, text: text.in_lang(lang) };
            unseen.extend(part.unseen.iter().map(thing));
        }
        findings.sort_by_key(|one| (one.gravity, one.id));
        for one in &mut findings {
            one.speak(lang);
        }
        let has_fault = findings.iter().any(|one| one.gravity == Gravity::Fault);
        let state = if has_fault { "degraded" } else { "ok" };
        let is_answering = facts.admin.1.is_none();
        Self { state, is_answering, findings, parts, unseen }
    }

    /// It as plain text.
    pub fn text(&self, lang: Lang) -> String {
        let faults = self.findings.iter().filter(|one| one.gravity == Gravity::Fault).count();
        let head = match self.findings.len() {
            0 => messages::checkup_ok(),
            all => messages::checkup_found(faults, all - faults),
        };
        let mut lines = vec![head.in_lang(lang)];
        if !self.findings.is_empty() {
            lines.push(String::new());
            lines.push(messages::heading_todo().in_lang(lang));
        }
        lines.extend(self.findings.iter().flat_map(|one| Todo::of(one).lines(lang)));
        lines.push(String::new());
        lines.push(messages::heading_looked().in_lang(lang));
        for row in &self.parts {
            let mark = match row.state {
                PartCondition::Ok => ' ',
                PartCondition::Notice => '-',
                PartCondition::Fault => '!',
                PartCondition::Unseen => '?',
            };
            let name = row.id.message().in_lang(lang);
            let text = if row.text.is_empty() { name } else { format!("{name}: {}", row.text) };
            lines.push(format!("  {mark} {text}"));
        }
        if !self.unseen.is_empty() {
            lines.push(String::new());
            lines.push(messages::heading_unseen().in_lang(lang));
        }
        lines.extend(self.unseen.iter().map(|thing| format!("  ? {}", thing.text)));
        lines.join("\n")
    }
}
