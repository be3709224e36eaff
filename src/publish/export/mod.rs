//! Exports: what a release blocks at one level, as a file that other programs read.
//!
//! ```text
//! list ▶ pack ▶ LevelPolicy ▶ Tree: each listed name, and what becomes of it ─┬▶ rpz  abp
//!                                                    --max ▶ the names kept ──┴▶ domains  hosts  adlist
//! ```
//!
//! What becomes of a name is asked of the policy of a gateway of that level, never worked out anew:
//! exceptions, zones that pass, good names, locks and guarded names act as they do there. A format
//! then says as much of it as it can.
//!
//! Laws: a name that a gateway of the level lets through is blocked by no line, but for exceptions
//! by pattern or query type, which are counted; essential and guarded names never are. What a format
//! cannot say is left out and counted, never widened. Equal lists give equal octets.

mod abp;
mod budget;
mod domains;
mod fate;
mod hosts;
pub mod level;
mod lost;
mod output;
mod rpz;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::category::Taxonomy;
use crate::digest::hex;
use crate::dns::name::Name;
use crate::publish::export::budget::Ranks;
use crate::publish::export::level::LevelPolicy;
pub use crate::publish::export::lost::Lost;
use crate::publish::export::output::{BlockCandidate, Output};
use crate::publish::export::tree::Tree;

/// The syntax of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// Response policy zone, for BIND, Knot Resolver, `PowerDNS` and Unbound.
    Rpz,
    /// One name a line, each with all below it.
    Domains,
    /// hosts(5), both families of addresses.
    Hosts,
    /// `MikroTik`'s adlist: hosts(5) with IPv4 alone.
    Adlist,
    /// Adblock syntax, for `AdGuard Home` and Pi-hole.
    Abp,
}

impl ExportFormat {
    /// The id on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Rpz => "rpz",
            Self::Domains => "domains",
            Self::Hosts => "hosts",
            Self::Adlist => "adlist",
            Self::Abp => "abp",
        }
    }

    /// What begins a comment.
    fn comment(self) -> &'static str {
        match self {
            Self::Rpz => ";",
            Self::Domains | Self::Hosts | Self::Adlist => "#",
            Self::Abp => "!",
        }
    }

    /// Writes the rules of a tree.
    fn rules(self, tree: &Tree, out: &mut Output<'_>) -> io::Result<()> {
        match self {
            Self::Rpz => rpz::rules(tree, out),
            Self::Domains => domains::rules(tree, out),
            Self::Hosts => hosts::rules(tree, &["0.0.0.0", "::"], out),
            Self::Adlist => hosts::rules(tree, &["0.0.0.0"], out),
            Self::Abp => abp::rules(tree, out),
        }
    }
}

/// A list that is not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// It has rules of a category whose lists come sealed.
    #[error(
        "the list has rules of `{0}`, which no release carries and nobody may publish; build it without"
    )]
    Sealed(String),
    /// Everything unlisted is blocked, which only a zone can say.
    #[error(
        "level `{level}` lets nothing but allowed names pass, which `{format}` cannot say; \
         export it as rpz"
    )]
    AllowList {
        /// The level.
        level: &'static str,
        /// The format.
        format: &'static str,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// What is exported, and how.
pub struct Export<'a> {
    /// The policy of the level, with the list.
    pub policy: &'a LevelPolicy,
    /// The syntax.
    pub format: ExportFormat,
    /// The most rules that block.
    pub max: Option<u64>,
    /// Names that many people use, the most popular first.
    pub popular: &'a [Name],
    /// The number of the release, where it is known.
    pub serial: Option<u64>,
}

/// The names within a limit.
#[derive(Default)]
struct Picked {
    /// By their places; none where there is no limit.
    places: Option<Vec<bool>>,
    /// The number of others, by category.
    left_out: BTreeMap<String, u64>,
}

