//! Judgement of figures, and answers of every kind.

use proptest::prelude::*;

use super::answer::readings as by_gateway;
use super::*;
use crate::publish::series::answer::{self, AnswerError};
use crate::release::rollout::{FORMAT, Ring};

const NOW: u64 = 1000;
const LIMITS: WatchLimits = WatchLimits { gateways: 5, ratio: 0.05, apart: 0.25, jump: 0.1 };

fn gateway(number: usize) -> WatchedGateway {
    WatchedGateway { school: format!("s{number}"), instance: format!("10.0.0.{number}:9153") }
}

/// Release 8 after 7: the first `due` schools by name, the others at a later time.
fn rollout(due: usize) -> Rollout {
    let ring = |name: &str, from, schools, percent| Ring {
        name: name.into(),
        from,
        schools,
        percent,
        program: None,
    };
    let first = (0..due).map(|number| gateway(number).school).collect();
    let rings = vec![ring("lab", 100, first, 0), ring("all", NOW + 100, vec![], 100)];
    Rollout { format: FORMAT, release: 8, previous: 7, halt: false, back: false, rings }
}

fn readings(values: &[f64]) -> Readings {
    values.iter().enumerate().map(|(number, value)| (gateway(number), *value)).collect()
}

/// Answers of gateways with these releases, of which nothing is wrong.
fn healthy(releases: &[f64]) -> WatchAnswers {
    let all = |value: f64| readings(&vec![value; releases.len()]);
    BTreeMap::from([
        (WatchQuestion::Release, readings(releases)),
        (WatchQuestion::Heard, readings(releases)),
        (WatchQuestion::Refused, all(0.0)),
        (WatchQuestion::RefusedBefore, all(0.0)),
        (WatchQuestion::Blocked, all(0.2)),
        (WatchQuestion::BlockedBefore, all(0.2)),
    ])
}

fn verdicts(due: usize, answers: &WatchAnswers) -> Vec<FigureVerdict> {
    judge(&rollout(due), answers, &LIMITS, NOW).iter().map(|figure| figure.verdict).collect()
}

/// Five gateways with the release, five without.
const HALF: [f64; 10] = [8.0, 8.0, 8.0, 8.0, 8.0, 7.0, 7.0, 7.0, 7.0, 7.0];

use FigureVerdict::{Fine, Halt, TooFew, Unread};

#[test]
fn what_is_well_goes_on_and_what_is_small_is_not_judged() {
    assert_eq!(verdicts(5, &healthy(&HALF)), [Fine; 3]);
    assert_eq!(verdicts(4, &healthy(&HALF[1..5])), [TooFew; 3]);
    // All have it: nothing is left to compare with.
    assert_eq!(verdicts(5, &healthy(&HALF[..5])), [Fine, TooFew, TooFew]);
    assert_eq!(verdicts(5, &WatchAnswers::new()), [Unread; 3]);
}

#[test]
fn refusals_count_where_the_release_is_due_and_began_with_it() {
    let mut answers = healthy(&[8.0, 8.0, 8.0, 8.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0]);
    let mut refuse = |question, number| {
        answers.get_mut(&question).unwrap().insert(gateway(number), 1.0);
        verdicts(6, &answers)[0]
    };
    // A gateway whose ring is still to come refused something else.
    assert_eq!(refuse(WatchQuestion::Refused, 9), TooFew);
    // One of five that tried it.
    assert_eq!(refuse(WatchQuestion::Refused, 4), Halt);
    // It did so already before the rollout.
    assert_eq!(refuse(WatchQuestion::RefusedBefore, 4), TooFew);
    // A gateway that has the release now refused it once, and took it then.
    assert_eq!(refuse(WatchQuestion::Refused, 0), TooFew);
    assert_eq!(refuse(WatchQuestion::Refused, 5), Halt);
}

