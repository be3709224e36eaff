//! Upstream, over real sockets on loopback: whole answers, and whom is asked when.

mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use lachan::config::Config;
use lachan::config::sections::server::Server;
use lachan::dns::message::Question;
use lachan::sys::tls::TlsError;
use lachan::upstream::{
    AskError, Failure, Options, UpstreamAnswer, UpstreamError, Upstreams, system_servers,
};
use tokio::time::Instant;

use self::wire::{
    FORMERR, NOERROR, NXDOMAIN, REFUSED, SERVFAIL, address, failure, nxdomain, question,
};
use crate::alone;
use crate::kit::server::{self, Certificate, Mock, Script, says, script, silent};
use crate::kit::wire::question_end;

fn upstreams(servers: &[String], options: Options) -> Upstreams {
    let servers: Vec<Server> = servers.iter().map(|server| server.parse().unwrap()).collect();
    Upstreams::new(&servers, options).unwrap()
}

fn udp(mocks: &[&Mock]) -> Upstreams {
    let servers: Vec<_> = mocks.iter().map(|mock| format!("udp://{}", mock.address)).collect();
    upstreams(&servers, Options::default())
}

fn trusting(servers: &[String], certificate: &Certificate) -> Upstreams {
    let tls_roots = Some(certificate.authority.clone().into_bytes());
    upstreams(servers, Options { tls_roots, ..Options::default() })
}

/// What a server that answers by `canned` must have been understood to say.
fn whole(question: &Question, answer: &UpstreamAnswer, canned: fn(&[u8]) -> Vec<u8>) {
    let mut query = answer.octets[..12].to_vec();
    query.extend(question.name.as_wire());
    query.extend([0, 1, 0, 1]);
    assert_eq!(answer.octets, canned(&query));
}

fn last_octet(answer: &UpstreamAnswer) -> u8 {
    *answer.octets.last().unwrap()
}

fn rcode(answer: &UpstreamAnswer) -> u8 {
    answer.octets[3] & 0x0f
}

async fn ask(upstreams: &Upstreams) -> Result<UpstreamAnswer, AskError> {
    upstreams.ask(&question("www.example")).await
}

#[tokio::test]
async fn nxdomain_arrives_whole_with_soa_ede_and_ad() {
    let asked = question("www.example");
    let authority = Certificate::for_name("dns.school.example");
    let plain = server::udp(says(nxdomain)).await;
    let tcp = server::tcp(says(nxdomain)).await;
    let tls = server::tls(says(nxdomain), &authority, usize::MAX).await;
    let https = server::https(says(nxdomain), &authority).await;
    for server in [
        format!("udp://{}", plain.address),
        format!("tcp://{}", tcp.address),
        format!("tls://{}#dns.school.example", tls.address),
        format!("https://{}#dns.school.example", https.address),
    ] {
        let upstreams = trusting(&[server], &authority);
        let answer = upstreams.ask(&asked).await.unwrap();
        whole(&asked, &answer, nxdomain);
        assert_eq!((rcode(&answer), answer.octets[3] & 0x20), (NXDOMAIN, 0x20));
        let state = &upstreams.servers()[0];
        assert_eq!((state.queries(), state.durations().cumulative.last()), (1, Some(&1)));
    }
}

#[tokio::test]
async fn query_carries_do_and_cd_and_no_option() {
    let seen = script(|query| {
        let tail = &query[question_end(query)..];
        assert_eq!(tail, [0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0]);
        assert_eq!(query[2..12], [0x01, 0x30, 0, 1, 0, 0, 0, 0, 0, 1]);
        vec![address(query, 1)]
    });
    let authority = Certificate::for_name("dns.school.example");
    let https = server::https(seen.clone(), &authority).await;
    let plain = server::udp(seen).await;
    let asked = Question { dnssec_ok: true, checking_disabled: true, ..question("www.example") };
    for server in [
        format!("udp://{}", plain.address),
        format!("https://{}#dns.school.example", https.address),
    ] {
        assert!(trusting(&[server], &authority).ask(&asked).await.is_ok());
    }
}

