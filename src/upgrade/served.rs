//! A gateway that serves, as its admin address tells: ready, and the rows of its self-test that fail.
//!
//! The other side may be a later program, so of its answer only what all versions have is read.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;

use crate::admin::client::{ask, is_ready};
use crate::staff::token::Token;

/// The most rows that are named.
const NAMED: usize = 5;

/// Questions of the self-test that fail, without the listener at which they were asked.
pub(super) type FailedRows = BTreeSet<String>;

#[derive(Deserialize)]
struct Run {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    ok: Option<bool>,
}

/// Whether a gateway answers queries.
pub(super) fn ready(admin: SocketAddr) -> bool {
    is_ready(admin).unwrap_or(false)
}

/// Lets a gateway ask itself; `token` is the file of its token.
pub(super) fn failing(admin: SocketAddr, token: &Path) -> Result<FailedRows, String> {
    let token = Token::read(token).map_err(|error| format!("{}: {error}", token.display()))?;
    let answer = ask(admin, "POST", "/api/selftest", &token, "");
    let (status, body) = answer.map_err(|error| format!("the self-test: {error}"))?;
    if !(200..300).contains(&status) {
        return Err(format!("the self-test: the gateway answered {status}"));
    }
    let run: Run =
        serde_json::from_str(&body).map_err(|error| format!("the self-test: {error}"))?;
    let failed = run.rows.into_iter().filter(|row| row.ok == Some(false));
    Ok(failed.map(|row| row.id.split('@').next().unwrap_or_default().to_owned()).collect())
}

/// The rows that fail now and did not before.
pub(super) fn new_failures(now: &FailedRows, before: &FailedRows) -> Option<String> {
    let new: Vec<&str> = now.difference(before).map(String::as_str).collect();
    if new.is_empty() {
        return None;
    }
    let shown = new.iter().take(NAMED).copied().collect::<Vec<_>>().join(" ");
    let more = if new.len() > NAMED { " …" } else { "" };
    Some(format!("{} rows of the self-test fail: {shown}{more}", new.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_failed_before_is_no_fault_of_the_new_program() {
        let rows = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<FailedRows>();
        let before = rows(&["essential/pupils/a"]);
        assert_eq!(new_failures(&before, &before), None);
        assert_eq!(new_failures(&rows(&[]), &before), None);
        let both = rows(&["essential/pupils/a", "category/pupils/adult"]);
        let told = new_failures(&both, &before).unwrap();
        assert!(told.contains("1 rows") && told.contains("category/pupils/adult"), "{told}");
    }
}
