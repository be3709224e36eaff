//! Lists of every kind that people have, small: what each means, and what of it is counted.

use crate::blocklist::ScopeChoice::AsFormat;
use crate::blocklist::{Format, parse};
use crate::dns::name::Name;
use crate::rule::{Effect, Scope};

/// The meaning of a list: `x` with all below, `=x` alone, `*.x` below, `@` in front of exceptions, `?`
/// and the id of what is counted.
fn meaning(text: &[u8]) -> String {
    let parsed = parse(text, Format::Auto, AsFormat);
    if let Some(refusal) = &parsed.refusal {
        return format!("{refusal:?}");
    }
    let mut all: Vec<String> = Vec::new();
    for rule in parsed.rules() {
        let name = Name::from_wire(rule.name).unwrap().0.to_string();
        let scope = match rule.scope {
            Scope::Exact => "=",
            Scope::Subtree => "",
            Scope::Below => "*.",
        };
        all.push(format!("{}{scope}{}", sign(rule.effect), name.trim_end_matches('.')));
    }
    all.extend(
        parsed.targets.iter().map(|one| sign(one.effect).to_owned() + &one.target.text(one.scope)),
    );
    all.extend(parsed.addresses.iter().map(|one| format!("{}", one.net)));
    for (reject, count) in &parsed.rejects {
        all.extend((0..*count).map(|_| format!("?{}", reject.id())));
    }
    all.join(" ")
}

fn sign(effect: Effect) -> &'static str {
    match effect {
        Effect::Add | Effect::Rpz => "",
        Effect::AddImportant => "!",
        Effect::Clear => "@",
        Effect::ClearImportant => "@!",
    }
}