/// What was exported, and what was not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Rules that block.
    pub rules: u64,
    /// Exceptions.
    pub exceptions: u64,
    /// What the format cannot say, by kind.
    pub lost: BTreeMap<Lost, u64>,
    /// Names that were left out for the limit, by category.
    pub left_out: BTreeMap<String, u64>,
}

impl Export<'_> {
    /// Writes the export to `to`.
    ///
    /// # Errors
    ///
    /// [`ExportError`].
    pub fn write(&self, to: &mut impl Write) -> Result<ExportReport, ExportError> {
        let (taxonomy, pack) = (self.policy.taxonomy(), self.policy.pack());
        if let Some(id) = lost::sealed(pack, taxonomy) {
            return Err(ExportError::Sealed(id.to_owned()));
        }
        let mut lost = lost::of_pack(self.policy);
        let tree = Tree::of(self.policy, &mut lost);
        let (level, format) = (self.policy.level().id(), self.format.id());
        if tree.root.is_block() && self.format != ExportFormat::Rpz {
            if taxonomy.is_allow_only(self.policy.level()) {
                return Err(ExportError::AllowList { level, format });
            }
            *lost.entry(Lost::EveryName).or_default() += 1;
        }
        let Picked { places, left_out } = self.picked(&tree, taxonomy)?;
        let mut dry = Output::counting(places.as_deref());
        self.format.rules(&tree, &mut dry)?;
        for (kind, count) in dry.lost {
            *lost.entry(kind).or_default() += count;
        }
        let report = ExportReport { rules: dry.rules, exceptions: dry.exceptions, lost, left_out };
        self.header(&report, to)?;
        let mut out = Output::writing(places.as_deref(), to);
        self.format.rules(&tree, &mut out)?;
        to.flush()?;
        Ok(report)
    }

    /// The names that are within the limit.
    fn picked(&self, tree: &Tree, taxonomy: &Taxonomy) -> Result<Picked, ExportError> {
        let mut chosen = Picked::default();
        let Some(max) = self.max else { return Ok(chosen) };
        let mut all = Output::counting(None);
        all.candidates = Some(Vec::new());
        self.format.rules(tree, &mut all)?;
        let mut picked = vec![false; tree.len()];
        let candidates = all.candidates.unwrap_or_default();
        let others = Ranks::of(self.popular).pick(tree, candidates, max, &mut picked);
        for BlockCandidate { category, .. } in others {
            *chosen.left_out.entry(taxonomy.category(category).id.clone()).or_default() += 1;
        }
        chosen.places = Some(picked);
        Ok(chosen)
    }

    /// What people read first; no time, so that equal lists give equal octets.
    fn header(&self, report: &ExportReport, to: &mut impl Write) -> io::Result<()> {
        let (mark, format) = (self.format.comment(), self.format.id());
        let serial = self.serial.map_or_else(|| "unknown".to_owned(), |serial| serial.to_string());
        let level = self.policy.level().id();
        writeln!(to, "{mark} lachan: release {serial}, level {level}, format {format}")?;
        writeln!(to, "{mark} list {}", hex(&self.policy.pack().digest()))?;
        for note in self.policy.pack().sources() {
            let licence = note.licence.as_deref().unwrap_or("licence not stated");
            writeln!(to, "{mark} source {}: {}", plain(&note.name), plain(licence))?;
        }
        for line in report.lines() {
            writeln!(to, "{mark} {line}")?;
        }
        if self.format == ExportFormat::Rpz {
            rpz::head(self.serial.unwrap_or(1), to)?;
        }
        Ok(())
    }
}

impl ExportReport {
    /// The report for people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} rules block, {} except", self.rules, self.exceptions)];
        lines.extend(self.lost.iter().map(|(kind, count)| {
            format!("not expressed: {count} {} ({})", kind.id(), kind.meaning())
        }));
        lines.extend(
            self.left_out
                .iter()
                .map(|(category, count)| format!("left out by --max: {count} names of {category}")),
        );
        lines
    }
}

/// Text without the ends of lines, which would end a comment.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
