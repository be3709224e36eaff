//! Restarts under load, some of them deaths.

use std::time::Duration;

use super::dice::{Dice, share};
use super::load;
use crate::support::{Gateway, Upstream, eventually};

#[test]
fn a_thousand_restarts_under_load_let_no_blocked_name_through() {
    let (upstream, mut dice) = (Upstream::start(), Dice::new());
    let plan = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream));
    let mut gateway = plan.start();
    let state = gateway.dir().join("state");
    let files = || std::fs::read_dir(&state).unwrap().count();
    eventually("all is kept", || {
        (gateway.metrics().value("lachan_state_kept", &[]) > 0.0).then_some(())
    });
    let before = files();
    let (mut gateway, seen) = load::asked(gateway.dns, || {
        for turn in 0..share(1000) {
            if dice.below(3) == 0 {
                // It may die in the middle of a reload, or of a write to its state.
                load::put(&gateway, load::LIST, load::list(&format!("turn-{turn}.example")));
                gateway.reload();
            }
            std::thread::sleep(Duration::from_millis(dice.below(120) as u64));
            if dice.below(2) == 0 {
                gateway.terminate();
            } else {
                gateway.kill();
            }
            gateway = gateway.restart();
            load::assert_filters(&gateway, &format!("restart {turn}"));
        }
        gateway
    });
    seen.assert_filtered();
    load::until_nothing_is_unfinished(&gateway);
    gateway.terminate();
    assert!(files() <= before + 2, "{before} files in the state became {}", files());
}
