//! Upstream servers with the habits of real ones: case, EDNS, codes, TCP, silence, restarts.

use std::time::Duration;

use crate::kit::upstream::answer::Answer;
use crate::kit::upstream::habits::{Edns, Forged, Habits, Tcp, Udp};
use crate::kit::upstream::{Scripted, Transport};
use crate::support::{Ask, Gateway, eventually, now};

/// A gateway with these servers, and more keys of `[upstream]`.
fn gateway(servers: &[&Scripted], keys: &str) -> Gateway {
    let servers: Vec<_> =
        servers.iter().map(|server| format!("\"{}\"", server.url("udp"))).collect();
    gateway_of(&servers.join(", "), keys)
}

fn gateway_of(servers: &str, keys: &str) -> Gateway {
    Gateway::plan(&format!(
        "[listen]\ndns = [\"127.0.0.1:{{dns}}\"]\n[admin]\nlisten = \"127.0.0.1:{{admin}}\"\n\
         [lists]\nstarter = false\n[upstream]\nservers = [{servers}]\n{keys}\n"
    ))
    .start()
}

fn ask(name: &str, gateway: &Gateway) -> (String, Vec<String>) {
    let answer = Ask::new(name, "A").limit(Duration::from_secs(6)).expect(gateway.dns);
    (answer.rcode(), answer.answers())
}

fn address() -> (String, Vec<String>) {
    ("NOERROR".into(), vec!["A 192.0.2.1".into()])
}

#[test]
fn a_server_that_folds_letters_and_has_no_tcp_answers_from_the_first_question_on() {
    let server = Habits::new().folds_case().tcp(Tcp::None).start();
    let gateway = gateway(&[&server], "");
    for number in 0..8 {
        assert_eq!(
            ask(&format!("wwwwwwwwww{number}.example.com"), &gateway),
            address(),
            "{number}"
        );
    }
    // It is learnt: one query for each question.
    assert_eq!(server.queries_for("wwwwwwwwww7.example.com").len(), 1);
}

#[test]
fn a_server_that_compares_octets_is_asked_again_in_lower_case() {
    for said in [
        Answer::nxdomain("example.com"),
        Answer::nodata("example.com"),
        Answer::rcode(5),
        Answer::rcode(2),
        Answer::rcode(9),
        Answer::empty(),
    ] {
        for tcp in [Tcp::Open, Tcp::None] {
            let habits = Habits::new().compares_case(&["example.com"], said.clone()).tcp(tcp);
            let server = habits.start();
            let gateway = gateway(&[&server], "");
            for number in 0..4 {
                let name = format!("wwwwwwwwwwwwwww{number}.example.com");
                assert_eq!(ask(&name, &gateway), address(), "{said:?} {tcp:?} {number}");
            }
            for number in 0..4 {
                assert_eq!(ask(&format!("{number}.com"), &gateway), address(), "{said:?} {tcp:?}");
            }
            // Other zones of the same server keep their random letters.
            assert_eq!(ask("abcdefghijklmnopqrstuvwxyz.other.net", &gateway), address());
            let others = server.queries_for("abcdefghijklmnopqrstuvwxyz.other.net");
            assert!(others[0].is_mixed_case(), "{said:?} {tcp:?}");
        }
    }
}

#[test]
fn a_server_that_drops_mixed_case_is_asked_over_tcp_or_in_lower_case() {
    for tcp in [Tcp::Open, Tcp::None] {
        let server = Habits::new().compares_case(&[], Answer::silence()).tcp(tcp).start();
        let gateway = gateway(&[&server], "");
        for number in 0..4 {
            let name = format!("wwwwwwwwwwwwwww{number}.example.com");
            assert_eq!(ask(&name, &gateway), address(), "{tcp:?} {number}");
        }
        assert_eq!(server.queries_for("wwwwwwwwwwwwwww3.example.com").len(), 1, "{tcp:?}");
    }
}

#[test]
fn case_randomisation_is_a_key_of_all_of_a_server_and_of_a_zone() {
    let first = Habits::new().always(Answer::silence()).start();
    let (second, zone) = (Habits::new().start(), Habits::new().start());
    let servers = format!(
        "\"{}\", {{ server = \"{}\", case_randomisation = false }}",
        first.url("udp"),
        second.url("udp")
    );
    let forward = format!(
        "[[forward]]\nzone = \"school.local\"\nservers = [\"{}\"]\ncase_randomisation = false\n",
        zone.url("udp")
    );
    let both = gateway_of(&servers, &forward);
    let name = "abcdefghijklmnopqrstuvwxyz.example.com";
    assert_eq!(ask(name, &both), address());
    assert!(first.queries_for(name)[0].is_mixed_case());
    assert!(!second.queries_for(name)[0].is_mixed_case());
    let name = "abcdefghijklmnopqrstuvwxyz.school.local";
    assert_eq!(ask(name, &both).0, "NOERROR");
    assert!(!zone.queries_for(name)[0].is_mixed_case());
    let gateway = gateway(&[&zone], "case_randomisation = false");
    let name = "abcdefghijklmnopqrstuvwxyz.example.net";
    assert_eq!(ask(name, &gateway), address());
    assert!(!zone.queries_for(name)[0].is_mixed_case());
}

