//! What a list says of a name: how far it reaches, and what it does.

/// How much of the tree a rule speaks of.
///
/// List formats disagree about it, so every rule carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The name alone.
    Exact,
    /// The name and everything below it.
    Subtree,
    /// Everything below the name, not the name itself.
    Below,
}

impl Scope {
    /// Whether a rule of this scope at an ancestor speaks of a name; `is_self`
    /// says that the ancestor is the name itself.
    #[inline]
    pub fn covers(self, is_self: bool) -> bool {
        match self {
            Self::Exact => is_self,
            Self::Subtree => true,
            Self::Below => !is_self,
        }
    }
}

/// What a rule does to its category, at its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Lists the name.
    Add,
    /// Lists the name, and no plain exception frees it (`$important`).
    AddImportant,
    /// Frees the name (`@@||x^`).
    Clear,
    /// Frees the name even from important rules (`@@||x^$important`).
    ClearImportant,
}
