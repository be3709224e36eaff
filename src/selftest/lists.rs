//! Rows of the lists themselves: a test name may be blocked by another list than the one that is lost.

use crate::load::in_force::InForce;
use crate::load::list_state::{ListCondition, ListState};
use crate::policy::group::time::Now;
use crate::selftest::run::{Expected, RowFinding, RowKind, SelfTestRow};

/// A row for each list of the config, and the delivered pack.
pub(super) fn rows(in_force: &InForce, now: Now) -> Vec<SelfTestRow> {
    in_force.sources().list_states(now.civil).iter().map(row).collect()
}

fn row(list: &ListState) -> SelfTestRow {
    let found = match list.state {
        ListCondition::LeftOut => RowFinding::NotInForce,
        _ if list.rules == 0 => RowFinding::Empty,
        ListCondition::Held => RowFinding::Held,
        ListCondition::Ok => RowFinding::InForce,
    };
    let expected = Expected::InForce;
    let result = expected.judge(found);
    SelfTestRow {
        id: format!("{}//{}", RowKind::List.id(), list.name.replace('@', "_")),
        group: String::new(),
        kind: RowKind::List,
        name: list.name.clone(),
        listener: "-".into(),
        family: "-".into(),
        transport: "-".into(),
        server_name: None,
        expected,
        found,
        result,
        ok: result.ok(),
    }
}
