//! Steps of the decision order, layers of a category and the source of an answer, as text.
//!
//! What each step found is the decision's own word ([`crate::policy::verdict::Witness`]); here it only
//! becomes sentences.

use std::fmt::Write as _;

use serde::Serialize;

use crate::category::{CategoryId, CategorySet};
use crate::config::Config;
use crate::config::layers::department::Department;
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::load::release::urgent::UrgentList;
use crate::policy::explain::Explanation;
use crate::policy::tables::special::special;
use crate::policy::verdict::StepFinding;
use crate::policy::{Actions, ActiveRules, GroupId, HashedName, Layer, Snapshot, Verdict};
use crate::upstream::zones::Numbered;

/// The query, and the policy that decides it.
pub(super) struct TracedQuery<'a> {
    pub(super) config: &'a Config,
    pub(super) snapshot: &'a Snapshot,
    pub(super) urgent: &'a UrgentList,
    pub(super) zones: &'a [Numbered],
    pub(super) group: GroupId,
    pub(super) bound: ActiveRules<'a>,
    pub(super) name: &'a Folded,
    pub(super) qtype: u16,
}

/// One step of the decision order.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    step: &'static str,
    /// Whether it decided.
    decided: bool,
    #[serde(rename = "said")]
    finding: String,
}

impl Line {
    /// The first step of a query that is admitted to policy.
    fn admitted() -> Self {
        let finding = "a question of a client that is answered".into();
        Self { step: "admission", decided: false, finding }
    }

    /// The one step of a query that is not admitted to policy.
    pub(super) fn refused() -> Self {
        let finding = "not of a network in `[listen] allow`, or a transfer of a zone".into();
        Self { step: "admission", decided: true, finding }
    }
}

/// Action of each layer for one category.
#[derive(Debug, Serialize)]
pub(super) struct Layered {
    category: String,
    taxonomy: &'static str,
    department: &'static str,
    school: &'static str,
    /// Action at this time.
    now: &'static str,
    /// The lock of the category, in words.
    locked: Option<String>,
}

/// Source of the answer with an empty cache.
#[derive(Debug, Serialize)]
pub(super) struct SourceView {
    /// `here`, `local-record`, `forward-zone` or `upstream`.
    kind: &'static str,
    /// The name of the record, or the zone.
    name: Option<String>,
    /// The name that is resolved in place of the query's.
    instead: Option<String>,
    /// Servers; empty for the system's own upstreams.
    servers: Vec<String>,
}

