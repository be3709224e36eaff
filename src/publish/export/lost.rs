//! What an export cannot say, by kind.

use std::collections::BTreeMap;

use crate::category::{Category, CategoryId, CategorySet, LegalDuty, Taxonomy};
use crate::config::data::starter;
use crate::matcher::keyword::KeywordRules;
use crate::pack::Pack;
use crate::publish::export::level::LevelPolicy;
use crate::rule::{Effect, QueryTypes, Subject, Target};

/// A kind of rule that an export leaves out, or says in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// A regular expression or a glob.
    Pattern,
    /// A rule for some types of query.
    QueryType,
    /// A rule that spares names below it (`$denyallow`).
    Spared,
    /// A rule for every name.
    EveryName,
    /// An exception of one of these kinds.
    WideException,
    /// Keyword rules.
    Keyword,
    /// A listed prefix of addresses.
    Address,
    /// An answer that a list sets, where a plain block stands for it.
    Answer,
    /// A rule for a name without those below it.
    Exact,
    /// A rule for the names below another, without that.
    Below,
    /// A rule with all below it, of which only the name remains.
    Subtree,
    /// A block with an exception below it.
    Exception,
    /// A rule for a top-level domain.
    TopLevel,
    /// A name with octets that other programs do not read.
    OddName,
    /// A name that is too long for a zone.
    TooLong,
    /// A rule for essential or guarded names.
    Guarded,
    /// A rule of a category that this program does not know.
    UnknownCategory,
}

impl Lost {
    /// Its id.
    pub fn id(self) -> &'static str {
        match self {
            Self::Pattern => "pattern",
            Self::QueryType => "query-type",
            Self::Spared => "spared",
            Self::EveryName => "every-name",
            Self::WideException => "wide-exception",
            Self::Keyword => "keyword",
            Self::Address => "address",
            Self::Answer => "answer",
            Self::Exact => "exact",
            Self::Below => "below",
            Self::Subtree => "subtree",
            Self::Exception => "exception",
            Self::TopLevel => "top-level",
            Self::OddName => "odd-name",
            Self::TooLong => "too-long",
            Self::Guarded => "guarded",
            Self::UnknownCategory => "unknown-category",
        }
    }

    /// What becomes of it.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Pattern => "patterns: not blocked",
            Self::QueryType => "rules for some types of query: not blocked",
            Self::Spared => "rules that spare names: not blocked",
            Self::EveryName => "rules for every name: not blocked",
            Self::WideException => {
                "exceptions by pattern or query type: more is blocked than at a gateway"
            }
            Self::Keyword => "keyword rules: not blocked",
            Self::Address => "addresses in answers: not blocked",
            Self::Answer => "answers of lists: blocked plainly, by TCP-only not at all",
            Self::Exact => "names without those below: not blocked",
            Self::Below => "names below another alone: not blocked",
            Self::Subtree => "names with all below: what is below passes",
            Self::Exception => "names with an exception below: not blocked as a whole",
            Self::TopLevel => "top-level domains: not blocked",
            Self::OddName => "names with odd octets: not blocked",
            Self::TooLong => "names too long for a zone: not blocked",
            Self::Guarded => "rules for essential or guarded names: void",
            Self::UnknownCategory => "rules of unknown categories: not blocked",
        }
    }

    /// The kind of a rule about more than a name.
    fn of(target: &Target, effect: Effect) -> Self {
        match (effect, &target.subject, &target.types) {
            (Effect::Clear | Effect::ClearImportant, ..) => Self::WideException,
            (_, Subject::Pattern(_), _) => Self::Pattern,
            (_, Subject::All, _) => Self::EveryName,
            (_, Subject::Name(_), QueryTypes::All) => Self::Spared,
            (_, Subject::Name(_), _) => Self::QueryType,
        }
    }
}

/// Category numbers of a pack in the taxonomy.
fn numbers<'a>(pack: &'a Pack, taxonomy: &Taxonomy) -> Vec<(Option<CategoryId>, &'a str)> {
    pack.categories().iter().map(|id| (taxonomy.find(id), id.as_str())).collect()
}

/// The id of a category that comes sealed, and of which the pack has rules all the same.
pub(super) fn sealed<'a>(pack: &'a Pack, taxonomy: &Taxonomy) -> Option<&'a str> {
    let is_sealed = |row: &Category| row.duty == Some(LegalDuty::Law);
    let sealed = taxonomy.select(is_sealed);
    let numbers = numbers(pack, taxonomy);
    let of_names = pack.rules().iter().map(|rule| rule.category);
    let of_nets = pack.addresses().iter().map(|listed| listed.category);
    let mut all = of_names.chain(of_nets).chain(pack.targets().iter().map(|t| t.rule.category));
    all.find_map(|category| {
        let (id, text) = numbers.get(category.index())?;
        id.is_some_and(|id| sealed.contains(id)).then_some(*text)
    })
}

/// What no format says of a pack, at a level.
pub(super) fn of_pack(policy: &LevelPolicy) -> BTreeMap<Lost, u64> {
    let (taxonomy, pack) = (policy.taxonomy(), policy.pack());
    let numbers = numbers(pack, taxonomy);
    let blocked: CategorySet = policy.blocked();
    let number = |category: CategoryId| numbers.get(category.index()).and_then(|(id, _)| *id);
    let is_blocked = |category| number(category).is_some_and(|id| blocked.contains(id));
    let mut lost = BTreeMap::new();
    let mut add = |kind: Lost, count: u64| {
        if count > 0 {
            *lost.entry(kind).or_default() += count;
        }
    };
    for targeted in pack.targets().iter().filter(|one| is_blocked(one.rule.category)) {
        add(Lost::of(&targeted.target, targeted.rule.effect), 1);
    }
    let nets = pack.addresses().iter();
    let nets = nets.filter(|one| is_blocked(one.category) && !one.action.is_pass());
    add(Lost::Address, nets.count() as u64);
    let of_pack = Some(pack.keywords()).filter(|text| !text.is_empty());
    let text = policy.data().keywords().or(of_pack).unwrap_or(starter::KEYWORDS);
    add(Lost::Keyword, KeywordRules::parse(text, taxonomy).map_or(0, |rules| rules.len() as u64));
    add(Lost::Guarded, policy.voided());
    let unknown = pack.rules().iter().filter(|rule| number(rule.category).is_none());
    add(Lost::UnknownCategory, unknown.count() as u64);
    lost
}
