//! Lists without a set format: the syntax that most lines have, and each line in its own.

pub(super) mod detect;
pub(super) mod mixed;

#[cfg(test)]
mod kinds;
#[cfg(test)]
mod tests;