#[test]
fn negative_answers_of_a_good_server_cost_two_in_a_hundred_more() {
    let server = Habits::new().below("gone.example", Answer::nxdomain("gone.example")).start();
    let gateway = gateway(&[&server], "");
    for number in 0..600 {
        let (rcode, _) = ask(&format!("abcdefghijk{number}.gone.example"), &gateway);
        assert_eq!(rcode, "NXDOMAIN");
    }
    let queries = server.queries();
    let second = queries.iter().filter(|query| !query.is_mixed_case()).count();
    assert!((8..=8 + 12).contains(&second), "{second} of {}", queries.len());
    // A second opinion has an id of its own.
    assert!(queries.iter().all(|query| query.has_opt));
}

#[test]
fn letters_of_our_own_never_reach_a_client() {
    let answer = Answer::cname("AbCdEfGhIjKlM.CDN.Example").and_of(
        "AbCdEfGhIjKlM.CDN.Example",
        "A",
        "192.0.2.7",
    );
    let server = Habits::new().answer("abcdefghijklm.example", answer).start();
    let gateway = gateway(&[&server], "");
    for _ in 0..2 {
        let answer = Ask::new("abcdefghijklm.example", "A").expect(gateway.dns);
        let owner = answer.message.answers[0].name.to_ascii();
        assert_eq!(owner, "abcdefghijklm.example.");
    }
}

#[test]
fn edns_that_is_not_understood_is_left_out() {
    for edns in
        [Edns::Refused(1), Edns::Refused(4), Edns::RefusedWithOpt(16), Edns::Bare(1), Edns::Bare(4)]
    {
        let server = Habits::new().edns(edns).start();
        let gateway = gateway(&[&server], "");
        for number in 0..3 {
            let name = format!("www{number}.example.com");
            assert_eq!(ask(&name, &gateway), address(), "{edns:?}");
            let with = Ask::new(&format!("v{number}.example.com"), "A").edns(1232);
            let answer = with.expect(gateway.dns);
            assert_eq!((answer.rcode(), answer.has_opt()), ("NOERROR".into(), true), "{edns:?}");
        }
        // It is learnt: one query for a question, without OPT.
        let last = server.queries_for("v2.example.com");
        assert_eq!((last.len(), last[0].has_opt), (1, false), "{edns:?}");
    }
}

#[test]
fn a_forged_error_ends_no_wait_and_teaches_no_downgrade() {
    for code in [1, 2, 4, 5] {
        let server = Habits::new()
            .forges(&[Forged::Header(code), Forged::WrongId, Forged::WrongQuestion])
            .start();
        let gateway = gateway(&[&server], "");
        for number in 0..4 {
            let name = format!("abcdefghijkl{number}.example.com");
            assert_eq!(ask(&name, &gateway), address(), "{code}");
        }
        let first = |name: &str| server.queries_for(name)[0].clone();
        assert!(first("abcdefghijkl3.example.com").has_opt, "{code}");
    }
}

#[test]
fn a_reply_that_is_none_ends_no_wait() {
    for forged in [
        Forged::Opcode(5),
        Forged::Opcode(15),
        Forged::EmptyText,
        Forged::ShortRdata,
        Forged::Counts,
        Forged::Stub,
    ] {
        let server = Habits::new().forges(&[forged]).start();
        let gateway = gateway(&[&server], "");
        assert_eq!(ask("www.example.com", &gateway), address(), "{forged:?}");
    }
}

#[test]
fn a_broken_zone_is_found_behind_a_server_that_earned_trust() {
    for said in [Answer::nxdomain("example"), Answer::rcode(5), Answer::empty()] {
        let habits = Habits::new()
            .below("sound.example", Answer::nxdomain("example"))
            .compares_case(&["broken.example"], said.clone());
        let server = habits.start();
        let gateway = gateway(&[&server], "");
        for number in 0..12 {
            ask(&format!("abcdefghijkl{number}.sound.example"), &gateway);
        }
        for number in 0..4 {
            let name = format!("abcdefghijkl{number}.broken.example");
            assert_eq!(ask(&name, &gateway), address(), "{number}: {said:?}");
        }
    }
}

