//! `lachan why NAME`: the answer to a name, and the rule that decides it.
//!
//! The answer is the core's, to a query made here. No query leaves the process.

mod answer;
mod evidence;
mod placed;
mod trace;
mod urgent;
mod when;
mod word;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use serde::Serialize;

use self::answer::{AnswerPart, BlockedPart};
use self::evidence::{Evidence, decided_by, evidence};
use self::placed::{ClaimView, DeviceArguments};
use self::urgent::UrgentEvidence;
use self::word::{WordName, WordResult};
use crate::cache::AnswerCache;
use crate::category::{CategoryId, CategorySet};
use crate::cli::output::{CommandFailure, complain, finish, json};
use crate::cli::running::config_of_machine;
use crate::config::{Config, layers::words::WordKind};
use crate::devices::tokens::{DeviceTokens, refusal::TokenRefusal};
use crate::dns::message::{CLASS_IN, HEADER};
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::life::certificates::designated_by_files;
use crate::load::assemble::{AssembleError, Assembled, Assembler, read_config_for_command};
use crate::load::lists::SourceOrigin;
use crate::load::release;
use crate::load::release::urgent::UrgentList;
use crate::metrics::counters::Counters;
use crate::overrides::Overrides;
use crate::policy::{Snapshot, Verdict};
use crate::resolve::{AnswerSource, Begin, Done, Now, Origin, Transport, Trust, begin};
use crate::serve::listener::origin::NOWHERE;
use crate::sys::clock::system_time;
use crate::sys::state_dir::StateDir;
use crate::upstream::zones::Numbered;

