//! Rules about more than a name: patterns, query types, names that they spare.
//!
//! They stand beside the names of a pack, so that a name costs what it did where no list has any:
//! one test a pack. With them a look-up makes one pass over the name for the [literals](patterns)
//! of all patterns and one probe a label for the names that have a condition.
//!
//! | effect | of a name | of a pattern |
//! |---|---|---|
//! | lists | from the name down, in its scope | where it matches, unless an exception holds for the name |
//! | clears | from the name down, until a longer name lists again | whatever names and patterns list |
//!
//! `$important` wins over plain exceptions, and yields to important ones, of either kind. A rule is
//! one of its list: its category, its source and its exceptions are.

mod evaluate;
mod patterns;
mod table;

pub use table::TargetRule;
pub(crate) use table::TargetTable;

#[cfg(test)]
mod tests;
