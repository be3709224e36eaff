//! The catalogue: every message, in both languages, by the room that it is about.

mod calendar;
mod data;
mod department;
mod export;
mod groups;
mod inspection;
mod lists;
mod locks;
mod names;
mod overrides;
mod portal;
mod report;
mod reviews;
mod sections;
mod shape;
pub(in crate::lang) mod staff;
#[cfg(test)]
mod tests;
mod unusable;
mod values;
mod warnings;

pub(crate) use calendar::*;
pub(crate) use data::*;
pub(crate) use department::*;
pub(crate) use export::*;
pub(crate) use groups::*;
pub(crate) use inspection::*;
pub(crate) use lists::*;
pub(crate) use locks::*;
pub(crate) use names::*;
pub(crate) use overrides::*;
pub(crate) use portal::*;
pub(crate) use report::*;
pub(crate) use reviews::*;
pub(crate) use sections::*;
pub(crate) use shape::*;
pub(crate) use staff::*;
pub(crate) use unusable::*;
pub(crate) use values::*;
pub(crate) use warnings::*;
