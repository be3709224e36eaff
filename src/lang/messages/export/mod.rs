//! Messages of `lachan export`, by what they are about.

pub(super) mod comments;
pub(super) mod refusals;

pub(crate) use comments::*;
pub(crate) use refusals::*;