/// Arguments of `why`.
#[derive(Debug, clap::Args)]
pub struct WhyArguments {
    /// The name in presentation form; or `service:ID` or `bundle:NAME`, for a line on each of its
    /// names.
    name: String,
    /// The config file; by default /etc/lachan/gateway.toml where it is there, else the embedded default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The client that asks.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    client: IpAddr,
    /// The listener that it asks; it matters for groups with `listen`.
    #[arg(long, value_name = "ADDRESS", default_value_t = NOWHERE)]
    listener: SocketAddr,
    #[command(flatten)]
    device: DeviceArguments,
    /// When it asks: `2026-11-25T10:00` by the school's clock, `10:00` for today; now by default.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The type it asks for: a mnemonic or a number.
    #[arg(long = "type", value_name = "TYPE", default_value = "A", value_parser = parse_type)]
    qtype: u16,
    /// An alias or address that upstream answers with, in order; the answer is reviewed too.
    #[arg(long = "answer", value_name = "NAME|ADDRESS", value_parser = answer::parse)]
    parts: Vec<AnswerPart>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Result of `why`, for people and for scripts.
#[derive(Debug, Serialize)]
struct WhyResult {
    name: String,
    #[serde(rename = "type")]
    qtype: u16,
    client: IpAddr,
    group: String,
    /// What the group was chosen by: `token`, `server-name`, `mac`, `address`, `listener`, `default`.
    chosen_by: &'static str,
    /// What the device shows beside its address, in the order of precedence.
    claims: Vec<ClaimView>,
    /// `block`, `allow`, `rewrite` for a search engine in safe mode, `local` for a special-use
    /// name or a canary, or `refused` for a query that is not admitted to policy.
    verdict: &'static str,
    /// The step of the decision order that decided.
    layer: &'static str,
    category: Option<String>,
    /// The services that the name is of, as `service:ID`.
    services: Vec<String>,
    /// The rule that decided, as a name with its scope.
    rule: Option<String>,
    list: Option<String>,
    file: Option<PathBuf>,
    line: Option<u32>,
    observed: Vec<String>,
    /// The urgent entry of the department for the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    urgent: Option<UrgentEvidence>,
    /// The alias or address of the given answer that blocks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_by: Option<BlockedPart>,
    answer: Answer,
    /// Source of the answer with an empty cache.
    source: trace::SourceView,
    /// Steps of the decision order that were evaluated.
    steps: Vec<trace::Line>,
    /// Action of each layer for the categories that list the name.
    layers: Vec<trace::Layered>,
    /// Rules for the name and its parents.
    evidence: Vec<Evidence>,
    reference: String,
    #[serde(flatten)]
    times: when::Times,
}

/// The answer on the wire.
#[derive(Debug, Serialize)]
struct Answer {
    /// Response code; absent where it is upstream's.
    rcode: Option<&'static str>,
    /// Code and text of the extended error (RFC 8914).
    ede: Option<(u16, String)>,
    /// Source of the answer.
    source: &'static str,
}

/// Explains a name; exits 0, 2 for wrong usage, or 3 for a config or list that cannot be used.
pub fn run(arguments: &WhyArguments) -> ExitCode {
    if WordKind::of(&arguments.name).is_some() {
        return finish(explain_word(arguments));
    }
    let name = match Name::from_text(&arguments.name) {
        Ok(name) => name,
        Err(error) => {
            complain(&format!("`{}` is no name: {error}", arguments.name));
            return ExitCode::from(2);
        }
    };
    finish(PolicyAt::read(arguments).map(|policy| {
        let result = policy.describe(arguments, &name);
        if arguments.json { json(&result) } else { text(&result) }
    }))
}

/// Explains each name of a word, in a line.
fn explain_word(arguments: &WhyArguments) -> Result<String, CommandFailure> {
    let policy = PolicyAt::read(arguments)?;
    let group = policy.snapshot.group_of(policy.origin.identity(), policy.now).group;
    let group = &policy.snapshot.group(group).name;
    let result = WordResult::of(&arguments.name, &policy.config, group, |name| {
        let WhyResult { verdict, layer, category, rule, .. } = policy.describe(arguments, name);
        WordName { name: word::shown(name), verdict, layer, category, rule }
    });
    let result = result.map_err(|message| (2, message))?;
    Ok(if arguments.json { json(&result) } else { word::text(&result) })
}

/// The policy in force at the time of the query.
struct PolicyAt {
    config: Config,
    snapshot: Arc<Snapshot>,
    zones: Vec<Numbered>,
    sources: Arc<[SourceOrigin]>,
    urgent: Arc<UrgentList>,
    /// The origin of the query.
    origin: Origin,
    now: Now,
}

impl PolicyAt {
    /// Builds it.
    fn read(arguments: &WhyArguments) -> Result<Self, CommandFailure> {
        let refused = |error: AssembleError| (3, error.to_string());
        let path = config_of_machine(arguments.config.as_deref());
        let config = read_config_for_command(path).map_err(refused)?;
        let civil = match &arguments.at {
            None => system_time(),
            Some(text) => when::read(text, &config.school.zone(), system_time())
                .map_err(|message| (2, message))?,
        };
        let tokens = DeviceTokens::new(Arc::new(Counters::shared()));
        let mut assembler = Assembler::new(path.map(Path::to_owned)).with_kept().around(civil);
        // Overrides and urgent entries of a gateway on this machine, if its state is readable; nothing is created.
        if let Some(dir) = config.state.dir.as_ref().filter(|dir| dir.is_dir()) {
            let state = StateDir::at(dir.clone()).ok();
            if let Some(state) = &state {
                tokens.open(state);
            }
            let urgent = state.as_ref().map(|state| release::urgent::kept(state, &config).0);
            assembler.urgent = Arc::new(urgent.unwrap_or_default());
            assembler.set_overrides(Overrides::open(state).list(civil));
        }
        assembler.designated = Arc::new(designated_by_files(&config, civil));
        let assembled = assembler.assemble().map_err(refused)?;
        for one in &assembled.held {
            complain(&format!("degraded: {one}"));
        }
        for one in &assembled.left_out {
            complain(&format!("without `{}`: {}", one.label, one.why));
        }
        let claims = arguments.device.claims(|name| tokens.named(name)).map_err(|given| {
            let known = tokens.list().into_iter().map(|token| token.name).collect();
            (2, TokenRefusal::NoToken { given, known }.message().in_lang(config.school.lang))
        })?;
        let plain = Origin::plain(arguments.client, arguments.listener, Transport::Udp);
        let origin = Origin { claims, ..plain };
        let now = Now { mono: 1, civil, trust: Trust::Synced };
        let Assembled { config, snapshot, sources, zones, .. } = assembled;
        let (snapshot, urgent) = (Arc::new(snapshot), Arc::clone(&assembler.urgent));
        Ok(Self { config, snapshot, zones, sources, urgent, origin, now })
    }

