//! Restarts at random moments while files are damaged and mended: the gateway always comes up, and
//! never lets a blocked name through.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::support::{Ask, PUPIL, now};

use super::{BLOCKED, Original, School, assert_as_strict, remove, until_whole};

/// A generator of choices, the same ones in each run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Damages a file, slowly or at once.
fn damage(path: &Path, dice: &mut Dice) {
    match dice.throw(4) {
        0 => remove(path),
        1 if path.is_file() => fs::write(path, "").unwrap(),
        2 if path.is_file() => {
            let octets = fs::read(path).unwrap();
            fs::write(path, [&octets[..octets.len() / 2], b"\0\0\0\0"].concat()).unwrap();
        }
        _ if path.is_dir() => {
            for entry in fs::read_dir(path).unwrap().flatten() {
                fs::write(entry.path(), "<html>").unwrap();
            }
        }
        _ => fs::write(path, "<!DOCTYPE html>\n<html></html>\n").unwrap(),
    }
}

/// 200 restarts with `LACHAN_LONG`, a few in every other run.
#[test]
fn restarts_at_random_moments_let_no_blocked_name_through() {
    let restarts = std::env::var("LACHAN_RESTARTS").ok().and_then(|text| text.parse().ok());
    let is_long = std::env::var_os("LACHAN_LONG").is_some();
    let restarts: u64 = restarts.unwrap_or(if is_long { 200 } else { 6 });
    let school = School::new();
    let mut gateway = school.start();
    let originals: Vec<Original> =
        BLOCKED.iter().map(|(file, _)| Original::of(&gateway, file)).collect();
    let mut dice = Dice(0x5eed_1234_abcd_9876);
    let asked = AtomicU64::new(0);
    for turn in 0..restarts {
        let is_over = AtomicBool::new(false);
        let dns = gateway.dns;
        let (back, through) = std::thread::scope(|scope| {
            let mut gateway = gateway;
            let prober = scope.spawn(|| {
                let mut through = Vec::new();
                let mut place = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let (_, name) = BLOCKED[place % BLOCKED.len()];
                    place += 1;
                    let ask = Ask::new(name, "A").from(PUPIL).limit(Duration::from_millis(500));
                    // While it is down nobody answers.
                    let Some(answer) = ask.send(dns) else { continue };
                    asked.fetch_add(1, Ordering::Relaxed);
                    if answer.rcode() == "NOERROR" {
                        through.push(name);
                    }
                }
                through
            });
            let damaged = &originals[dice.throw(originals.len() as u64) as usize];
            let also = &originals[dice.throw(originals.len() as u64) as usize];
            damage(&damaged.path, &mut dice);
            if dice.throw(2) == 0 {
                gateway.reload();
            }
            let started = now();
            while started.elapsed() < Duration::from_millis(dice.throw(700)) {
                std::thread::yield_now();
            }
            if also.path != damaged.path {
                damage(&also.path, &mut dice);
            }
            // A power cut: nothing is drained, nothing is flushed.
            gateway.kill();
            gateway = gateway.restart();
            assert_as_strict(&gateway, &format!("restart {turn}"));
            damaged.restore();
            also.restore();
            if dice.throw(3) > 0 {
                gateway.reload();
                until_whole(&gateway);
            }
            is_over.store(true, Ordering::Relaxed);
            (gateway, prober.join().unwrap())
        });
        gateway = back;
        assert!(through.is_empty(), "restart {turn}: let through {through:?}\n{}", gateway.log());
    }
    eprintln!("{restarts} restarts, {} answers", asked.load(Ordering::Relaxed));
    assert!(asked.load(Ordering::Relaxed) > restarts);
}
