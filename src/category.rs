//! Categories: the subjects of listed names. Data, not code.
//!
//! The ids, names and defaults come from `blocklists/categories.toml`
//! (`config/data/taxonomy.rs` reads it); after start-up a category is a number from
//! 0 to 63 in the taxonomy's order, and a set of them is one `u64`.
//! Of several categories the first in that order is reported.

use std::collections::HashMap;
use std::fmt;

/// The most categories a taxonomy can have.
pub const MAX_CATEGORIES: usize = 64;

/// A category's place in the taxonomy, 0 to 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CategoryId(u8);

impl CategoryId {
    /// The category at `place` of a taxonomy; `None` from 64 on.
    pub fn new(place: usize) -> Option<Self> {
        (place < MAX_CATEGORIES).then_some(Self(place as u8))
    }

    /// The place in the taxonomy.
    #[inline]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A set of categories.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CategorySet(u64);

impl CategorySet {
    /// No category.
    pub const EMPTY: Self = Self(0);

    /// One bit per category.
    #[inline]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// This set and `category`.
    #[inline]
    #[must_use]
    pub fn with(self, category: CategoryId) -> Self {
        Self(self.0 | 1 << category.0)
    }

    /// The union of both sets.
    #[inline]
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The intersection of both sets.
    #[inline]
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The categories of this set that are not in `other`.
    #[inline]
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `category` is in the set.
    #[inline]
    pub fn contains(self, category: CategoryId) -> bool {
        self.0 & 1 << category.0 != 0
    }

    /// Whether the set is empty.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The first in the taxonomy's order: the one that is reported.
    #[inline]
    pub fn first(self) -> Option<CategoryId> {
        (self.0 != 0).then(|| CategoryId(self.0.trailing_zeros() as u8))
    }

    /// The categories in the taxonomy's order.
    pub fn iter(self) -> impl Iterator<Item = CategoryId> {
        (0..MAX_CATEGORIES as u8).map(CategoryId).filter(move |&c| self.contains(c))
    }
}

impl FromIterator<CategoryId> for CategorySet {
    fn from_iter<I: IntoIterator<Item = CategoryId>>(categories: I) -> Self {
        categories.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for CategorySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|c| c.0)).finish()
    }
}

/// A school level: the age of the people in a group (ids as in the config).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Mầm non, up to 6 years.
    Preschool,
    /// Tiểu học, 6 to 11.
    Primary,
    /// Trung học cơ sở, 11 to 15.
    LowerSecondary,
    /// Trung học phổ thông, 15 to 18.
    UpperSecondary,
    /// Nội trú: pupils live at the school.
    Boarding,
    /// Giáo dục thường xuyên: adults learn.
    Continuing,
    /// Teachers and office.
    Staff,
}

impl Level {
    /// Every level, youngest first.
    pub const ALL: [Self; 7] = [
        Self::Preschool,
        Self::Primary,
        Self::LowerSecondary,
        Self::UpperSecondary,
        Self::Boarding,
        Self::Continuing,
        Self::Staff,
    ];

    /// The id used in config and data.
    pub fn id(self) -> &'static str {
        match self {
            Self::Preschool => "preschool",
            Self::Primary => "primary",
            Self::LowerSecondary => "lower-secondary",
            Self::UpperSecondary => "upper-secondary",
            Self::Boarding => "boarding",
            Self::Continuing => "continuing",
            Self::Staff => "staff",
        }
    }

    /// Whether the level is of pupils, so that a lock for pupils applies.
    pub fn is_pupils(self) -> bool {
        !matches!(self, Self::Continuing | Self::Staff)
    }
}

/// The action of a level for a category, unless a layer sets another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultAction {
    /// Blocked.
    Block,
    /// Allowed and counted.
    Observe,
    /// Allowed.
    Allow,
    /// Blocked in lessons, observed outside. Without a timetable it blocks.
    Lessons,
    /// Rewritten to the safe name where there is one, observed otherwise.
    Safe,
}

/// Lock: the people for whom a school cannot loosen a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CategoryLock {
    /// No lock: a school may loosen it.
    None,
    /// Locked for pupils, not for staff and adult learners.
    Pupils,
    /// Locked for everyone.
    Everyone,
}

