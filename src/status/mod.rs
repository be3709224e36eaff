//! The state of a gateway: one value that the command line, JSON and the technician's page show.
//!
//! ```text
//! policy, clock, servers ▸ Status ▸ judge ┬▸ findings   what is not as it should be, the remedy
//!                                         └▸ report     all of it in words, by language
//! lachan status --json shows the Status, lachan status and the technician's page the report
//! ```

pub mod finding;
pub mod judge;
pub mod machine;
pub mod report;
pub mod state;

pub use state::{
    CertificateStatus, DevicesStatus, EmergencyStatus, EvidenceStatus, Status, UpstreamStatus,
    moment,
};
