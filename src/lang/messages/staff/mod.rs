//! Messages for staff of a school, by the room that they are about.

pub(in crate::lang::messages) mod codes;
pub(in crate::lang::messages) mod devices;
pub(in crate::lang::messages) mod diagnosis;
pub(in crate::lang::messages) mod evidence;
pub(in crate::lang::messages) mod pages;
pub(in crate::lang::messages) mod state;
pub(in crate::lang::messages) mod upgrade;

pub(crate) use codes::*;
pub(crate) use devices::*;
pub(crate) use diagnosis::*;
pub(crate) use evidence::*;
pub(crate) use pages::*;
pub(crate) use state::*;
pub(crate) use upgrade::*;
