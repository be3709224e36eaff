//! A table made of rules alone, without a file.

use std::sync::Arc;

use super::join::join;
use crate::category::{CategoryId, MAX_CATEGORIES};
use crate::matcher::suffix::SuffixTable;
use crate::pack::{BuildError, Compiler, Pack};
use crate::rule::Rule;

/// Builder of a table with one pack in memory, for tests and benches: categories are numbers.
#[derive(Debug)]
pub struct Builder(Compiler);

impl Builder {
    /// An empty builder; `seed` starts the hashes of names.
    pub fn new(seed: u64) -> Self {
        Self(Compiler::new(seed, (0..MAX_CATEGORIES).map(|number| format!("c{number:02}"))))
    }

    /// Adds a rule for a wire name in lower case.
    ///
    /// # Errors
    ///
    /// [`BuildError::TooManyRules`].
    pub fn add(&mut self, wire: &[u8], rule: Rule) -> Result<(), BuildError> {
        self.0.add(wire, rule)
    }

    /// Builds the table.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`].
    pub fn build(self) -> Result<SuffixTable, BuildError> {
        let octets = self.0.finish_in_memory()?;
        let pack = Pack::verify(Arc::new(octets)).map_err(std::io::Error::other)?;
        let number = |id: &str| CategoryId::new(id.strip_prefix('c')?.parse().ok()?);
        Ok(join([Arc::new(pack)], number)?.table)
    }
}
