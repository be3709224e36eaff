use super::*;
use crate::dns::message::answer::TtlLimits;
use crate::dns::message::{Question, Rcode};
use crate::dns::name::Name;
use proptest::prelude::*;

pub(super) fn octets(name: &str) -> Vec<u8> {
    let name = Name::from_text(name).unwrap();
    let head = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    [head.as_slice(), name.as_wire(), &[0, 1, 0, 1]].concat()
}

fn key(name: &str) -> CacheKey {
    let folded = Folded::from_name(&Name::from_text(name).unwrap());
    CacheKey::new(Route::Plain, &Query::parse(&octets(name)).unwrap(), &folded)
}

pub(super) fn answer(name: &str, ttl: u32) -> Answer {
    let mut message = octets(name);
    message[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1]);
    message.extend([0xc0, 12, 0, 1, 0, 1]);
    message.extend(ttl.to_be_bytes());
    message.extend([0, 4, 192, 0, 2, 1]);
    let name = Name::from_text(name).unwrap();
    let question = Question {
        name,
        qtype: 1,
        dnssec_ok: false,
        checking_disabled: false,
        upstream: UpstreamId::MAIN,
    };
    let limits = TtlLimits { min: 0, max: 86_400, max_negative: 10_800 };
    Answer::take(&message, &question, &limits).unwrap()
}

/// Upstream says that it failed.
fn fail(cache: &AnswerCache, name: &str, now: u64) {
    let why = (asked(now), FailureCause::Answered);
    cache.insert_failure(&key(name), Answer::failure(Rcode::SERVFAIL), why, now);
}

/// Nobody answers a question that was sent `now`.
fn silence(cache: &AnswerCache, name: &str, now: u64) {
    let why = (asked(now), FailureCause::Silence);
    cache.insert_failure(&key(name), Answer::failure(Rcode::SERVFAIL), why, now + 2);
}

/// A question that is sent in this second.
fn asked(second: u64) -> AskedAt {
    AskedAt { at: second * 1_000_000, upstream: UpstreamId::MAIN }
}

/// Puts the answer to a question of this second in.
fn learn(cache: &AnswerCache, name: &str, ttl: u32, second: u64) {
    cache.note_answer(asked(second));
    cache.insert(&key(name), Entry::new(answer(name, ttl), second).to(asked(second)));
}

const RULES: RetentionRules =
    RetentionRules { stale: 1000, prefetch: true, failure: 1, max_failure: 30 };

fn id(found: &CacheLookup) -> &'static str {
    match found {
        CacheLookup::Fresh(_) => "fresh",
        CacheLookup::Due(_) => "due",
        CacheLookup::Expired(_) => "expired",
        CacheLookup::Stale(_) => "stale",
        CacheLookup::Failed(_) => "failed",
        CacheLookup::Nothing => "nothing",
    }
}

fn found(cache: &AnswerCache, name: &str, now: u64) -> &'static str {
    id(&cache.find(&key(name), now))
}

#[test]
fn an_answer_is_fresh_then_due_once_then_expired_then_gone() {
    let cache = AnswerCache::with_rules(1 << 20, RULES);
    cache.insert(&key("a.example"), Entry::new(answer("a.example", 100), 10));
    assert_eq!(found(&cache, "a.example", 10), "fresh");
    assert_eq!(found(&cache, "a.example", 99), "fresh");
    // The last tenth of the TTL: one query is to refresh it, the others get it as it is.
    assert_eq!(found(&cache, "a.example", 100), "due");
    assert_eq!(found(&cache, "a.example", 101), "fresh");
    // The refresh lease has ended: another query may refresh it.
    assert_eq!(found(&cache, "a.example", 104), "due");
    assert_eq!(found(&cache, "a.example", 110), "expired");
    assert_eq!(found(&cache, "a.example", 1109), "expired");
    assert_eq!(found(&cache, "a.example", 1110), "nothing");
}

#[test]
fn a_name_that_nobody_asked_for_twice_is_not_fetched_anew() {
    let cache = AnswerCache::with_rules(1 << 20, RULES);
    cache.insert(&key("a.example"), Entry::new(answer("a.example", 100), 10));
    assert_eq!(found(&cache, "a.example", 105), "fresh");
    // It was asked for twice.
    assert_eq!(found(&cache, "a.example", 106), "due");
    let rules = RetentionRules { prefetch: false, ..RULES };
    let cache = AnswerCache::with_rules(1 << 20, rules);
    cache.insert(&key("a.example"), Entry::new(answer("a.example", 100), 10));
    assert_eq!([105, 106].map(|now| found(&cache, "a.example", now)), ["fresh", "fresh"]);
}