    /// Decides the name, and describes the decision.
    fn describe(&self, arguments: &WhyArguments, name: &Name) -> WhyResult {
        let Self { config, snapshot, zones, sources, urgent: list, origin, now } = self;
        let now = *now;
        let placed = snapshot.explain_group(origin.identity(), now);
        let group = placed.placement.group;
        let bound = snapshot.rules_at(group, now);
        let folded = Folded::from_name(name);
        let explanation = snapshot.explain(bound, &snapshot.hashed(&folded), arguments.qtype);
        let evidence = evidence(config, sources, snapshot, name, &explanation);
        let id = |category: CategoryId| config.taxonomy.category(category).id.clone();
        let ids = |set: CategorySet| set.iter().map(id).collect();
        let (verdict, layer, category) = when::words(&explanation.verdict);
        let category = category.map(id);
        let observed = match explanation.verdict {
            Verdict::Pass(pass) | Verdict::Safe(pass, _) => ids(pass.observed),
            Verdict::Special(_) | Verdict::Canary(_) | Verdict::Block(_) => Vec::new(),
        };
        let urgent = UrgentEvidence::of(list, name, &explanation, None);
        let rule = match explanation.verdict {
            Verdict::Safe(_, engine) => snapshot.safe_target(group, engine).map(|target| {
                let engine = snapshot.engine_ids().get(usize::from(engine.0));
                format!("{} goes to {target}", engine.map_or("-", String::as_str))
            }),
            _ => urgent
                .as_ref()
                .and_then(UrgentEvidence::rule)
                .or_else(|| decided_by(layer, category.as_deref(), &evidence, &explanation, name)),
        };
        let query = trace::TracedQuery {
            config,
            snapshot,
            urgent: list,
            zones,
            group,
            bound,
            name: &folded,
            qtype: arguments.qtype,
        };
        let place = rule.as_ref().and_then(|rule| evidence.iter().find(|e| e.rule == *rule));
        let result = WhyResult {
            name: name.to_string(),
            qtype: arguments.qtype,
            client: arguments.client,
            group: snapshot.group(group).name.clone(),
            chosen_by: placed.by.id(),
            claims: ClaimView::all(&placed, snapshot, now),
            verdict,
            layer,
            list: place.map(|e| e.list.clone()),
            file: place.and_then(|e| e.file.clone()),
            line: place.and_then(|e| e.line),
            category,
            services: word::services_of(config, name),
            rule,
            observed,
            urgent,
            blocked_by: answer::blocked_part(
                &query,
                &explanation.verdict,
                &arguments.parts,
                sources,
            ),
            source: query.source(&explanation.verdict),
            steps: query.steps(&explanation),
            layers: query.layers(&explanation),
            answer: answer(&explanation.verdict, arguments, name, snapshot, (origin.clone(), now)),
            evidence,
            times: when::Times::of(
                config,
                snapshot,
                bound,
                now,
                (&snapshot.hashed(&folded), arguments.qtype),
            ),
            reference: format!("{:06x}", snapshot.lists().digest() & 0xff_ffff),
        };
        if result.answer.source == AnswerSource::Refused.id() {
            return result.refused();
        }
        result.reviewed()
    }
}

impl WhyResult {
    /// The result where a part of the answer decides.
    fn reviewed(self) -> Self {
        let Some(part) = &self.blocked_by else { return self };
        let (rule, list) = (part.rule.clone(), part.list.clone());
        let (file, line) = (part.file.clone(), part.line);
        let (layer, category) = (part.layer, part.category.clone());
        let urgent = part.urgent.clone().or(self.urgent.clone());
        Self { urgent, verdict: "block", layer, category, rule, list, file, line, ..self }
    }

