use super::*;
use crate::dns::message::answer::{Answer, Form, TtlLimits};
use crate::dns::name::Name;
use crate::dns::route::UpstreamId;

const UNDER: PolicyEpoch = PolicyEpoch { generation: 1, group: GroupId(0), interval: 0 };

/// A query for the A records of `name`.
fn asked(name: &str) -> Vec<u8> {
    let name = Name::from_text(name).unwrap();
    let head: &[u8] = &[0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    [head, name.as_wire(), &[0, 1, 0, 1]].concat()
}

/// An answer of so many addresses, that came at second 10.
fn answer(name: &str, addresses: u8, ttl: u32) -> Arc<Entry> {
    let query = asked(name);
    let mut message = query.clone();
    message[2] |= 0x80;
    message[7] = addresses;
    for last in 0..addresses {
        message.extend([0xc0, 12, 0, 1, 0, 1]);
        message.extend(ttl.to_be_bytes());
        message.extend([0, 4, 192, 0, 2, last]);
    }
    let query = Query::parse(&query).unwrap();
    let question = query.question(Name::from_text(name).unwrap(), UpstreamId::MAIN);
    let limits = TtlLimits { min: 0, max: 86_400, max_negative: 900 };
    Arc::new(Entry::new(Answer::take(&message, &question, &limits).unwrap(), 10))
}

fn outcome() -> Outcome {
    Outcome::plain(Rcode::NOERROR, AnswerSource::Cache)
}

fn put(near: &mut ReplyCache, octets: &[u8], entry: &Arc<Entry>) {
    let query = Query::parse(octets).unwrap();
    let said = Admission { under: UNDER, outcome: outcome(), until: u64::MAX };
    let mut name = Folded::ROOT;
    query.fold_into(&mut name).unwrap();
    near.put(near.probe(octets), (&query, &name), said, entry, 10);
}

fn has(near: &mut ReplyCache, octets: &[u8], under: PolicyEpoch, now: u64) -> bool {
    let Ok(query) = Query::parse(octets) else { return false };
    near.get(near.probe(octets), &query, under, now).is_some()
}

#[test]
fn what_is_put_in_is_there_in_any_case_of_letters_until_nine_tenths_are_over() {
    let mut near = ReplyCache::new(7);
    let quiet = asked("www.example");
    put(&mut near, &quiet, &answer("www.example", 1, 100));
    let shouted = quiet.iter().enumerate();
    let shouted: Vec<u8> =
        shouted.map(|(n, o)| if n > 12 { o.to_ascii_uppercase() } else { *o }).collect();
    for octets in [&quiet, &shouted] {
        assert!(near.prefetch(near.probe(octets)));
        assert!(has(&mut near, octets, UNDER, 99));
        assert!(!has(&mut near, octets, UNDER, 100), "the cache must see who asks now");
    }
}

#[test]
fn a_reply_is_for_one_policy_one_group_and_one_stretch_of_time() {
    let mut near = ReplyCache::new(7);
    let octets = asked("www.example");
    put(&mut near, &octets, &answer("www.example", 1, 100));
    let others = [
        PolicyEpoch { generation: 2, ..UNDER },
        PolicyEpoch { group: GroupId(1), ..UNDER },
        PolicyEpoch { interval: 1, ..UNDER },
    ];
    for under in others {
        assert!(!has(&mut near, &octets, under, 11), "{under:?}");
    }
    assert!(has(&mut near, &octets, UNDER, 11));
}

#[test]
fn short_and_long_answers_go_out_as_the_cache_has_them() {
    let mut near = ReplyCache::new(7);
    for addresses in 0..40 {
        let name = format!("n{addresses}.example");
        let (octets, entry) = (asked(&name), answer(&name, addresses, 100));
        put(&mut near, &octets, &entry);
        let query = Query::parse(&octets).unwrap();
        let ready = near.get(near.probe(&octets), &query, UNDER, 30);
        if entry.lifetime() == 0 {
            assert!(ready.is_none());
            continue;
        }
        let ready = ready.unwrap();
        assert_eq!((ready.age, ready.outcome), (20, outcome()));
        let (mut one, mut other) = ([0; 1024], [0; 1024]);
        let (form, limit) = (Form::aged(20), 700);
        let length = ready.body.write(&query, form, limit, &mut one);
        assert_eq!(length, entry.answer.write(&query, form, limit, &mut other));
        assert_eq!(one, other);
    }
}

#[test]
fn another_name_type_or_bit_is_another_question() {
    let mut near = ReplyCache::new(7);
    let octets = asked("w_w.example");
    put(&mut near, &octets, &answer("w_w.example", 1, 100));
    let with = |at: usize, bits: u8| {
        let mut other = octets.clone();
        other[at] ^= bits;
        other
    };
    let others = [
        asked("ww.example"),
        asked("w_w.exampl"),
        with(octets.len() - 3, 0x1d),
        // CD, and no RD.
        with(3, 0x10),
        with(2, 1),
        // An octet that differs from another only in the bit that is a letter's case.
        with(HEADER + 2, 0x20),
        with(HEADER + 2, b'_' ^ 0x7f),
    ];
    for other in &others {
        assert!(!has(&mut near, other, UNDER, 11), "{other:?}");
    }
    assert!(has(&mut near, &octets, UNDER, 11));
}

#[test]
fn names_asked_for_once_do_not_push_out_those_in_use() {
    let mut near = ReplyCache::new(7);
    let used: Vec<Vec<u8>> = (0..1000).map(|n| asked(&format!("used{n}.example"))).collect();
    for (number, octets) in used.iter().enumerate() {
        put(&mut near, octets, &answer(&format!("used{number}.example"), 1, 100));
        assert!(has(&mut near, octets, UNDER, 11));
    }
    for number in 0..4 * SETS * WAYS {
        let name = format!("n{number}.example");
        put(&mut near, &asked(&name), &answer("www.example", 1, 100));
    }
    let left = used.iter().filter(|octets| has(&mut near, octets, UNDER, 11)).count();
    assert!(left > 950, "{left}");
    let full = near.sets.iter().filter(|set| !set.tags.contains(&0)).count();
    assert!(full > SETS * 9 / 10, "{full}");
}

#[test]
fn octets_that_are_no_question_are_nothing() {
    let near = ReplyCache::new(7);
    for octets in [&[][..], &[0; 12], &[1; 20], &[63; 40]] {
        near.prefetch(near.probe(octets));
    }
}

#[test]
fn a_short_reply_takes_two_lines_of_memory() {
    assert_eq!(size_of::<Slot>(), 256);
    assert!(std::mem::offset_of!(Slot, octets) <= 80);
}

#[test]
fn an_answer_that_another_worker_has_from_the_next_second_keeps_its_time() {
    let mut near = ReplyCache::new(7);
    let octets = asked("www.example");
    let query = Query::parse(&octets).unwrap();
    let said = Admission { under: UNDER, outcome: outcome(), until: u64::MAX };
    let name = Folded::from_name(&Name::from_text("www.example").unwrap());
    // It came at 10; this worker read its clock at 9.
    near.put(near.probe(&octets), (&query, &name), said, &answer("www.example", 1, 100), 9);
    for (now, age) in [(9, 0), (10, 0), (12, 2)] {
        let ready = near.get(near.probe(&octets), &query, UNDER, now);
        assert_eq!(ready.map(|ready| ready.age), Some(age));
    }
}