#[test]
fn a_failure_does_not_take_the_place_of_what_can_go_out_stale() {
    let cache = AnswerCache::with_rules(1 << 20, RULES);
    cache.insert(&key("a.example"), Entry::new(answer("a.example", 5), 10));
    assert_eq!(found(&cache, "a.example", 20), "expired");
    fail(&cache, "a.example", 20);
    // The failure lasts half a minute.
    assert_eq!(found(&cache, "a.example", 49), "stale");
    assert_eq!(found(&cache, "a.example", 50), "expired");
    // An answer ends the failure.
    cache.insert(&key("a.example"), Entry::new(answer("a.example", 5), 50));
    assert_eq!(found(&cache, "a.example", 51), "fresh");
    // Too old to be sent.
    fail(&cache, "a.example", 2000);
    assert_eq!(found(&cache, "a.example", 2000), "failed");
}

#[test]
fn failures_last_twice_as_long_each_time_and_no_longer_than_the_most() {
    let cache = AnswerCache::with_rules(1 << 20, RULES);
    let mut now = 10;
    let mut lasted = Vec::new();
    for _ in 0..8 {
        fail(&cache, "a.example", now);
        // Queries that waited together count as one failure.
        fail(&cache, "a.example", now);
        let last =
            (now..now + 99).take_while(|&at| found(&cache, "a.example", at) == "failed").last();
        lasted.push(last.unwrap() - now);
        now = last.unwrap() + 2;
    }
    assert_eq!(lasted, [1, 2, 4, 8, 16, 30, 30, 30]);
    // After a while without a failure the first one is short again.
    now += 100;
    fail(&cache, "a.example", now);
    assert_eq!(found(&cache, "a.example", now + 2), "nothing");
}

#[test]
fn without_stale_an_answer_is_gone_with_its_ttl() {
    let cache = AnswerCache::with_rules(1 << 20, RetentionRules { stale: 0, ..RULES });
    cache.insert(&key("a.example"), Entry::new(answer("a.example", 5), 10));
    assert_eq!(found(&cache, "a.example", 15), "nothing");
    fail(&cache, "a.example", 15);
    assert_eq!(found(&cache, "a.example", 15), "failed");
}

#[test]
fn an_answer_that_may_not_be_stored_takes_the_place_of_the_older_one() {
    let cache = AnswerCache::with_rules(1 << 20, RULES);
    learn(&cache, "a.example", 5, 10);
    learn(&cache, "a.example", 0, 20);
    assert_eq!(found(&cache, "a.example", 20), "nothing");
    // Nor does it come back behind a failure, or with an answer from before.
    fail(&cache, "a.example", 21);
    assert_eq!(found(&cache, "a.example", 21), "failed");
    learn(&cache, "a.example", 5, 19);
    assert_eq!([21, 23].map(|now| found(&cache, "a.example", now)), ["failed", "nothing"]);
    learn(&cache, "a.example", 5, 23);
    assert_eq!(found(&cache, "a.example", 24), "fresh");
}

#[test]
fn an_empty_noerror_without_soa_is_no_word() {
    let cache = AnswerCache::with_rules(1 << 20, RULES);
    learn(&cache, "a.example", 5, 10);
    let empty = Entry::new(Answer::failure(Rcode::NOERROR), 20).to(asked(20));
    cache.insert(&key("a.example"), empty);
    assert_eq!(found(&cache, "a.example", 20), "expired");
    let missing = Entry::new(Answer::failure(Rcode::NXDOMAIN), 21).to(asked(21));
    cache.insert(&key("a.example"), missing);
    assert_eq!(found(&cache, "a.example", 21), "nothing");
}

#[test]
fn what_is_taken_back_under_other_bits_does_not_go_out_stale() {
    let cache = AnswerCache::with_rules(1 << 20, RULES);
    learn(&cache, "a.example", 5, 10);
    let [checked, ..] = key("a.example").siblings();
    cache.insert(&checked, Entry::new(answer("a.example", 0), 12).to(asked(12)));
    assert_eq!([14, 15].map(|now| found(&cache, "a.example", now)), ["fresh", "nothing"]);
    learn(&cache, "a.example", 5, 16);
    assert_eq!(found(&cache, "a.example", 30), "expired");
}