/// A legal duty to block a category for everyone, before every name that passes in all modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegalDuty {
    /// The content is illegal for anyone; its lists come sealed (`csam`).
    Law,
    /// A competent authority requested it (`legal_request`).
    Request,
}

/// One row of the taxonomy.
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the file")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// The id in lists, config and metrics.
    pub id: String,
    /// Vietnamese name.
    pub vi: String,
    /// English name.
    pub en: String,
    /// Its lock.
    pub lock: CategoryLock,
    /// Reported as `protected`, without its name (`csam`, `self_harm`).
    pub is_protected: bool,
    /// Tells of a person where few asked (`adult`): a count of 1 to 9 leaves no school. Protected
    /// categories are.
    pub is_sensitive: bool,
    /// A category of good names, which never blocks (`safe`).
    pub is_positive: bool,
    /// Whether it is closed while its list is missing.
    pub fails_closed: bool,
    /// The legal duty to block it; none for most.
    pub duty: Option<LegalDuty>,
    /// Action by level, in the order of [`Level::ALL`].
    pub defaults: [DefaultAction; 7],
}

/// The name under which every protected category is counted, wherever counts leave the process.
pub const PROTECTED: &str = "protected";
/// The name of what has no category: a name that is denied, or not among those that are allowed.
pub const NO_CATEGORY: &str = "none";

impl Category {
    /// The name under which it is counted and shown: [`PROTECTED`] for each protected one.
    pub fn counted_as(&self) -> &str {
        if self.is_protected { PROTECTED } else { &self.id }
    }
}

/// One level of the taxonomy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelRow {
    /// The level.
    pub level: Level,
    /// Vietnamese name.
    pub vi: String,
    /// English name.
    pub en: String,
    /// Whether names that no layer allows are blocked.
    pub is_allow_only: bool,
}

/// All categories in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taxonomy {
    categories: Vec<Category>,
    levels: Vec<LevelRow>,
    by_id: HashMap<String, CategoryId>,
}

impl Taxonomy {
    /// A taxonomy of these categories, in this order.
    ///
    /// # Errors
    ///
    /// The id that is defined twice, or the first past the 64th place.
    pub fn new(categories: Vec<Category>) -> Result<Self, String> {
        let mut by_id = HashMap::new();
        for (place, category) in categories.iter().enumerate() {
            let id = CategoryId::new(place).ok_or_else(|| category.id.clone())?;
            if by_id.insert(category.id.clone(), id).is_some() {
                return Err(category.id.clone());
            }
        }
        Ok(Self { categories, by_id, levels: Vec::new() })
    }

    /// The same categories with these levels.
    #[must_use]
    pub fn with_levels(self, levels: Vec<LevelRow>) -> Self {
        Self { levels, ..self }
    }

    /// The name of a level, in English or Vietnamese; none where the table has no such level.
    pub fn level_name(&self, level: Level, is_english: bool) -> Option<String> {
        let row = self.levels.iter().find(|row| row.level == level)?;
        Some(if is_english { row.en.clone() } else { row.vi.clone() })
    }

    /// Whether names that no layer allows are blocked for a level by default.
    pub fn is_allow_only(&self, level: Level) -> bool {
        self.levels.iter().any(|row| row.level == level && row.is_allow_only)
    }

    /// The category with this id.
    pub fn find(&self, id: &str) -> Option<CategoryId> {
        self.by_id.get(id).copied()
    }

    /// The row of a category.
    ///
    /// # Panics
    ///
    /// If `id` is of another, larger taxonomy.
    pub fn category(&self, id: CategoryId) -> &Category {
        &self.categories[id.index()]
    }

    /// Ids and rows in order.
    pub fn iter(&self) -> impl Iterator<Item = (CategoryId, &Category)> {
        self.categories.iter().enumerate().filter_map(|(n, row)| Some((CategoryId::new(n)?, row)))
    }

    /// The categories whose row satisfies `wanted`.
    pub fn select(&self, wanted: impl Fn(&Category) -> bool) -> CategorySet {
        self.iter().filter(|(_, row)| wanted(row)).map(|(id, _)| id).collect()
    }

    /// The categories a school cannot loosen for `level`.
    pub fn locked_for(&self, level: Level) -> CategorySet {
        self.select(|row| match row.lock {
            CategoryLock::Everyone => true,
            CategoryLock::Pupils => level.is_pupils(),
            CategoryLock::None => false,
        } && !row.is_positive)
    }
}