#[tokio::test]
async fn truncated_answer_is_fetched_over_tcp() {
    let (over_udp, over_tcp) =
        server::udp_and_tcp(says(wire::truncated), says(|query| address(query, 7))).await;
    let upstreams = udp(&[&over_udp]);
    assert_eq!(last_octet(&ask(&upstreams).await.unwrap()), 7);
    assert_eq!((over_udp.queries(), over_tcp.queries()), (1, 1));
}

#[tokio::test]
async fn truncated_answer_without_tcp_goes_to_the_next_server() {
    let cut = server::udp(says(wire::truncated)).await;
    let good = server::udp(says(|query| address(query, 2))).await;
    let upstreams = udp(&[&cut, &good]);
    assert_eq!(last_octet(&ask(&upstreams).await.unwrap()), 2);
    assert_eq!(upstreams.servers()[0].errors(Failure::Truncated), 1);
    assert_eq!(ask(&udp(&[&cut])).await, Err(AskError::Truncated));
}

#[tokio::test]
async fn forged_and_garbled_datagrams_do_not_end_the_wait() {
    let noise = script(|query| {
        let mut other_id = address(query, 66);
        other_id[0] ^= 1;
        let mut other_name = address(query, 66);
        other_name[14] ^= 1;
        let mut other_type = address(query, 66);
        other_type[question_end(query) - 3] = 28;
        let mut garbage = query[..2].to_vec();
        garbage.extend(b"not a message");
        let mut cut = address(query, 66);
        cut.pop();
        let right = address(query, 1);
        vec![vec![], garbage, cut, other_id, other_name, other_type, query.to_vec(), right]
    });
    let server = server::udp(noise).await;
    assert_eq!(last_octet(&ask(&udp(&[&server])).await.unwrap()), 1);
    assert_eq!(server.queries(), 1);
}

#[tokio::test]
async fn names_are_asked_in_mixed_case_and_handed_on_in_lower_case() {
    // 30 letters: all lower case by chance once in 2^30.
    let asked = question("abcdefghijklmnopqrstuvwxyz.test");
    let mixed = says(|query| {
        assert!(query[12..43].iter().any(u8::is_ascii_uppercase));
        address(query, 1)
    });
    let server = server::udp(mixed).await;
    let answer = udp(&[&server]).ask(&asked).await.unwrap();
    assert_eq!(&answer.octets[12..12 + 33], asked.name.as_wire());
}

#[tokio::test]
async fn server_that_folds_case_is_believed_over_tcp_only() {
    fn folding(query: &[u8]) -> Vec<u8> {
        let mut query = query.to_vec();
        query[12..].make_ascii_lowercase();
        address(&query, 1)
    }
    let (over_udp, over_tcp) =
        server::udp_and_tcp(says(folding), says(|query| address(query, 2))).await;
    let upstreams = udp(&[&over_udp]);
    let asked = question("abcdefghijklmnopqrstuvwxyz.test");
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(last_octet(&upstreams.ask(&asked).await.unwrap()));
    }
    // After three such replies it is asked in lower case.
    assert_eq!(answers, [2, 2, 2, 1, 1]);
    assert_eq!((over_tcp.queries(), over_tcp.connections()), (3, 1));
}

#[tokio::test]
async fn second_server_answers_what_the_first_rejects() {
    for (code, reason) in [
        (SERVFAIL, Failure::ServFail),
        (REFUSED, Failure::Refused),
        (FORMERR, Failure::NotUnderstood),
    ] {
        let bad = server::udp(says(move |query| failure(query, code))).await;
        let good = server::udp(says(|query| address(query, 2))).await;
        let upstreams = udp(&[&bad, &good]);
        let answer = ask(&upstreams).await.unwrap();
        assert_eq!((rcode(&answer), answer.server), (NOERROR, 1));
        assert_eq!(upstreams.servers()[0].errors(reason), 1);
    }
}

