//! Lá Chắn: a policy-implementing DNS resolver for school gateways.

pub mod category;
pub mod diagnostic;
pub mod name;
