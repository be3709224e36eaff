//! Messages for the people who keep a gateway, by the room that they are about.

pub(in crate::lang::messages) mod codes;
pub(in crate::lang::messages) mod pages;
pub(in crate::lang::messages) mod state;

pub(crate) use codes::*;
pub(crate) use pages::*;
pub(crate) use state::*;