#[tokio::test]
async fn second_server_answers_while_the_first_is_silent() {
    let _machine = alone();
    let dead = server::udp(silent()).await;
    let good = server::udp(says(|query| address(query, 2))).await;
    let upstreams = udp(&[&dead, &good]);
    let started = Instant::now();
    assert_eq!(ask(&upstreams).await.unwrap().server, 1);
    assert!(started.elapsed() < Duration::from_millis(700), "{:?}", started.elapsed());
}

#[tokio::test]
async fn silent_server_is_put_back_and_no_longer_costs_time() {
    let _machine = alone();
    let dead = server::udp(silent()).await;
    let good = server::udp(says(|query| address(query, 2))).await;
    let servers = [&dead, &good].map(|mock| format!("udp://{}", mock.address));
    let timeout = Duration::from_millis(100);
    let upstreams = upstreams(&servers, Options { timeout, ..Options::default() });
    for _ in 0..3 {
        ask(&upstreams).await.unwrap();
    }
    assert!(!upstreams.servers()[0].is_up());
    let before = dead.queries();
    for _ in 0..5 {
        ask(&upstreams).await.unwrap();
    }
    assert_eq!(dead.queries(), before);
}

#[tokio::test]
async fn server_that_comes_back_is_asked_first_again() {
    let alive = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let switch = alive.clone();
    let first = script(move |query| {
        let up = switch.load(std::sync::atomic::Ordering::SeqCst);
        if up { vec![address(query, 1)] } else { vec![failure(query, SERVFAIL)] }
    });
    let first = server::udp(first).await;
    let second = server::udp(says(|query| address(query, 2))).await;
    let upstreams = udp(&[&first, &second]);
    // One name that fails is no server that fails.
    for name in ["a.example", "a.example", "b.example", "c.example"] {
        assert!(upstreams.servers()[0].is_up());
        assert_eq!(upstreams.ask(&question(name)).await.unwrap().server, 1);
    }
    assert!(!upstreams.servers()[0].is_up());
    alive.store(true, std::sync::atomic::Ordering::SeqCst);
    // The check runs in the background: no client waits for it.
    let patience = Instant::now() + Duration::from_secs(10);
    while !upstreams.servers()[0].is_up() {
        assert!(Instant::now() < patience, "never checked");
        ask(&upstreams).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ask(&upstreams).await.unwrap().server, 0);
}

#[tokio::test]
async fn servers_that_are_all_put_back_are_still_asked() {
    let dead = server::udp(silent()).await;
    let servers = [format!("udp://{}", dead.address)];
    let timeout = Duration::from_millis(20);
    let upstreams =
        upstreams(&servers, Options { timeout, deadline: timeout * 2, ..Options::default() });
    while upstreams.servers()[0].is_up() {
        assert_eq!(ask(&upstreams).await, Err(AskError::Timeout));
    }
    let before = dead.queries();
    for asked in 1..=5 {
        assert_eq!(ask(&upstreams).await, Err(AskError::Timeout));
        assert_eq!(dead.queries(), before + asked);
    }
}

#[tokio::test]
async fn rejection_by_all_is_handed_on_whole() {
    let refuses = server::udp(says(|query| failure(query, REFUSED))).await;
    let fails = server::udp(says(|query| failure(query, SERVFAIL))).await;
    let upstreams = udp(&[&refuses, &fails]);
    let answer = ask(&upstreams).await.unwrap();
    whole(&question("www.example"), &answer, |query| failure(query, SERVFAIL));
    // Each was asked once more in lower case.
    assert_eq!((refuses.queries(), fails.queries(), answer.server), (2, 2, 1));
    assert!(upstreams.servers().iter().all(|server| server.is_up()));
}

#[tokio::test]
async fn lost_packet_is_sent_again() {
    let _machine = alone();
    let first = std::sync::atomic::AtomicBool::new(true);
    let lossy = script(move |query| {
        let lost = first.swap(false, std::sync::atomic::Ordering::SeqCst);
        if lost { vec![] } else { vec![address(query, 1)] }
    });
    let server = server::udp(lossy).await;
    assert_eq!(last_octet(&ask(&udp(&[&server])).await.unwrap()), 1);
    assert_eq!(server.queries(), 2);
}