#[test]
fn silence_and_jumps_halt_where_the_others_have_less_of_them() {
    let mut answers = healthy(&HALF);
    let silent = |answers: &mut WatchAnswers, numbers: &[usize]| {
        for number in numbers {
            answers.get_mut(&WatchQuestion::Heard).unwrap().remove(&gateway(*number));
        }
        verdicts(5, answers)[1]
    };
    assert_eq!(silent(&mut answers, &[0]), Fine);
    assert_eq!(silent(&mut answers, &[1]), Halt);
    // A power cut of the province is nobody's release.
    assert_eq!(silent(&mut answers, &[5, 6]), Fine);
    let mut answers = healthy(&HALF);
    let jump = |answers: &mut WatchAnswers, number, share| {
        answers.get_mut(&WatchQuestion::Blocked).unwrap().insert(gateway(number), share);
        verdicts(5, answers)[2]
    };
    assert_eq!(jump(&mut answers, 0, 0.5), Fine);
    assert_eq!(jump(&mut answers, 1, 0.25), Fine, "less than the jump that counts");
    assert_eq!(jump(&mut answers, 1, 0.0), Halt, "a list that is gone jumps too");
    assert_eq!((jump(&mut answers, 7, 0.5), jump(&mut answers, 8, 0.5)), (Fine, Fine));
}

#[test]
fn questions_name_metrics_that_gateways_have() {
    let reference = include_str!("../../../docs/reference/metrics.md");
    let programs = BTreeSet::from(["0.2.0-1"]);
    for question in WatchQuestion::ALL {
        for age in [0, 1, 86_400, u64::MAX] {
            let text = question.text(age, &programs);
            let names = text.split(|one: char| !(one.is_ascii_alphanumeric() || one == '_'));
            let mut names = names.filter(|name| name.starts_with("lachan_")).peekable();
            assert!(names.peek().is_some(), "{text}");
            for name in names {
                assert!(reference.contains(&format!("| `{name}` |")), "{name}");
            }
        }
    }
    assert_eq!(
        WatchQuestion::Refused.text(7200, &BTreeSet::new()),
        "sum by (school, instance) (increase(lachan_update_rejected_total\
         {reason=~\"digest|policy|rehearsal|selftest|died\"}[7200s]))"
    );
}

/// A program is judged by its version, which gateways name: one refusal in a ring of one is enough, and what
/// refused another version is not asked for.
#[test]
fn a_program_that_the_first_ring_refuses_is_halted_there() {
    let mut rollout = rollout(1);
    let mut answers = healthy(&HALF);
    answers.insert(WatchQuestion::Program, Readings::from([(gateway(0), 2.0)]));
    let program = |rollout: &Rollout, answers: &WatchAnswers| {
        let figures = judge(rollout, answers, &LIMITS, NOW);
        let found = figures.iter().find(|one| one.figure == FigureKind::Program);
        found.map(|one| (one.verdict, one.new.bad, one.new.of))
    };
    assert_eq!(program(&rollout, &answers), None, "none is chosen");
    rollout.rings[0].program = Some("0.2.0-1".into());
    assert_eq!(program(&rollout, &answers), Some((Halt, 1, 1)));
    // Nineteen of twenty run it.
    let mut most = readings(&[1.0; 21]);
    most.insert(gateway(3), 2.0);
    answers.insert(WatchQuestion::Program, most);
    assert_eq!(program(&rollout, &answers), Some((Fine, 1, 21)));
    answers.remove(&WatchQuestion::Program);
    assert_eq!(program(&rollout, &answers), Some((Unread, 0, 0)));
    let text = WatchQuestion::Program.text(7200, &rollout.programs());
    assert!(text.contains("version=~\"0[.]2[.]0-1\""), "{text}");
}

/// The readings of an answer.
fn read(octets: &[u8], now: u64) -> Result<Readings, AnswerError> {
    by_gateway(answer::read(octets, now)?)
}

fn answer(result: &str) -> Result<Readings, AnswerError> {
    let text =
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#);
    read(text.as_bytes(), NOW)
}

