//! Reviews: names that people ask to have opened, until somebody answers.
//!
//! ```text
//! portal, lachan review add ▸ a name ▸ fate ──▶ ReviewBook ──▶ lachan review list
//!                             (what?) (a row?)  one row a name    │ allow ▸ overrides
//!                                               no client         │ deny  ▸ closed with a word
//!                                               no time of day    └ forward ▸ a file ▸ the department
//! ```
//!
//! Laws: a request never has a client, nor a time finer than a day. The answer to one never depends on
//! its name: a protected or locked name gets no row, and nobody that asks can tell.

pub mod ask;
pub mod book;
pub mod day;
pub mod fate;
pub mod forwarded;
pub mod request;
pub mod stored;
#[cfg(test)]
mod tests;

pub use book::ReviewBook;
