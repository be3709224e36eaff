//! Reloads under load: lists and config change, and a third of the changes are mistakes.

use super::dice::{Dice, is_long};
use super::load;
use crate::support::{Gateway, Upstream, eventually};

/// What nobody means to be a config.
fn mistaken_config(dice: &mut Dice, good: &str) -> Vec<u8> {
    match dice.below(4) {
        0 => good.replace("\"games\"]", "\"gaems\"]").into(),
        1 => Vec::new(),
        2 => good[..good.len() * 2 / 3].into(),
        _ => good.replace("[admin]", "[admin\0]").into(),
    }
}

/// What nobody means to be a list.
fn mistaken_list(dice: &mut Dice) -> Vec<u8> {
    match dice.below(4) {
        0 => Vec::new(),
        1 => "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n".repeat(50).into(),
        2 => (0..4096).map(|_| dice.next() as u8).collect(),
        _ => "two words\n".repeat(100).into(),
    }
}

#[test]
fn a_thousand_reloads_under_load_let_no_blocked_name_through_and_lose_nothing() {
    let (upstream, mut dice) = (Upstream::start(), Dice::new());
    let plan = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream));
    let gateway = plan.start();
    let good = std::fs::read_to_string(gateway.dir().join("gateway.toml")).unwrap();
    // A gateway reloads once a second.
    let turns = if is_long() { 1000 } else { 40 };
    let mut turn = |number: usize| match dice.below(3) {
        0 => {
            let name = format!("turn-{number}.example");
            load::put(&gateway, load::LIST, load::list(&name));
            // A file that is fresh is waited for; who asks is not kept waiting.
            gateway.reload();
            load::until_blocked(&gateway, &name);
        }
        1 => {
            let name = format!("turn-{number}.denied-example.example");
            let denied = format!("\"denied.example\", \"{name}\"");
            load::put(&gateway, "gateway.toml", good.replace("\"denied.example\"", &denied));
            load::until_blocked(&gateway, &name);
        }
        _ => {
            let (file, bad, mended) = if dice.below(2) == 0 {
                ("gateway.toml", mistaken_config(&mut dice, &good), good.clone())
            } else {
                (load::LIST, mistaken_list(&mut dice), load::list(""))
            };
            load::put(&gateway, file, &bad);
            gateway.reload();
            eventually("the mistake is said", || {
                gateway.get("/readyz").1.contains("degraded").then_some(())
            });
            load::assert_filters(&gateway, file);
            load::put(&gateway, file, mended);
            gateway.reload();
            load::until_whole(&gateway);
        }
    };
    turn(0);
    let held = load::AtRest::now(&gateway);
    let ((), seen) = load::asked(gateway.dns, || (1..=turns).for_each(&mut turn));
    seen.assert_answered();
    let ok = gateway.metrics().value("lachan_reloads_total", &[("result", "ok")]);
    assert!(ok >= turns as f64 / 2.0, "{ok} reloads in {turns} turns");
    held.assert_no_more(&gateway);
    load::until_nothing_is_unfinished(&gateway);
}
