//! Text of each list format → rules, in lines a second. At least 2 M of domains and hosts.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use lachan::blocklist::{Format, ScopeChoice, parse};

const LINES: usize = 200_000;

fn main() {
    divan::main();
}

/// Names of the lengths that real lists have: 19.5 octets on average.
fn text(form: impl Fn(&str) -> String) -> Vec<u8> {
    let mut text = Vec::new();
    for number in 0..LINES {
        let hash = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let host = ["", "www.", "ads.cdn.", "a-longer-host.eu-west-1."][(hash >> 62) as usize];
        text.extend_from_slice(form(&format!("{host}n{:08x}.example", hash >> 32)).as_bytes());
        text.push(b'\n');
    }
    text
}

fn lines(bencher: Bencher<'_, '_>, format: Format, form: impl Fn(&str) -> String) {
    let text = text(form);
    let parsed = parse(&text, Format::Auto, ScopeChoice::AsFormat);
    assert_eq!((parsed.format, parsed.len(), parsed.rejected()), (format, LINES, 0));
    bencher
        .counter(ItemsCount::new(LINES))
        .counter(BytesCount::new(text.len()))
        .bench(|| parse(divan::black_box(&text), format, ScopeChoice::AsFormat));
}

#[divan::bench]
fn domains(bencher: Bencher<'_, '_>) {
    lines(bencher, Format::Domains, str::to_owned);
}

#[divan::bench]
fn hosts(bencher: Bencher<'_, '_>) {
    lines(bencher, Format::Hosts, |name| format!("0.0.0.0 {name}"));
}

#[divan::bench]
fn adblock(bencher: Bencher<'_, '_>) {
    lines(bencher, Format::Adblock, |name| format!("||{name}^"));
}

#[divan::bench]
fn dnsmasq(bencher: Bencher<'_, '_>) {
    lines(bencher, Format::Dnsmasq, |name| format!("local=/{name}/"));
}

#[divan::bench]
fn unbound(bencher: Bencher<'_, '_>) {
    lines(bencher, Format::Unbound, |name| format!("local-zone: \"{name}.\" always_null"));
}

#[divan::bench]
fn rpz(bencher: Bencher<'_, '_>) {
    lines(bencher, Format::Rpz, |name| format!("{name} CNAME ."));
}