impl TracedQuery<'_> {
    /// Every step that was evaluated, in the decision order.
    pub(super) fn steps(&self, explanation: &Explanation<'_>) -> Vec<Line> {
        let (verdict, found) = (&explanation.verdict, &explanation.steps);
        let layer = match verdict {
            Verdict::Special(_) => Some(Layer::SpecialUse),
            Verdict::Canary(_) => Some(Layer::Canary),
            Verdict::Block(block) => Some(block.layer),
            Verdict::Pass(pass) => Some(pass.layer),
            Verdict::Safe(..) => None,
        };
        // A step that occurs twice decides at its second occurrence.
        let decided = found.iter().rposition(|(step, _)| Some(*step) == layer);
        let mut steps = vec![Line::admitted()];
        for (number, &(step, found)) in found.iter().enumerate() {
            let is_again = steps.iter().any(|other: &Line| other.step == step.id());
            let finding = self.words(step, found, verdict, is_again);
            steps.push(Line { step: step.id(), decided: decided == Some(number), finding });
        }
        let mut push = |step, decided, finding| steps.push(Line { step, decided, finding });
        if layer == Some(Layer::Default) {
            push("default", true, "nothing speaks of it, so it passes".to_owned());
        }
        if !matches!(verdict, Verdict::Pass(_) | Verdict::Safe(..)) {
            return steps;
        }
        push("safesearch", matches!(verdict, Verdict::Safe(..)), self.engine_words(verdict));
        if self.qtype == rtype::ANY {
            push("any", false, "ANY is not resolved but answered with HINFO (RFC 8482)".to_owned());
        }
        steps
    }

    /// Ids of a set, for a finding.
    fn ids(&self, set: CategorySet) -> String {
        let ids: Vec<&str> =
            set.iter().map(|c| self.config.taxonomy.category(c).id.as_str()).collect();
        ids.join(", ")
    }

    /// The finding of a step, as text.
    fn words(&self, step: Layer, found: StepFinding, verdict: &Verdict, is_again: bool) -> String {
        let is_blocked = matches!(verdict, Verdict::Block(_));
        match (step, found) {
            (Layer::SpecialUse, StepFinding::Decided) => "a special-use or private name".into(),
            (Layer::SpecialUse, _) => match special(self.name, self.qtype) {
                Some(_) => "a special-use name that the config has an answer or a zone for".into(),
                None => "no special-use or private name".into(),
            },
            (Layer::Canary, StepFinding::Decided) => {
                "a canary: no such name, whatever lists say".into()
            }
            (Layer::Canary, StepFinding::Nothing) => "no canary".into(),
            (Layer::Canary, _) => "a canary that this group does without".into(),
            (Layer::Illegal, StepFinding::Decided) => "blocked for everyone".into(),
            (Layer::Illegal, _) => "in no list of csam or legal_request".into(),
            (Layer::Essential, StepFinding::Decided) => "it resolves in every mode".into(),
            (Layer::Essential, _) => "not essential".into(),
            (Layer::Help, _) => "it resolves in every mode, and is counted nowhere".into(),
            (Layer::DepartmentDeny, StepFinding::Decided) => "the department denies it".into(),
            (Layer::DepartmentDeny, _) => "not denied by the department".into(),
            (Layer::Locked, StepFinding::Decided) => {
                "in a category that nobody at the school opens".into()
            }
            (Layer::Locked, StepFinding::Passed(set)) => {
                format!("in {}, which the department opens for this name", self.ids(set))
            }
            (Layer::Locked, _) => "in no category that is locked for this group".into(),
            (Layer::FailClosed, StepFinding::Decided) => {
                "a category without its list is closed".into()
            }
            (Layer::FailClosed, StepFinding::Passed(set)) => {
                format!(
                    "{} has no list and is closed; this name is known to be good",
                    self.ids(set)
                )
            }
            (Layer::FailClosed, _) => "no category is closed for want of its list".into(),
            (Layer::Override, StepFinding::Decided) if is_blocked => {
                "an exam runs without this name".into()
            }
            (Layer::Override, StepFinding::Decided) if is_again => {
                "a lesson opens its category".into()
            }
            (Layer::Override, StepFinding::Decided) => "a lesson or an exam lets it through".into(),
            (Layer::Override, StepFinding::Passed(_)) => "a lesson runs, without this name".into(),
            (Layer::Override, _) => "no lesson and no exam runs".into(),
            (Layer::SchoolAllow, StepFinding::Decided) => "the school lets it through".into(),
            (Layer::SchoolAllow, _) => "not let through by the school".into(),
            (Layer::SchoolDeny, StepFinding::Decided) => "the school denies it".into(),
            (Layer::SchoolDeny, _) => "not denied by the school".into(),
            (Layer::DepartmentAllow, StepFinding::Decided) => {
                "the department lets it through, or it is known to be good".into()
            }
            (Layer::DepartmentAllow, _) => {
                "not let through by the department, and in no list of good names".into()
            }
            (Layer::Category, StepFinding::Decided) => "in a category that is blocked now".into(),
            (Layer::Category, StepFinding::Passed(set)) => self.passing(set),
            (Layer::Category, _) => "in no list".into(),
            (Layer::AllowList, StepFinding::Decided) => {
                "nobody let it through, and nothing else is".into()
            }
            (Layer::AllowList, _) => "no allow-list holds now".into(),
            (Layer::Keyword, StepFinding::Decided) => "a word in it is enough".into(),
            (Layer::Keyword, StepFinding::Passed(set)) => {
                format!("a word hints at {}: counted", self.ids(set))
            }
            (Layer::Keyword, StepFinding::Unused) => "words in names do not bind this group".into(),
            (Layer::Keyword, _) => "no word in it says anything".into(),
            (Layer::Rebinding | Layer::UpstreamBlock | Layer::Default, _) => String::new(),
        }
    }

    /// Categories that do not block, with their actions.
    fn passing(&self, set: CategorySet) -> String {
        let observe = self.bound.rules.observe;
        let counted = self.ids(set.intersection(observe));
        let free = self.ids(set.without(observe));
        match (counted.as_str(), free.as_str()) {
            (counted, "") => format!("in {counted}: counted and let through"),
            ("", free) => format!("in {free}: let through"),
            (counted, free) => {
                format!("in {counted}: counted and let through; in {free}: let through")
            }
        }
    }

    /// The finding of safe search, as text.
    fn engine_words(&self, verdict: &Verdict) -> String {
        let engine = self.snapshot.engine_named(&self.snapshot.hashed(self.name));
        let id = engine.and_then(|one| self.snapshot.engine_ids().get(usize::from(one.0)));
        match (id, verdict) {
            (None, _) => "no host of a search engine".into(),
            (Some(id), Verdict::Safe(..)) => format!("a host of {id}, which goes to its safe name"),
            (Some(id), _) => format!("a host of {id}, and this group is not held to its safe mode"),
        }
    }

    /// Action of each layer for the categories of the verdict.
    pub(super) fn layers(&self, explanation: &Explanation<'_>) -> Vec<Layered> {
        let Some(rules) = self.config.groups.get(usize::from(self.group.0)) else {
            return Vec::new();
        };
        let mut set: CategorySet = explanation
            .nodes
            .iter()
            .flat_map(|node| node.rules)
            .map(|rule| rule.category)
            .collect();
        if let Verdict::Block(block) = &explanation.verdict {
            set = set.union(block.category.into_iter().collect());
        }
        let Config { taxonomy, department, .. } = self.config;
        let above = Department::default().baseline(taxonomy, rules.level);
        let school = Actions {
            block: rules.block,
            lessons: rules.lessons,
            observe: rules.observe,
            is_allow_only: rules.is_allow_only,
        };
        let now = Actions {
            block: self.bound.rules.block,
            observe: self.bound.rules.observe,
            ..Actions::default()
        };
        let layered = |category: CategoryId| Layered {
            category: taxonomy.category(category).id.clone(),
            taxonomy: above.word(category),
            department: department.baseline(taxonomy, rules.level).word(category),
            school: school.word(category),
            now: now.word(category),
            locked: self.config.locked_in_words(category, rules.level),
        };
        let is_plain = |category: &CategoryId| !taxonomy.category(*category).is_positive;
        set.iter().filter(is_plain).map(layered).collect()
    }

    /// Source of the answer to the name.
    pub(super) fn source(&self, verdict: &Verdict) -> SourceView {
        let here = SourceView::here();
        if let Verdict::Block(block) = verdict {
            // A rule of a response policy zone may redirect to another host.
            let target = self.snapshot.rewrite_of(block, self.name);
            return target.map_or(here, |target| self.source_of(&target));
        }
        let is_passing = matches!(verdict, Verdict::Pass(_) | Verdict::Safe(..));
        if !is_passing || self.qtype == rtype::ANY {
            return here;
        }
        if let Verdict::Safe(_, engine) = verdict {
            let Some(target) = self.snapshot.safe_target(self.group, *engine) else { return here };
            return self.source_of(target);
        }
        let subject = self.snapshot.hashed(self.name);
        match self.snapshot.local_name(&subject) {
            None => self.upstream(&subject, None),
            Some(local) => {
                let target = local.data.cname.as_ref().filter(|_| self.qtype != rtype::CNAME);
                let record = Some(shown(&local.name));
                let instead = target.map(shown);
                match target.map(|target| self.source_of(target)) {
                    // A CNAME to a name without local records is resolved outside.
                    Some(outside) if outside.kind != "local-record" => {
                        SourceView { kind: "local-record", name: record, instead, ..outside }
                    }
                    _ => SourceView {
                        kind: "local-record",
                        name: record,
                        instead,
                        servers: Vec::new(),
                    },
                }
            }
        }
    }

    /// Source of the answer to another name.
    fn source_of(&self, target: &Name) -> SourceView {
        let folded = Folded::from_name(target);
        let subject = self.snapshot.hashed(&folded);
        match self.snapshot.local_name(&subject) {
            Some(local) => SourceView {
                kind: "local-record",
                name: Some(shown(&local.name)),
                instead: Some(shown(target)),
                servers: Vec::new(),
            },
            None => self.upstream(&subject, Some(shown(target))),
        }
    }

    /// The servers of a name: its forward zone's, or the gateway's.
    fn upstream(&self, subject: &HashedName<'_>, instead: Option<String>) -> SourceView {
        let id = self.snapshot.upstream_of(subject);
        let (kind, name, servers) = match self.zones.iter().find(|(of, _)| *of == id) {
            Some((_, zone)) => ("forward-zone", Some(shown(&zone.zone)), &zone.servers),
            None => ("upstream", None, &self.config.upstream.servers),
        };
        SourceView {
            kind,
            name,
            instead,
            servers: servers.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A name without the final dot.
fn shown(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}

impl SourceView {
    /// Answered here, without upstream.
    pub(super) fn here() -> Self {
        Self { kind: "here", name: None, instead: None, servers: Vec::new() }
    }

    /// Whether the source is other than this gateway.
    pub(super) fn is_outside(&self) -> bool {
        self.kind != "here"
    }

    /// The source for people.
    pub(super) fn text(&self) -> String {
        let Self { kind, name, instead, servers } = self;
        let servers = match (*kind, servers.as_slice()) {
            ("here" | "local-record", []) => String::new(),
            (_, []) => ", asked at the system's own upstreams".into(),
            (_, servers) => format!(", asked at {}", servers.join(" ")),
        };
        let name = name.as_ref().map_or(String::new(), |name| format!(" {name}"));
        let instead = instead.as_ref().map_or(String::new(), |name| format!(", for {name}"));
        format!("  source    {}{name}{instead}{servers}\n", kind.replace('-', " "))
    }
}

/// Layers and steps, for people.
pub(super) fn text(layers: &[Layered], steps: &[Line]) -> String {
    let mut out = String::new();
    for Layered { category, taxonomy, department, school, now, locked } in layers {
        let locked = locked.as_ref().map_or(String::new(), |by| format!(" ({by})"));
        let _ = writeln!(
            out,
            "  layers    {category}: taxonomy {taxonomy} ▸ department {department} ▸ school {school} ▸ now {now}{locked}"
        );
    }
    for Line { step, decided, finding } in steps {
        let mark = if *decided { '▸' } else { ' ' };
        let _ = writeln!(out, "  {mark} {step:16} {finding}");
    }
    out
}
