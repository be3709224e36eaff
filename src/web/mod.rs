//! HTTP servers of the gateway: what the admin address and the portal have in common.
//!
//! [`door`] accepts connections within bounds, [`head`] reads what a request says of itself, and
//! [`form`] the fields that a browser sends. Neither knows a page.

pub mod door;
pub mod form;
pub mod head;
