//! Messages about a department's releases, by the room that they are about.

pub(super) mod emergency;
pub(super) mod enrolment;
pub(super) mod findings;
pub(super) mod fleet;
pub(super) mod organisation;
pub(super) mod rehearsal;
pub(super) mod updates;

pub(crate) use emergency::*;
pub(crate) use enrolment::*;
pub(crate) use findings::*;
pub(crate) use fleet::*;
pub(crate) use organisation::*;
pub(crate) use rehearsal::*;
pub(crate) use updates::*;