#[test]
fn a_chain_over_zones_takes_no_longer_than_one_question() {
    let slow = Habits::new().slow(Duration::from_millis(700));
    let world = slow.clone().start();
    let zone = slow.answer("mail.school.local", Answer::cname("mail.cloud.example")).start();
    let tables = format!(
        "timeout = \"1s\"\ndeadline = \"1s\"\n[[forward]]\nzone = \"school.local\"\n\
         servers = [\"{}\"]\n",
        zone.url("udp")
    );
    let gateway = gateway(&[&world], &tables);
    assert_eq!(ask("mail.school.local", &gateway), ("SERVFAIL".into(), Vec::new()));
    // The answer to the last link went to the cache.
    let both = ["A 192.0.2.1", "CNAME mail.cloud.example."].map(String::from).to_vec();
    let whole = ("NOERROR".to_owned(), both);
    eventually("the whole chain", || (ask("mail.school.local", &gateway) == whole).then_some(()));
}

#[test]
fn formerr_with_an_opt_is_no_sign_of_missing_edns() {
    let first = Habits::new().edns(Edns::RefusedWithOpt(1)).start();
    let second = Habits::new().start();
    let gateway = gateway(&[&first, &second], "");
    assert_eq!(ask("www.example.com", &gateway), address());
    assert!(first.queries().iter().all(|query| query.has_opt));
    assert_eq!(second.queries_for("www.example.com").len(), 1);
}

#[test]
fn a_server_that_does_not_serve_us_hides_no_other() {
    for said in [
        Answer::referral(),
        Answer::lame(),
        Answer::rcode(9),
        Answer::rcode(10),
        Answer::rcode(5),
        Answer::rcode(2),
        Answer::rcode(4),
        Answer::rcode(6),
        Answer::rcode(11),
        Answer::rcode(16),
        Answer::rcode(23),
        Answer::empty(),
        Answer::empty().and_of("other.example", "A", "192.0.2.66"),
    ] {
        let bad = Habits::new().always(said.clone()).start();
        let good = Habits::new().start();
        let gateway = gateway(&[&bad, &good], "");
        for number in 0..2 {
            assert_eq!(ask(&format!("www{number}.example.com"), &gateway), address(), "{said:?}");
        }
    }
}

#[test]
fn when_all_refuse_it_is_servfail_with_a_reason() {
    for said in [Answer::rcode(5), Answer::rcode(9), Answer::rcode(1), Answer::lame()] {
        let server = Habits::new().always(said.clone()).tcp(Tcp::None).start();
        let gateway = gateway(&[&server], "");
        let answer = Ask::new("www.example.com", "A").edns(1232).expect(gateway.dns);
        let ede = answer.ede().map(|(code, _)| code);
        assert_eq!((answer.rcode(), ede), ("SERVFAIL".into(), Some(22)), "{said:?}");
    }
}

#[test]
fn an_empty_answer_without_soa_is_believed_if_nobody_says_more() {
    let strips = || Habits::new().always(Answer::empty()).start();
    let (one, two) = (strips(), strips());
    let gateway = gateway(&[&one, &two], "");
    for number in 0..5 {
        let (rcode, answers) = ask(&format!("abcdefghij{number}.example.com"), &gateway);
        assert_eq!((rcode.as_str(), answers.len()), ("NOERROR", 0));
    }
    let up = |server: &Scripted| [("upstream", server.url("udp"))].map(|(k, v)| (k, v));
    for server in [&one, &two] {
        let [(key, url)] = up(server);
        gateway.expect_metric("lachan_upstream_up", &[(key, url.as_str())], 1.0);
    }
}

#[test]
fn what_is_truncated_goes_to_tcp_wherever_it_was_cut() {
    for udp in [Udp::Cuts(500), Udp::Cuts(60), Udp::Truncates] {
        let server = Habits::new().udp(udp).start();
        let gateway = gateway(&[&server], "");
        let answer = Ask::new("big40.example.com", "TXT").tcp().expect(gateway.dns);
        assert_eq!((answer.rcode(), answer.answers().len()), ("NOERROR".into(), 40), "{udp:?}");
        assert_eq!(ask("www.example.com", &gateway), address(), "{udp:?}");
    }
    let server = Habits::new().udp(Udp::Oversizes).start();
    let gateway = gateway(&[&server], "");
    let answer = Ask::new("big60.example.com", "TXT").tcp().expect(gateway.dns);
    assert_eq!(answer.answers().len(), 60);
}