/// Three tries of each of thousands that wait are what a dead upstream must not cost.
#[tokio::test]
async fn a_server_that_is_down_is_asked_once_a_question() {
    let dead = server::udp(silent()).await;
    let servers = [format!("udp://{}", dead.address)];
    let (timeout, deadline) = (Duration::from_millis(900), Duration::from_secs(5));
    let upstreams = upstreams(&servers, Options { timeout, deadline, ..Options::default() });
    for (is_up, queries) in [(true, 3), (false, 4), (false, 5)] {
        assert_eq!(upstreams.servers()[0].is_up(), is_up);
        assert_eq!(ask(&upstreams).await, Err(AskError::Timeout));
        assert_eq!(dead.queries(), queries);
    }
}

#[tokio::test]
async fn silence_everywhere_ends_with_the_question() {
    let _machine = alone();
    let dead = server::udp(silent()).await;
    let started = Instant::now();
    assert_eq!(ask(&udp(&[&dead, &dead])).await, Err(AskError::Timeout));
    // Twice the deadline, within which those that ask get their reply.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn closed_port_is_an_error_at_once() {
    let _machine = alone();
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let started = Instant::now();
    for scheme in ["udp", "tcp", "tls", "https"] {
        let upstreams = upstreams(&[format!("{scheme}://{free}")], Options::default());
        assert_eq!(ask(&upstreams).await, Err(AskError::Network), "{scheme}");
    }
    assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
}

#[tokio::test]
async fn certificate_for_another_name_is_refused() {
    let certificate = Certificate::for_name("dns.school.example");
    let tls = server::tls(says(nxdomain), &certificate, usize::MAX).await;
    let https = server::https(says(nxdomain), &certificate).await;
    let servers = [
        format!("tls://{}#other.example", tls.address),
        format!("tls://{}", tls.address),
        format!("https://{}#other.example", https.address),
    ];
    for server in servers {
        let upstreams = trusting(&[server], &certificate);
        assert_eq!(ask(&upstreams).await, Err(AskError::Network));
        assert_eq!(upstreams.servers()[0].errors(Failure::Network), 1);
    }
    let stranger = Certificate::for_name("dns.school.example");
    let server = format!("tls://{}#dns.school.example", tls.address);
    assert_eq!(ask(&trusting(&[server], &stranger)).await, Err(AskError::Network));
    assert_eq!((tls.queries(), https.queries()), (0, 0));
}

#[tokio::test]
async fn connections_are_kept_and_made_again_when_closed() {
    let certificate = Certificate::for_name("dns.school.example");
    let answers = || says(|query| address(query, 1));
    let kept = server::tls(answers(), &certificate, usize::MAX).await;
    let https = server::https(answers(), &certificate).await;
    let brief = server::tls(answers(), &certificate, 2).await;
    for (mock, scheme, connections) in [(&kept, "tls", 1), (&https, "https", 1), (&brief, "tls", 3)]
    {
        let server = format!("{scheme}://{}#dns.school.example", mock.address);
        let upstreams = trusting(&[server], &certificate);
        for _ in 0..6 {
            assert_eq!(last_octet(&ask(&upstreams).await.unwrap()), 1);
        }
        assert_eq!((mock.connections(), mock.queries()), (connections, 6));
        assert_eq!(upstreams.servers()[0].errors(Failure::Network), 0);
    }
}

#[tokio::test]
async fn connection_gone_silent_is_made_again() {
    let certificate = Certificate::for_name("dns.school.example");
    // Answers the first query and the third: the second is the cut cable.
    let second_is_lost = || {
        let seen = std::sync::atomic::AtomicUsize::new(0);
        script(move |query| match seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            1 => vec![],
            _ => vec![address(query, 1)],
        })
    };
    let tls = server::tls(second_is_lost(), &certificate, usize::MAX).await;
    let https = server::https(second_is_lost(), &certificate).await;
    for (mock, scheme) in [(&tls, "tls"), (&https, "https")] {
        let server = format!("{scheme}://{}#dns.school.example", mock.address);
        let upstreams = trusting(&[server], &certificate);
        for _ in 0..3 {
            assert!(ask(&upstreams).await.is_ok());
        }
        assert_eq!(mock.connections(), 2);
    }
}

