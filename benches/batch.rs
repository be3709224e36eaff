//! A worker's whole batch of 64 queries, with all policy on and 100,000 listed names.
//!
//! ```text
//! cargo bench --bench batch -- blocked|cached|mix [rounds]
//! valgrind --tool=callgrind --toggle-collect='*one_batch*' target/release/deps/batch-… blocked 64
//! ```
//!
//! The time includes the kernel's work on loopback; the instructions that callgrind counts do
//! not, and are the same in each run, whatever else the machine does.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench: it fails by panicking")]
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lachan::config::Config;
use lachan::dns::message::answer::TtlLimits;
use lachan::dns::name::Name;
use lachan::load::assemble::Assembler;
use lachan::load::candidate::Candidate;
use lachan::load::in_force::Current;
use lachan::metrics::counters::Counters;
use lachan::overrides::Overrides;
use lachan::resolve::{Answered, Begin, Origin, Transport, begin};
use lachan::serve::gateway::Gateway;
use lachan::serve::listener::udp::{Worker, open};
use lachan::sys::clock::{Clock, system_time};
use lachan::upstream::{Options, Upstreams};

const BATCH: usize = 64;

fn name(kind: &str, number: usize) -> String {
    let mut z = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^= z >> 27;
    let below = if number.is_multiple_of(3) { ".example" } else { ".com.example" };
    format!("{kind}{:x}{below}", z >> 36)
}

fn query(text: &str) -> Vec<u8> {
    let head = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    let tail = [0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
    [head.as_slice(), Name::from_text(text).unwrap().as_wire(), &tail].concat()
}

fn candidate() -> Candidate {
    let dir = tempfile::tempdir().unwrap();
    let config = r#"
        [department]
        policy = "department.toml"
        [school]
        level = "lower-secondary"
        timezone = "Asia/Ho_Chi_Minh"
        [[schedule]]
        name = "lessons"
        times = ["07:00-11:30", "13:30-17:00"]
        except = ["holidays.ics"]
        [[schedule]]
        name = "night"
        times = ["22:00-05:00"]
        [[group]]
        name = "default"
        profile = "p"
        [profile.p]
        allow = ["allowed.example", "other.example", "www.third.example"]
        deny = ["denied.example"]
        [profile.p.during.night]
        block = ["video"]
        [[lists.source]]
        category = "adult"
        path = "list.txt"
    "#;
    let list: Vec<String> = (0..100_000).map(|number| name("l", number)).collect();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("list.txt", &list.join("\n"));
    write("gateway.toml", config);
    write("department.toml", include_str!("../config/department.toml"));
    write("holidays.ics", include_str!("../config/levels/holidays.ics"));
    let mut assembler = Assembler::new(Some(dir.path().join("gateway.toml"))).around(system_time());
    assembler.candidate(None).unwrap()
}

fn learn(gateway: &Gateway, query: &[u8]) {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let origin = Origin::plain(client, local, Transport::Udp);
    let (snapshot, now) = (gateway.current.snapshot(), gateway.clock.now());
    let mut out = vec![0; 65_535];
    let Begin::Forward(forward) = begin(query, &origin, &snapshot, &gateway.cache, now, &mut out)
    else {
        panic!("answered at once")
    };
    let mut message = query[..query.len() - 11].to_vec();
    message[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    message.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x01\x51\x80\x00\x04\xc0\x00\x02\x01");
    let limits = TtlLimits { min: 0, max: 86_400, max_negative: 10_800 };
    let answered = Answered { message: Ok(&message), asked: 0 };
    forward.finish(answered, &gateway.cache, &limits, now, &mut out);
}

#[inline(never)]
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn one_batch(worker: &mut Worker<'_>) -> Duration {
    let start = Instant::now();
    worker.serve_batch(true).unwrap();
    start.elapsed()
}

fn gateway(runtime: &tokio::runtime::Runtime) -> Arc<Gateway> {
    let _inside = runtime.enter();
    let server = "udp://127.0.0.1:9".parse().unwrap();
    let upstreams = Upstreams::new(&[server], Options::default()).unwrap();
    let (config, handle) = (Config::embedded(), runtime.handle().clone());
    let current = Arc::new(Current::start(candidate(), Overrides::open(None)));
    Arc::new(Gateway::new(&config, current, upstreams, Clock::start(), handle))
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|one| !one.starts_with("--"));
    let kind = arguments.next().unwrap_or_else(|| "blocked".into());
    let rounds: usize = arguments.next().map_or(200, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let gateway = gateway(&runtime);
    let cached: Vec<_> = (0..2048).map(|number| query(&name("zq", number))).collect();
    for query in &cached {
        learn(&gateway, query);
    }
    let blocked: Vec<_> = (0..4096).map(|number| query(&name("l", number * 24))).collect();
    let queries: Vec<Vec<u8>> = match kind.as_str() {
        "blocked" => blocked,
        "cached" => cached,
        "mix" => (0..4096)
            .map(|n| if n % 10 == 0 { blocked[n].clone() } else { cached[n % 2048].clone() })
            .collect(),
        _ => panic!("blocked, cached or mix"),
    };
    let socket = Arc::new(open("127.0.0.1:0".parse().unwrap()).unwrap());
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(socket.local_addr().unwrap()).unwrap();
    client.set_nonblocking(true).unwrap();
    let counters = Counters::single_writer();
    let mut worker = Worker::new(Arc::clone(&socket), &gateway, &counters);
    let mut all = queries.iter().cycle();
    let (mut took, mut replies, mut best) = (Duration::ZERO, 0, Duration::MAX);
    let mut reply = [0; 1500];
    // First rounds fill the reply cache, and are not measured.
    for round in 0..rounds + 64 {
        for _ in 0..BATCH {
            client.send(all.next().unwrap()).unwrap();
        }
        let one = if round < 64 {
            worker.serve_batch(true).unwrap();
            Duration::ZERO
        } else {
            one_batch(&mut worker)
        };
        took += one;
        if round >= 64 {
            best = best.min(one);
        }
        while client.recv(&mut reply).is_ok() {
            replies += 1;
        }
    }
    assert_eq!(replies, (rounds + 64) * BATCH);
    let each = took.as_nanos() as usize / (rounds * BATCH);
    println!(
        "{kind}: {each} ns a query, the kernel included; best batch {} ns",
        best.as_nanos() as usize / BATCH
    );
}
