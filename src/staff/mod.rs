//! Staff: what lets a person act at the portal, and for how long.
//!
//! ```text
//! code or PIN ─▶ Tries ─▶ one argon2 at a time ─▶ Codes ─┐
//! token ───────▶ Tries ─────────────────────▶ Token ─────┴─▶ Sessions ─▶ an id in a cookie
//! ```
//!
//! Laws: three tokens, no accounts. A code is good once, for one room and one day. What is guessed
//! wrongly on a network of pupils must never lock out a network of staff. A session lives in RAM.

pub mod code;
pub mod codes;
pub mod desk;
pub mod hash;
pub mod refusal;
pub mod sessions;
mod stored;
pub mod token;
pub mod tries;