#[test]
fn odd_answers_are_no_answers() {
    let row = |at: f64, value: &str| {
        format!(r#"{{"metric":{{"school":"s","instance":"i"}},"value":[{at},"{value}"]}}"#)
    };
    assert_eq!(answer(&row(1000.2, "8")).unwrap().into_values().collect::<Vec<_>>(), [8.0]);
    assert_eq!(answer(""), Ok(Readings::new()));
    for nothing in ["NaN", "+Inf", "-Inf"] {
        assert_eq!(answer(&row(1000.0, nothing)), Ok(Readings::new()), "{nothing}");
    }
    assert_eq!(answer(&row(5000.0, "8")), Err(AnswerError::OtherTime(4000.0)));
    assert!(matches!(answer(&row(1000.0, "eight")), Err(AnswerError::Malformed(_))));
    let without = r#"{"metric":{"school":"s"},"value":[1000,"1"]}"#;
    assert!(matches!(answer(without), Err(AnswerError::Malformed(_))));
    for text in [
        "",
        "<html>log in</html>",
        "[]",
        r#"{"status":"success"}"#,
        r#"{"status":"success","data":{"resultType":"scalar","result":[1000,"1"]}}"#,
        r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
    ] {
        assert!(matches!(read(text.as_bytes(), NOW), Err(AnswerError::Malformed(_))), "{text}");
    }
    let vector = r#""data":{"resultType":"vector","result":[]}"#;
    let partial = format!(r#"{{"status":"success","isPartial":true,{vector}}}"#);
    assert!(matches!(read(partial.as_bytes(), NOW), Err(AnswerError::Partial(_))));
    let warned = format!(r#"{{"status":"success","warnings":["a store is away"],{vector}}}"#);
    assert_eq!(read(warned.as_bytes(), NOW), Err(AnswerError::Partial("a store is away".into())));
    let failed = br#"{"status":"error","errorType":"timeout","error":"too\nlate"}"#;
    assert_eq!(read(failed, NOW), Err(AnswerError::Failed("toolate".into())));
}

/// Any value of any gateway of a few.
fn some_readings() -> impl Strategy<Value = Readings> {
    let value = prop_oneof![Just(7.0), Just(8.0), Just(0.0), any::<f64>()];
    proptest::collection::btree_map((0..12_usize).prop_map(gateway), value, 0..12)
}

fn some_answers() -> impl Strategy<Value = WatchAnswers> {
    let question = proptest::sample::select(WatchQuestion::ALL.to_vec());
    proptest::collection::btree_map(question, some_readings(), 0..=6)
}

proptest! {
    #[test]
    fn no_figure_halts_without_enough_gateways(
        answers in some_answers(),
        gateways in 1..14_usize,
        due in 0..12_usize,
        limit in 0.0..1.0_f64,
    ) {
        let limits = WatchLimits { gateways, ratio: limit, apart: limit, jump: limit };
        for figure in judge(&rollout(due), &answers, &limits, NOW) {
            let known = answers.get(&WatchQuestion::Release).map_or(0, BTreeMap::len);
            prop_assert!(figure.new.of + figure.others.unwrap_or_default().of <= known);
            if figure.verdict == Halt {
                prop_assert!(figure.new.of >= gateways && figure.new.bad > 0);
                prop_assert!(figure.others.is_none_or(|others| others.of >= gateways));
            }
        }
    }

    #[test]
    fn no_text_of_a_server_panics(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&octets, NOW);
    }

    #[test]
    fn every_value_that_is_read_is_finite(value in "[-+]?[0-9a-zA-Z.]{0,12}", at in any::<i32>()) {
        let row = format!(r#"{{"metric":{{"instance":"i"}},"value":[{at},"{value}"]}}"#);
        if let Ok(readings) = answer(&row) {
            prop_assert!(readings.values().all(|value| value.is_finite()));
        }
    }
}