#[track_caller]
fn means(cases: &[(&[u8], &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, expected)| {
            let found = meaning(text);
            (found != *expected)
                .then(|| format!("{}\n  is  {found}\n  not {expected}", text.escape_ascii()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hosts_files() {
    means(&[
        (b"127.0.0.1\tlocalhost\n0.0.0.0\ta.example\n", "=a.example"),
        (b"0.0.0.0 a.example\r\n0.0.0.0 b.example\r\n", "=a.example =b.example"),
        (b"\xef\xbb\xbf0.0.0.0 a.example\n", "=a.example"),
        (b"0.0.0.0 a.example b.example c.example\n", "=a.example =b.example =c.example"),
        (b"::1 localhost\n::1 a.example\n:: b.example\n", "=a.example =b.example"),
        (b"fe80::1%lo0 localhost\n0 a.example\n127.1 b.example\n", "=a.example =b.example"),
        (b"0.0.0.0 a.example # note\n0.0.0.0 b.example#note c.example\n", "=a.example =b.example"),
        (b"# t\xeate\n0.0.0.0 a.example\n", "=a.example"),
        (b"   0.0.0.0   a.example   \n\n\n", "=a.example"),
        (b"0.0.0.0 A.Example.\n", "=a.example"),
        (b"0.0.0.0 a_b.example\n0.0.0.0 -x.example\n", "=a_b.example =-x.example"),
        (b"0.0.0.0 0.0.0.0\n255.255.255.255 broadcasthost\n0.0.0.0 a.example\n", "=a.example"),
        (b"192.0.2.1 a.example\n192.0.2.1 b.example\n", "=a.example =b.example"),
        ("0.0.0.0 b\u{fc}cher.example\n".as_bytes(), "=xn--bcher-kva.example"),
        (
            b"a.example 0.0.0.0\n0.0.0.0 b.example\n0.0.0.0 c.example\n",
            "=b.example =c.example ?syntax",
        ),
    ]);
}

#[test]
fn lists_of_names() {
    means(&[
        (b"a.example\nb.example", "a.example b.example"),
        (b"a.example\tnote\nb.example\n", "b.example ?syntax"),
        (b"*.a.example\n.b.example\nc.example\n", "a.example b.example c.example"),
        (b"a.example.\nb.example:443\n", "a.example b.example"),
        (
            b"http://a.example/\nhttps://b.example\nHTTP://C.example\nd.example\n",
            "a.example b.example c.example d.example",
        ),
        (b"http://a.example/x\nhttp://b.example/y\nc.example\n", "c.example ?path ?path"),
        (b"// note\n; note\n! note\n# note\na.example // note\n", "a.example"),
        (b"a.example,gambling\nb.example,gambling\n", "a.example b.example"),
        (b"a.example;gambling\n", "a.example"),
        (b"localhost\ncom\na.example\n", "a.example ?single-label ?single-label"),
        (b"*.zip\n*.mov\n", "zip mov"),
        (b"192.0.2.1\na.example\nb.example\n", "a.example b.example ?address"),
        (b"192.0.2.1\n192.0.2.0/24\n2001:db8::/32\n", "192.0.2.1/32 192.0.2.0/24 2001:db8::/32"),
        (
            "th\u{1ee7}\u{111}\u{f4}.vn\nxn--th-9ja9i637n.vn\n".as_bytes(),
            "xn--th-9ja9i637n.vn xn--th-9ja9i637n.vn",
        ),
        (b"A.EXAMPLE\n\ta.example\t\n", "a.example a.example"),
        (b"a..example\nb.example\n", "b.example ?bad-name"),
        (b"\"a.example\"\n'b.example'\nc.example\n", "c.example ?bad-name ?bad-name"),
        (b"- a.example\n- b.example\n", "?syntax ?syntax"),
        (b"a.example\n/^ads?[0-9]+\\./\n", "a.example /^ads?[0-9]+\\./"),
        (b"a.example\n@@b.a.example\n||c.example^\n", "=a.example c.example @b.a.example"),
        (b"a.example\n*cdn*\nads-*.b.example\n", "=a.example cdn ads-*.b.example"),
    ]);
}

#[test]
fn adblock_lists() {
    means(&[
        (b"[Adblock Plus 2.0]\n! Title: x\n||a.example^\n", "a.example"),
        (b"||a.example^$third-party\n||b.example^\n", "b.example ?modifier"),
        (b"!#if adguard\n||a.example^\n!#endif\n!#include b.txt\n", "a.example"),
        (
            b"a.example##.ad\n##.banner\na.example#@#.ad\n||b.example^\n",
            "b.example ?cosmetic ?cosmetic ?cosmetic",
        ),
        (
            b"||a.example^$client=192.0.2.1\n||b.example^$ctag=device_pc\n||c.example^\n",
            "c.example ?modifier ?modifier",
        ),
        (b"||a.example^$important,dnstype=A\n", "!a.example$dnstype=A"),
        (b"||a.example^$dnstype=NOTYPE\n||b.example^\n", "b.example ?modifier"),
        (b"||a.example^$dnstype=\n||b.example^\n", "b.example ?modifier"),
        (b"||a.example^\r\n@@||b.a.example^\r\n", "a.example @b.a.example"),
        (b"||a.example\n||b.com\n||c.org/\n", "b.com c.org ||a.example"),
        (
            b"|a.example\nb.example|\n://c.\n|d.example^\n|e.example|\n",
            "=d.example =e.example |a.example b.example| |c.",
        ),
        (
            b"*$denyallow=com|net\n@@*$denyallow=bad.com\n",
            "*$denyallow=com|net @*$denyallow=bad.com",
        ),
        (b"*$denyallow=~com\n||b.example^\n", "b.example ?modifier"),
        (b"*\n||*^\n/.*/\n||b.example^\n", "b.example /.*/ ?too-wide ?too-wide"),
        (b"||*^$dnstype=AAAA,dnsrewrite=NOERROR\n", "!*$dnstype=AAAA"),
        (
            b"||ad*.a.example^\n*.b.example^\n||*.c.example^\n",
            "*.b.example *.c.example ||ad*.a.example|",
        ),
        (
            b"/(?=a)b/\n/(a)\\1/\n/[/\n||b.example^\n",
            "b.example ?regex ?regex-unbounded ?regex-unbounded",
        ),
        (b"/a{2,3}\\.x$/\n/ads$/$important\n", "/a{2,3}\\.x$/ !/ads$/"),
        (b"/a/\n/a/$badfilter\n/b/\n", "/b/ ?disabled"),
        (b"||a.example^ # note\n||b.example^ ! note\n", "a.example b.example"),
        (
            "||b\u{fc}cher.example^\n|b\u{fc}cher.\n".as_bytes(),
            "xn--bcher-kva.example |xn--bcher-kva.",
        ),
        (b"-banner-\n||a.example^\n||b.example^\n", "a.example b.example -banner-"),
        (b"||1.2.3.4^\n||b.example^\n", "b.example ?address"),
        (b"||[2001:db8::1]^\n||b.example^\n", "b.example ?path"),
        (b"127.0.0.1 a.example$badfilter\n||b.example^\n", "b.example ?bad-name"),
    ]);
}

#[test]
fn answers_of_adblock_rules_and_what_takes_them_back() {
    means(&[
        (b"||a.example^$dnsrewrite=noerror;a;192.0.2.1\n", "!a.example"),
        (b"||a.example^$dnsrewrite=nxdomain;;\n||b.example^$dnsrewrite=Refused\n", "!a.example !b.example"),
        (b"||a.example^$dnsrewrite=SERVFAIL;;\n||b.example^$dnsrewrite=NXDOMAIN;A;x\n", "!a.example !b.example"),
        (
            b"|a.example^$dnsrewrite=NOERROR;MX;32 mx.example\n|b.example^$dnsrewrite=NOERROR;SRV;30 60 8080 .\n\
              |c.example^$dnsrewrite=NOERROR;HTTPS;32 s.example alpn=h3\n|d.example^$dnsrewrite=host\n",
            "!=a.example !=b.example !=c.example !=d.example",
        ),
        (
            b"||a.example^$dnsrewrite=BADKEYWORD\n||a.example^$dnsrewrite=bad;syntax\n\
              ||a.example^$dnsrewrite=noerror;;192.0.2.1\n||a.example^$dnsrewrite=noerror;a;::1\n\
              ||a.example^$dnsrewrite=noerror;mx;x\n||a.example^$dnsrewrite=A:NOERROR:192.0.2.1\n\
              ||a.example^$dnsrewrite=noerror;srv;1 2 x y\n||b.example^\n",
            "b.example ?modifier ?modifier ?modifier ?modifier ?modifier ?modifier ?modifier",
        ),
        // All, one value, and no plain rule.
        (b"||a.example^$dnsrewrite=192.0.2.1\n@@||a.example^$dnsrewrite\n||b.example^\n", "b.example ?disabled"),
        (
            b"@@|a.example^$dnsrewrite=192.0.2.1\n|a.example^$dnsrewrite=192.0.2.1\n\
              |a.example^$dnsrewrite=192.0.2.2\n",
            "!=a.example ?disabled",
        ),
        (b"||a.example^\n@@||a.example^$dnsrewrite\n", "a.example"),
        (b"||x.a.example^$dnsrewrite=\n@@||a.example^$dnsrewrite=\n||b.example^\n", "b.example ?disabled"),
        // A part of what a rule is about.
        (
            b"||a.example^$dnsrewrite=NXDOMAIN\n@@||ok.a.example^$dnsrewrite\n",
            "!a.example$denyallow=ok.a.example",
        ),
        // Importance.
        (
            b"||a.example^$important,dnsrewrite=\n@@||a.example^$dnsrewrite\n\
              ||b.example^$important,dnsrewrite=\n@@||b.example^$dnsrewrite,important\n",
            "!a.example ?disabled",
        ),
        (
            b"@@/a/$dnsrewrite\n@@||a.example^$dnsrewrite,dnstype=A\n||b.example^\n",
            "b.example ?modifier ?modifier",
        ),
    ]);
}

#[test]
fn configurations_of_resolvers() {
    means(&[
        (b"address=/a.example/0.0.0.0\naddress=/b.example/::\n", "a.example b.example"),
        (b"address=/a.example/b.example/\nserver=/c.example/\nlocal=/d.example/\n", "a.example b.example c.example d.example"),
        (b"server=/a.example/#\naddress=/b.example/#\n", "@a.example b.example"),
        (b"address=/.a.example/0.0.0.0\n", "a.example"),
        (b"local-zone: \"a.example\" always_nxdomain\nlocal-zone: b.example. static\n", "a.example b.example"),
        (b"server:\n  local-zone: \"a.example\" redirect\n  local-data: \"a.example A 0.0.0.0\"\n", "a.example ?unsupported"),
        (b"$TTL 60\n@ SOA a. b. 1 1 1 1 1\n  NS a.\na.example CNAME .\n*.a.example CNAME .\n", "=a.example *.a.example"),
        (b"a.example CNAME .\nb.example CNAME *.\n", "=a.example =b.example"),
    ]);
}

#[test]
fn mixtures() {
    means(&[
        (
            b"0.0.0.0 a.example\n||b.example^\nc.example\naddress=/d.example/\n",
            "=a.example b.example c.example d.example",
        ),
        (
            b"||a.example^\n||b.example^\n0.0.0.0 c.example\nd.example ; note\n",
            "a.example b.example =c.example =d.example",
        ),
        (b"||a.example^\nhttp://b.example/\n", "a.example b.example"),
        (b"! b.example\n|| a.example^\n||c.example^\n", "c.example ?syntax"),
    ]);
}

#[test]
fn what_is_no_list() {
    for (text, expected) in [
        (&b"<!DOCTYPE html>\n<html><body>404</body></html>\n"[..], "Html"),
        (b"\n\n  <html>\n", "Html"),
        (b"\xff\xfea\x00.\x00b\x00\n\x00", "Utf16"),
        (b"a\x00.\x00e\x00x\x00a\x00m\x00p\x00l\x00e\x00\n\x00b\x00.\x00e\x00x\x00a\x00m\x00p\x00l\x00e\x00\n\x00", "Utf16"),
    ] {
        assert_eq!(meaning(text), expected, "{}", text.escape_ascii());
    }
    for text in [
        &b"# A heading\n\nSome words about a list, see [here](https://x.example/y).\n\n* one\n* two\n"[..],
        b"{\"names\": [\"a.example\", \"b.example\"]}\n",
        b"{\n  \"a\": 1,\n  \"b\": [\n    \"a.example\",\n    \"b.example\"\n  ]\n}\n",
        b"id,name,date\n1,a.example,2024-01-01\n2,b.example,2024-01-02\n",
        b"404: Not Found",
        b"Error 502 Bad Gateway\n",
        b"{\"message\":\"API rate limit exceeded\"}",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    ] {
        let parsed = parse(text, Format::Auto, AsFormat);
        let is_told = parsed.verdict().is_err() || parsed.loss().is_some();
        assert!(is_told, "{}: {}", text.escape_ascii(), meaning(text));
    }
}