#[test]
fn the_deadline_is_a_key_and_a_late_answer_is_kept() {
    let slow = Duration::from_millis(2500);
    let server = Habits::new().slow(slow).start();
    let patient = gateway(&[&server], "timeout = \"5s\"");
    assert_eq!(ask("a.example.com", &patient), address());
    // Without it the client hears of a failure; the answer comes for the next.
    let hasty = gateway(&[&server], "");
    assert_eq!(ask("b.example.com", &hasty).0, "SERVFAIL");
    eventually("the late answer", || (ask("b.example.com", &hasty) == address()).then_some(()));
    let asked = server.queries_for("b.example.com");
    let began = asked[0].at;
    let after = asked.iter().filter(|query| query.at > began + slow).count();
    assert_eq!(after, 0, "it was asked again");
    // One that comes meanwhile joins it, and has the answer as soon as it is there.
    assert_eq!(ask("d.example.com", &hasty).0, "SERVFAIL");
    assert_eq!(ask("d.example.com", &hasty), address());
    let asked = server.queries_for("d.example.com");
    let until = asked[0].at + Duration::from_millis(1900);
    assert!(asked.iter().all(|query| query.at < until), "it was asked again");
    let at_once = gateway(&[&server], "deadline = \"300ms\"\ntimeout = \"300ms\"");
    let started = now();
    assert_eq!(ask("c.example.com", &at_once).0, "SERVFAIL");
    assert!(started.elapsed() < Duration::from_millis(1500), "{:?}", started.elapsed());
}

#[test]
fn silence_over_udp_ends_in_tcp() {
    let server = Habits::new().udp(Udp::Lost).start();
    let gateway = gateway(&[&server], "");
    for number in 0..6 {
        assert_eq!(ask(&format!("u{number}.example.com"), &gateway), address(), "{number}");
    }
    // It is learnt: TCP is asked first.
    let last = server.queries_for("u5.example.com");
    assert_eq!((last.len(), last[0].transport), (1, Transport::Tcp));
}

#[test]
fn twenty_questions_at_one_time_survive_a_server_that_closes() {
    for tcp in [Tcp::ClosesAfter(1), Tcp::ClosesFirst(1), Tcp::ClosesAfter(3), Tcp::Reverses] {
        let server = Habits::new().tcp(tcp).start();
        let gateway = gateway_of(&format!("\"{}\"", server.url("tcp")), "");
        for round in 0..2 {
            std::thread::scope(|scope| {
                let gateway = &gateway;
                let asks: Vec<_> = (0..20)
                    .map(|n| {
                        scope.spawn(move || ask(&format!("n{n}.r{round}.example.com"), gateway))
                    })
                    .collect();
                for asked in asks {
                    assert_eq!(asked.join().unwrap(), address(), "{tcp:?}");
                }
            });
        }
    }
}

#[test]
fn a_connection_gone_mute_is_replaced_within_the_wait() {
    let server = Habits::new().tcp(Tcp::MuteAfter(1)).start();
    let gateway = gateway_of(&format!("\"{}\"", server.url("tcp")), "");
    for number in 0..3 {
        assert_eq!(ask(&format!("m{number}.example.com"), &gateway), address(), "{number}");
    }
}

#[test]
fn a_server_that_starts_anew_under_load_loses_no_question() {
    for scheme in ["tcp", "udp"] {
        let mut server = Habits::new().start();
        let gateway = gateway_of(&format!("\"{}\"", server.url(scheme)), "");
        assert_eq!(ask("first.example.com", &gateway), address());
        server.stop();
        std::thread::scope(|scope| {
            let gateway = &gateway;
            let asks: Vec<_> = (0..10)
                .map(|n| scope.spawn(move || ask(&format!("r{n}.example.com"), gateway)))
                .collect();
            std::thread::sleep(Duration::from_millis(40));
            server.start();
            for asked in asks {
                assert_eq!(asked.join().unwrap(), address(), "{scheme}");
            }
        });
    }
}

#[test]
fn a_type_that_is_dropped_is_no_sign_that_the_server_is_down() {
    let server = Habits::new().loses_types(&[65]).start();
    let gateway = gateway(&[&server], "deadline = \"400ms\"\ntimeout = \"400ms\"");
    for number in 0..5 {
        let https = Ask::new(&format!("t{number}.example.com"), "TYPE65").expect(gateway.dns);
        assert_eq!(https.rcode(), "SERVFAIL");
    }
    let url = server.url("udp");
    gateway.expect_metric("lachan_upstream_up", &[("upstream", url.as_str())], 1.0);
    assert_eq!(ask("www.example.com", &gateway), address());
}