/// A CAA record with a hyphen in its tag: hickory-proto 0.26.3 does not decode it.
fn undecodable(query: &[u8]) -> Vec<u8> {
    let tail = [0xc0, 12, 1, 1, 0, 1, 0, 0, 0, 60, 0, 6, 0, 3, b'a', b'-', b'b', b'x'];
    wire::reply(query, NOERROR, [1, 0, 0], &tail)
}

#[tokio::test]
async fn answer_that_hickory_cannot_decode_arrives_whole_but_for_https() {
    let asked = question("www.example");
    let certificate = Certificate::for_name("dns.school.example");
    let plain = server::udp(says(undecodable)).await;
    let tls = server::tls(says(undecodable), &certificate, usize::MAX).await;
    let https = server::https(says(undecodable), &certificate).await;
    let plain = format!("udp://{}", plain.address);
    let tls = format!("tls://{}#dns.school.example", tls.address);
    for server in [plain, tls] {
        let answer = trusting(&[server], &certificate).ask(&asked).await.unwrap();
        whole(&asked, &answer, undecodable);
    }
    let https = format!("https://{}#dns.school.example", https.address);
    let answer = trusting(&[https], &certificate).ask(&asked).await;
    assert_eq!(answer, Err(AskError::Malformed));
}

#[tokio::test]
async fn burst_over_one_tls_connection_is_answered_whole() {
    let certificate = Certificate::for_name("dns.school.example");
    let mock = server::tls(says(nxdomain), &certificate, usize::MAX).await;
    let server = format!("tls://{}#dns.school.example", mock.address);
    let upstreams = std::sync::Arc::new(trusting(&[server], &certificate));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..1000 {
        let upstreams = upstreams.clone();
        tasks.spawn(async move {
            let asked = question(&format!("n{number}.example"));
            whole(&asked, &upstreams.ask(&asked).await.unwrap(), nxdomain);
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    assert_eq!(mock.connections(), 1);
}

#[test]
fn no_server_is_an_error_that_says_what_to_set() {
    let given = Upstreams::new(&[], Options::default()).err();
    let of_the_system = match system_servers(&Config::embedded()) {
        Ok(servers) => {
            assert!(!servers.is_empty());
            None
        }
        Err(error) => Some(error),
    };
    assert!(given.is_some());
    for error in given.into_iter().chain(of_the_system) {
        assert!(error.to_string().contains("set `servers` in [upstream]"), "{error}");
    }
}

#[test]
fn what_cannot_work_is_refused_at_the_start() {
    let refusal = |server: &str, tls_roots: Option<&str>| {
        let tls_roots = tls_roots.map(|pem| pem.as_bytes().to_vec());
        let options = Options { tls_roots, ..Options::default() };
        Upstreams::new(&[server.parse().unwrap()], options).unwrap_err()
    };
    let v6 = refusal("https://[2001:db8::1]", None);
    assert!(matches!(v6, UpstreamError::CertificateName(..)), "{v6}");
    let roots = refusal("udp://192.0.2.1", Some("nothing"));
    assert!(matches!(roots, UpstreamError::Tls(TlsError::Roots(_))), "{roots}");
}

#[tokio::test]
async fn ipv6_server_is_asked() {
    let Ok(socket) = tokio::net::UdpSocket::bind("[::1]:0").await else { return };
    let at: SocketAddr = socket.local_addr().unwrap();
    let script: Script = says(|query| address(query, 6));
    let _mock = server::udp_on(socket, script);
    let upstreams = upstreams(&[format!("udp://{at}")], Options::default());
    assert_eq!(last_octet(&ask(&upstreams).await.unwrap()), 6);
}
