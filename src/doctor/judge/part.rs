//! What is found of one part of an examination.

use crate::doctor::facts::ExaminedPart;
use crate::lang::Message;
use crate::status::finding::{Finding, FindingId};
use crate::status::machine::MachineFault;

/// What is found of one part.
#[derive(Debug)]
pub(in crate::doctor) struct JudgedPart {
    pub(in crate::doctor) part: ExaminedPart,
    /// What was looked at, in short; none where nothing was.
    pub(in crate::doctor) line: Option<Message>,
    pub(in crate::doctor) findings: Vec<Finding>,
    /// What was not looked at, and how to look.
    pub(in crate::doctor) unseen: Vec<Message>,
}

impl JudgedPart {
    pub(super) fn new(part: ExaminedPart) -> Self {
        Self { part, line: None, findings: Vec::new(), unseen: Vec::new() }
    }

    pub(super) fn find(
        &mut self,
        fault: MachineFault,
        subject: impl Into<String>,
        why: impl Into<String>,
    ) {
        self.findings.push(Finding::new(FindingId::Machine(fault), subject, why));
    }
}
