//! Lá Chắn: a policy-implementing DNS resolver for school gateways.

pub mod category;
pub mod diagnostic;
pub mod name;
pub mod rtype;

pub mod blocklist;
pub mod matcher;

pub mod policy;

pub mod cache;
pub mod message;
pub mod resolve;

pub mod config;
pub mod metrics;

pub mod serve;