    /// The result of a query that is not admitted to policy.
    fn refused(self) -> Self {
        Self {
            verdict: "refused",
            layer: "admission",
            category: None,
            rule: None,
            list: None,
            file: None,
            line: None,
            observed: Vec::new(),
            urgent: None,
            source: trace::SourceView::here(),
            steps: vec![trace::Line::refused()],
            layers: Vec::new(),
            times: self.times.without_change(),
            ..self
        }
    }
}

/// The core's answer to the query of this client, with an empty cache.
fn answer(
    verdict: &Verdict,
    arguments: &WhyArguments,
    name: &Name,
    snapshot: &Arc<Snapshot>,
    (meta, now): (Origin, Now),
) -> Answer {
    let mut query = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    query.extend_from_slice(name.as_wire());
    query.extend_from_slice(&arguments.qtype.to_be_bytes());
    query.extend_from_slice(&CLASS_IN.to_be_bytes());
    // OPT, so that the answer has an extended error.
    query.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    let cache = AnswerCache::new(0);
    let mut out = vec![0; usize::from(u16::MAX)];
    match begin(&query, &meta, snapshot, &cache, now, &mut out) {
        Begin::Done(done) | Begin::Refresh(done, _) => Answer::of(&done, &out),
        Begin::Forward(forward) => {
            let is_other = matches!(verdict, Verdict::Block(_) | Verdict::Safe(..));
            let source = if is_other { "rewrite" } else { "upstream" };
            let parts = arguments.parts.as_slice();
            let done = (!is_other && !parts.is_empty())
                .then(|| answer::finished(*forward, parts, &cache, now, &mut out));
            let open = Answer { rcode: None, ede: None, source };
            done.flatten().map_or(open, |done| Answer::of(&done, &out))
        }
    }
}

impl Answer {
    fn of(done: &Done, out: &[u8]) -> Self {
        match done {
            Done::Reply(length, outcome) => Self {
                rcode: Some(outcome.rcode.id()),
                ede: extended_error(out.get(..*length).unwrap_or(&[])),
                source: outcome.source.id(),
            },
            Done::Silence(_) | Done::Drop(_) => Self { rcode: None, ede: None, source: "silence" },
        }
    }
}

/// The extended error of a reply of the core, where OPT is the last record.
fn extended_error(reply: &[u8]) -> Option<(u16, String)> {
    (HEADER..reply.len()).find_map(|start| {
        // Root, type 41, class, TTL, a length that ends with the message, one option.
        let [0, 0, 41, _, _, _, _, _, _, high, low, option @ ..] = reply.get(start..)? else {
            return None;
        };
        let [0, 15, _, _, code_high, code_low, text @ ..] = option else { return None };
        let is_last = usize::from(u16::from_be_bytes([*high, *low])) == option.len();
        let code = u16::from_be_bytes([*code_high, *code_low]);
        is_last.then(|| (code, String::from_utf8_lossy(text).into_owned()))
    })
}

/// The result for people.
fn text(result: &WhyResult) -> String {
    let mut out = match result.verdict {
        "block" => {
            let category = result.category.as_deref();
            let what = category.map_or("denied by the school".into(), |c| format!("category {c}"));
            format!("blocked: {what}")
        }
        "allow" => "allowed".to_owned(),
        "rewrite" => "answered with the safe name".to_owned(),
        "refused" => "refused, whatever the name".to_owned(),
        _ => "answered here, whatever lists say".to_owned(),
    };
    let _ = writeln!(out, " ({})", result.layer);
    let by = result.chosen_by.replace('-', " ");
    let _ = writeln!(out, "  group     {} (client {}, by {by})", result.group, result.client);
    out.extend(result.claims.iter().map(ClaimView::text));
    out += &result.times.text();
    out += &result.blocked_by.as_ref().map_or(String::new(), BlockedPart::text);
    if let Some(rule) = &result.rule {
        let place = result.file.as_ref().zip(result.line);
        let place = place.map_or(String::new(), |(f, l)| format!(", {} line {l}", f.display()));
        let list = result.list.as_ref().map_or(String::new(), |list| format!(", list {list}"));
        let _ = writeln!(out, "  rule      {rule}{list}{place}");
    }
    if !result.services.is_empty() {
        let _ = writeln!(out, "  service   {}", result.services.join(", "));
    }
    out += &result.urgent.as_ref().map_or_else(String::new, UrgentEvidence::text);
    let rcode = result.answer.rcode.unwrap_or("-");
    let ede = result.answer.ede.as_ref();
    let ede = ede.map_or(String::new(), |(code, text)| format!(", EDE {code} `{text}`"));
    let _ = writeln!(out, "  answer    {rcode} from {}{ede}", result.answer.source);
    if result.source.is_outside() {
        out += &result.source.text();
    }
    if !result.observed.is_empty() {
        let _ = writeln!(out, "  counted   {}", result.observed.join(", "));
    }
    for e in &result.evidence {
        let category = e.category.as_deref().unwrap_or("-");
        let line = e.line.map_or(String::new(), |line| format!(" line {line}"));
        let _ = writeln!(out, "  {:9} {} {category}, {}{line}", e.effect, e.rule, e.list);
    }
    out += &trace::text(&result.layers, &result.steps);
    out + &format!("  version   {}\n", result.reference)
}

/// Reads `--type`.
fn parse_type(text: &str) -> Result<u16, String> {
    let known = [
        ("A", rtype::A),
        ("AAAA", rtype::AAAA),
        ("CNAME", rtype::CNAME),
        ("HTTPS", rtype::HTTPS),
        ("SVCB", rtype::SVCB),
        ("MX", 15),
        ("TXT", 16),
        ("PTR", 12),
        ("SRV", 33),
        ("NS", 2),
        ("SOA", rtype::SOA),
        ("ANY", rtype::ANY),
    ];
    known
        .into_iter()
        .find(|(id, _)| id.eq_ignore_ascii_case(text))
        .map(|(_, number)| number)
        .or_else(|| text.trim_start_matches("TYPE").parse().ok())
        .ok_or_else(|| {
            let ids: Vec<&str> = known.iter().map(|(id, _)| *id).collect();
            format!("no type; write a number or one of {}", ids.join(" "))
        })
}