#[test]
fn failures_of_an_outage_end_with_it() {
    let cache = AnswerCache::with_rules(1 << 20, RULES);
    learn(&cache, "old.example", 5, 1);
    learn(&cache, "other.example", 300, 9);
    for (name, second) in [("a.example", 10), ("b.example", 10), ("old.example", 11)] {
        silence(&cache, name, second);
    }
    // At least a second each (RFC 9520); then one of them is asked again.
    let states = |now| ["a.example", "b.example", "old.example"].map(|n| found(&cache, n, now));
    assert_eq!(states(13), ["failed", "failed", "stale"]);
    for second in [14, 18, 24, 34] {
        assert_eq!(found(&cache, "a.example", second), "nothing");
        silence(&cache, "a.example", second);
        silence(&cache, "b.example", second);
        silence(&cache, "old.example", second);
    }
    assert_eq!(states(37), ["failed", "failed", "stale"]);
    assert_eq!(states(38), ["nothing", "failed", "stale"]);
    cache.note_answer(asked(38));
    assert_eq!(states(38), ["nothing", "nothing", "expired"]);
    // What upstream says itself is believed, whatever it says of others.
    for second in [50, 52, 55, 60, 69] {
        fail(&cache, "a.example", second);
        cache.note_answer(asked(second + 1));
    }
    assert_eq!(found(&cache, "a.example", 80), "failed");
    // And so is the silence about one name, where others are answered.
    for second in [100, 102, 105, 110] {
        cache.note_answer(asked(second + 1));
        silence(&cache, "b.example", second);
    }
    assert_eq!(found(&cache, "b.example", 118), "failed");
}

proptest! {
    /// Whatever answers come in whatever order, what is found is of the latest question that
    /// upstream answered, or nothing is.
    #[test]
    fn what_is_found_is_never_older_than_the_last_word(
        answers in proptest::collection::vec((0..20_u64, 0..3_u32, 0..4_u8), 1..12),
    ) {
        let cache = AnswerCache::with_rules(1 << 20, RULES);
        let mut last = 0;
        for (second, ttl, kind) in answers {
            let said = match kind {
                0 => { fail(&cache, "a.example", second); continue }
                1 => { silence(&cache, "a.example", second); continue }
                _ => answer("a.example", ttl),
            };
            cache.insert(&key("a.example"), Entry::new(said, 30).to(asked(second)));
            last = last.max(second);
        }
        for now in [30, 31, 33, 40, 100] {
            if let CacheLookup::Fresh(entry) | CacheLookup::Due(entry)
                | CacheLookup::Expired(entry) | CacheLookup::Stale(entry)
                = cache.find(&key("a.example"), now)
            {
                prop_assert_eq!(entry.word(), asked(last).at);
            }
        }
    }
}

#[test]
fn the_bound_holds_whatever_is_put_in() {
    let cache = AnswerCache::with_rules(64 << 10, RULES);
    for number in 0..5000 {
        let name = format!("n{number}.example");
        cache.insert(&key(&name), Entry::new(answer(&name, 300), 1));
        fail(&cache, &format!("f{number}.example"), 1);
        assert!(cache.octets() <= 64 << 10, "{}", cache.octets());
    }
    assert!(cache.len() > 50, "{}", cache.len());
}

/// Concurrent readers see whole answers of their own name, and a refresh is due for exactly one of
/// them.
#[test]
fn threads_beside_each_other_see_whole_answers() {
    let cache = AnswerCache::with_rules(256 << 10, RULES);
    let names: Vec<String> = (0..64).map(|number| format!("n{number}.example")).collect();
    for name in &names {
        cache.insert(&key(name), Entry::new(answer(name, 1000), 0));
        assert_eq!(found(&cache, name, 0), "fresh");
    }
    let due: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope
                    .spawn(|| names.iter().filter(|name| found(&cache, name, 950) == "due").count())
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(due, names.len());
    std::thread::scope(|scope| {
        for seed in 0..3_usize {
            let (cache, names) = (&cache, &names);
            scope.spawn(move || {
                for turn in 0..3000 {
                    let name = &names[(turn * 7 + seed) % names.len()];
                    match turn % 5 {
                        0 => cache.insert(&key(name), Entry::new(answer(name, 50), turn as u64)),
                        1 => fail(cache, name, turn as u64),
                        _ => {
                            let query = octets(name);
                            let query = Query::parse(&query).unwrap();
                            let (CacheLookup::Fresh(entry)
                            | CacheLookup::Due(entry)
                            | CacheLookup::Stale(entry)) = cache.find(&key(name), turn as u64)
                            else {
                                continue;
                            };
                            let mut out = [0; 512];
                            let form = crate::dns::message::answer::Form::aged(0);
                            let length = entry.answer.write(&query, form, 512, &mut out).unwrap();
                            assert!(out[..length].ends_with(&[0, 4, 192, 0, 2, 1]));
                        }
                    }
                }
            });
        }
    });
}
