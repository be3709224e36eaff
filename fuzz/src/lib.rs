//! What must hold for any octets: the claims that the fuzz targets share.

use std::io::{Cursor, Read as _};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use lachan::blocklist::{Format, ScopeChoice, parse};
use lachan::category::CategoryId;
use lachan::config::Config;
use lachan::config::layers::calendar::Calendar;
use lachan::devices::leases::{self, Leases};
use lachan::devices::neighbours::events;
use lachan::devices::tokens::secret::TokenSecret;
use lachan::dns::designated::DOH_PATH;
use lachan::dns::message::answer::{Answer, Form, TtlLimits};
use lachan::dns::message::query::Query;
use lachan::dns::message::{Question, well_formed};
use lachan::dns::name::{Folded, Name};
use lachan::lang::Lang;
use lachan::matcher::SuffixHashes;
use lachan::matcher::build::join;
use lachan::pack::{Compiler, Pack, SEED, TargetedRule, fit_hashes};
use lachan::pattern::HostPattern;
use lachan::policy::Mac;
use lachan::release::list::{delta, packed, read, write};
use lachan::reviews::forwarded::ForwardedFile;
use lachan::reviews::request::AskedSite;
use lachan::rule::{Action, Effect, QueryTypes, Rule, Scope, Subject, Target};
use lachan::serve::listener::doh::request::{is_message_type, message_in, token_of};
use lachan::sys::certificate::{check_key, read_chain};
use lachan::upstream::heard_message;
use lachan::web::form::Fields;

/// A list in any shape: parsed without a panic, into names and answers that exist, with
/// every line accounted for, and the same again the second time.
pub fn list(text: &[u8], format: Format) {
    for choice in ScopeChoice::ALL {
        let parsed = parse(text, format, choice);
        let mut rules = 0;
        for rule in parsed.rules() {
            let (name, taken) = Name::from_wire(rule.name).expect("a wire name");
            assert_eq!(taken, rule.name.len());
            assert!(!name.is_root());
            assert!((1..=parsed.lines).contains(&rule.line));
            if let lachan::rule::Action::Local(number) = rule.action {
                assert!(usize::from(number) < parsed.data.len());
            }
            rules += 1;
        }
        assert_eq!(rules, parsed.len());
        for one in &parsed.targets {
            assert!((1..=parsed.lines).contains(&one.line));
            if let Subject::Pattern(pattern) = &one.target.subject {
                assert_eq!(HostPattern::parse(pattern).expect("a pattern").text(), &**pattern);
            }
        }
        for rule in &parsed.addresses {
            assert!(rule.net.prefix_len() > 0);
            assert_eq!(rule.net, rule.net.trunc());
        }
        if let Err(refusal) = parsed.verdict() {
            assert!(!refusal.to_string().is_empty());
        }
        if parsed.refusal.is_none() {
            let lines = text.split(|&octet| octet == b'\n').count() as u32;
            assert!(parsed.lines <= lines && lines <= parsed.lines + 1);
        }
        let again = parse(text, format, choice);
        assert!(parsed.rules().eq(again.rules()) && parsed.targets == again.targets);
        assert_eq!(parsed.rejects, again.rejects);
    }
}

/// A pattern, and a name behind it: what is taken is bounded, and matches a name only with one of its
/// literals in it.
pub fn pattern(text: &str) {
    let (pattern, name) = text.split_once('\n').unwrap_or((text, "www.example.com"));
    let Ok(pattern) = HostPattern::parse(pattern) else { return };
    assert!(pattern.octets() <= 2 * lachan::pattern::MAX_OCTETS);
    let Ok(name) = Name::from_text(name) else { return };
    let name = Folded::from_name(&name);
    let text = lachan::pattern::HostText::of(&name);
    if let Some(literals) = pattern.literals()
        && pattern.matches(&name)
    {
        let has = |literal: &[u8]| text.as_octets().windows(literal.len()).any(|w| w == literal);
        assert!(literals.iter().any(|literal| has(literal)));
    }
}

/// A name in text: what is taken can be written and read again.
pub fn name_text(text: &str) {
    if let Ok(name) = Name::from_text(text) {
        assert_eq!(Name::from_wire(name.as_wire()).expect("a wire name").0, name);
        assert_eq!(Name::from_text(&name.to_string()).expect("its own text"), name);
    }
}

/// A name on the wire.
pub fn name_wire(octets: &[u8]) {
    if let Ok((name, taken)) = Folded::from_wire(octets) {
        assert_eq!(name.as_wire().len(), taken);
        assert!(name.as_wire().eq_ignore_ascii_case(&octets[..taken]));
        assert!(name.to_name().to_string().is_ascii());
    }
}

/// A query.
pub fn query(octets: &[u8]) {
    if let Ok(query) = Query::parse(octets) {
        assert!(query.head().len() <= octets.len());
        assert!(query.udp_limit() >= 512);
    }
}

/// A request to DNS over HTTPS, as its target with its media type on the next line: a path is written
/// again of what is taken of it, one secret has one text, and a message is as long as its text says.
pub fn doh(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let (target, media_type) = text.split_once('\n').unwrap_or((&text, ""));
    let (path, fields) = target.split_once('?').unwrap_or((target, ""));
    if let Some(token) = token_of(path) {
        let again = token.map_or(DOH_PATH.to_owned(), |token| format!("{DOH_PATH}/{token}"));
        assert_eq!(path, again);
        assert!(token.is_none_or(|token| !token.is_empty() && !token.contains('/')));
        if let Some((text, secret)) = token.and_then(|text| Some((text, TokenSecret::read(text)?))) {
            assert_eq!(secret.text(), text);
        }
    }
    if let Some(message) = message_in(fields) {
        assert!(!message.is_empty() && message.len() * 4 <= fields.len() * 3);
        let dns = |field: &str| field.strip_prefix("dns=").map(str::to_owned);
        let written = fields.split('&').find_map(dns).expect("a field `dns`");
        let written = written.trim_end_matches('=');
        assert_eq!(message.len(), written.len() * 3 / 4);
        // One message has one text: its last character has no bit of another.
        let is_digit = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
        assert!(written.bytes().all(is_digit));
        // What stands behind it, and padding, says nothing.
        assert_eq!(message_in(&format!("dns={written}=&dns=AAAA")), Some(message.clone()));
        query(&message);
    }
    let is_taken = is_message_type(media_type);
    assert_eq!(is_message_type(&media_type.to_ascii_uppercase()), is_taken);
    assert_eq!(is_message_type(&format!(" {media_type};charset=utf-8")), is_taken);
}

/// A file of certificates: facts of each, or an error with words; in DER the same.
pub fn certificate(octets: &[u8]) {
    for facts in read_chain(octets).into_iter().flatten() {
        assert!(!facts.subject.chars().any(char::is_control));
        assert!(facts.names.iter().all(|name| name.bytes().all(|octet| octet.is_ascii_graphic())));
        assert!(facts.addresses.iter().all(|address| facts.covers_address(*address)));
    }
    if let Err(error) = check_key(octets, octets) {
        assert!(!error.to_string().is_empty());
    }
}

/// A reply from upstream to a question of ours: what is kept of it fits and can be reviewed.
pub fn answer(octets: &[u8]) {
    // The question stands in the reply: whatever it is, we have asked it.
    let Ok((name, end)) = lachan::dns::message::name_at(octets, 12) else { return };
    let Some(&[a, b]) = octets.get(end..end + 2) else { return };
    let question = Question {
        name: name.to_name(),
        qtype: u16::from_be_bytes([a, b]),
        dnssec_ok: false,
        checking_disabled: false,
        upstream: lachan::dns::route::UpstreamId::MAIN,
    };
    let limits = TtlLimits { min: 0, max: 86_400, max_negative: 900 };
    let Ok(answer) = Answer::take(octets, &question, &limits) else { return };
    let asked = [&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], question.name.as_wire(), &[a, b, 0, 1]];
    let asked = asked.concat();
    let Ok(query) = Query::parse(&asked) else { return };
    let mut out = [0; 65_535];
    for limit in [512, 1232, 65_535] {
        let Some(length) = answer.write(&query, Form::aged(0), limit, &mut out) else { continue };
        assert!(length <= limit);
    }
    assert!(answer.targets(query.head()).all(|target| target.is_ok()));
    assert!(answer.addresses().all(|address| address.is_ok()));
}

/// What a server sends in reply to a question that it repeats, or does not: what is handed on is as
/// long as it was, and repeats the question in the letters that were asked.
pub fn heard(octets: &[u8]) {
    let asked = lachan::dns::message::name_at(octets, 12).ok();
    let (name, end) =
        asked.unwrap_or_else(|| (Folded::from_wire(b"\x01x\0").expect("a name").0, 15));
    let qtype = octets.get(end..end + 2).map_or(1, |two| u16::from_be_bytes([two[0], two[1]]));
    let question = Question {
        name: name.to_name(),
        qtype,
        dnssec_ok: false,
        checking_disabled: false,
        upstream: lachan::dns::route::UpstreamId::MAIN,
    };
    let id = octets.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    let wire = question.name.as_wire();
    for is_mixed in [false, true] {
        let mut reply = octets.to_vec();
        if let Some(own) = reply.get_mut(12..end).filter(|own| own.eq_ignore_ascii_case(wire)) {
            if is_mixed { own.make_ascii_uppercase() } else { own.make_ascii_lowercase() }
        }
        if let Some(message) = heard_message(&question, id, is_mixed, &mut reply) {
            assert_eq!(message.len(), octets.len());
            assert_eq!(&message[12..12 + wire.len()], wire);
            assert_eq!(well_formed(&message), well_formed(octets));
        }
    }
}

/// A sealed list: refused, or opened and asked. As it comes it is hardly ever sealed, so the
/// same octets are sealed as well, and then cut and turned by their own first octets.
pub fn sealed(octets: &[u8]) {
    use lachan::matcher::sealed::{SealedKey, SealedTable, seal};

    let key = SealedKey::new([7; 32]);
    let asked = Folded::from_wire(b"\x03www\x07example\x03com\0").expect("a wire name").0;
    if let Ok(table) = SealedTable::open(octets, &key) {
        assert!(!table.is_empty() && table.id().len() == 8);
        table.lists(&asked);
    }
    let names: Vec<Name> = octets
        .split(|&octet| octet == b'\n')
        .filter_map(|line| Name::from_text(std::str::from_utf8(line).ok()?).ok())
        .collect();
    let sealed = seal(&names, &key);
    match SealedTable::open(&sealed, &key) {
        Ok(table) => assert!(table.len() <= names.len()),
        Err(_) => assert!(names.is_empty()),
    }
    if let Some((&[a, b, bit], _)) = octets.split_first_chunk() {
        let at = usize::from(u16::from_le_bytes([a, b])) % sealed.len();
        assert!(SealedTable::open(&sealed[..at], &key).is_err());
        let mut turned = sealed;
        turned[at] ^= 1 << (bit & 7);
        assert!(SealedTable::open(&turned, &key).is_err());
    }
}

/// A config: read whole or refused with its mistakes.
pub fn config(text: &str) {
    if let Err(errors) = lachan::config::load_text(text, "gateway.toml", ".".as_ref()) {
        assert!(!errors.mistakes().is_empty());
        assert!(!errors.to_string().is_empty());
    }
}

/// A calendar: refused with its mistakes, or read and laid on the time line of its zone, as
/// windows that are in order, apart and not empty, in bounded time.
pub fn calendar(text: &str) {
    with_file("c.ics", text, "[[schedule]]\nname = \"x\"\ncalendar = \"c.ics\"\n");
    let Ok(calendar) = Calendar::parse(text) else { return };
    for zone in [TimeZone::UTC, TimeZone::get("Europe/London").expect("a zone")] {
        let from = 1_700_000_000;
        let _ = calendar.is_past(&zone, from);
        let windows = calendar.windows(&zone, &(from..from + 800 * 86_400));
        assert!(windows.iter().all(|window| window.start < window.end));
        assert!(windows.is_sorted_by(|one, next| one.end < next.start));
    }
}

/// A lease file: refused, or read, and then again with the same result; what is found is looked for.
pub fn leases(octets: &[u8]) {
    let is_wanted = |mac: Mac| mac.0[5] & 1 == 0;
    let mut once = Leases::of(&is_wanted);
    let read = leases::read(octets, &mut once);
    let found = once.into_found();
    assert!(found.values().all(|mac| is_wanted(*mac)));
    let mut again = Leases::of(&is_wanted);
    assert_eq!(leases::read(octets, &mut again), read);
    assert_eq!(again.into_found(), found);
}

/// What the kernel tells of neighbours: it ends, and no message is told twice.
pub fn neighbours(octets: &[u8]) {
    assert!(events(octets).count() <= octets.len() / 16);
}

/// A department's policy: refused with its mistakes, or read, and then never less than locked.
pub fn department(text: &str) {
    let policy = "[department]\npolicy = \"d.toml\"\n";
    if let Some(config) = with_file("d.toml", text, policy) {
        assert!(config.default_group().name == "default");
    }
}

/// Reads `config`, which names `file`, whose text is `text`; mistakes can be told in each language.
fn with_file(file: &str, text: &str, config: &str) -> Option<Config> {
    let read = |path: &Path| {
        assert!(path.ends_with(file));
        Ok(text.to_owned())
    };
    let errors = match lachan::config::load(config, "gateway.toml", ".".as_ref(), Some(&read)) {
        Ok(config) => return Some(config),
        Err(errors) => errors,
    };
    assert!(!errors.mistakes().is_empty());
    assert!(!errors.clone().in_lang(Lang::Vi).to_string().is_empty());
    assert!(!errors.to_string().is_empty());
    None
}

/// A pack whose hashes fit, whatever its octets: what verifies can be asked and told.
///
/// A mutation would never get past the hashes, so `octets` are taken as changes to a good
/// pack: a section, a place in it and a value each, and the hashes are made to fit.
pub fn pack(octets: &[u8]) {
    // As it comes.
    assert!(Pack::verify(Arc::new(octets.to_vec())).is_err() || octets.len() > 800);
    let mut changed = GOOD_PACK.clone();
    for change in octets.chunks_exact(5) {
        let place = u32::from_le_bytes([change[0], change[1], change[2], change[3]]) as usize;
        let length = changed.len();
        changed[place % length] ^= change[4];
    }
    fit_hashes(&mut changed);
    let Ok(pack) = Pack::verify(Arc::new(changed)) else { return };
    let mut names = 0;
    pack.each_name(|wire, set| {
        names += 1;
        let _ = pack.set(set);
        if let Ok((name, _)) = Folded::from_wire(wire) {
            pack.set_of(&name);
        }
    });
    assert!(names <= pack.len());
    let _ = pack.verify_names();
    let joined = join([Arc::new(pack)], |id| CategoryId::new(id.len())).expect("few numbers");
    let name = Folded::from_name(&Name::from_text("www.n7.example.com").expect("a name"));
    joined.table.lookup(&name, &SuffixHashes::of(&name, joined.table.seed()));
}

/// A canonical list: refused, or a pack; and the text of that pack has the same rules.
///
/// A mutation hardly gets past the count of names, so `octets` are also taken as names of one group.
pub fn release_list(octets: &[u8]) {
    let names: Vec<&[u8]> = octets.split(|&octet| octet == b'\n').collect();
    let head =
        b"lachan list 1\n@category adult\n@source a adult a %\n@rules adult/exact/add/default/a\n";
    let total = format!("\n@total {}\n", names.len());
    for text in [octets.to_vec(), [head, octets, total.as_bytes()].concat()] {
        let Ok(pack) = compiled(&text) else { continue };
        let Ok(pack) = Pack::verify(Arc::new(pack)) else { continue };
        let mut own = Vec::new();
        write::write(&pack, &mut own).expect("memory");
        let again = Pack::verify(Arc::new(compiled(&own).expect("its own text"))).expect("a pack");
        assert_eq!(again.digest(), pack.digest());
    }
}

fn compiled(text: &[u8]) -> Result<Vec<u8>, read::CanonicalListError> {
    let (pack, digest) = read::compile(text, 1 << 20, Cursor::new(Vec::new()))?;
    assert_eq!(digest, blake3::hash(text));
    Ok(pack.into_inner())
}

/// A difference: refused, or it leads to the text that it names; and the difference of any two texts
/// leads from one to the other.
pub fn release_delta(octets: &[u8]) {
    let (old, rest) = octets.split_at(octets.len() / 2);
    for old in [old, b"@rules a\na\nb\n@total 2\n"] {
        let mut new = Vec::new();
        if let Ok(head) = delta::apply(old, rest, 1 << 16, &mut new) {
            assert_eq!((head.old, head.new), (blake3::hash(old), blake3::hash(&new)));
        }
    }
    let whole = |text: &[u8]| if text.is_empty() { Vec::new() } else { [text, b"\n"].concat() };
    let (old, new) = (whole(old), whole(rest));
    let (mut difference, mut found) = (Vec::new(), Vec::new());
    delta::diff(&old, &new, (1, 2), &mut difference).expect("memory");
    delta::apply(&old[..], &difference[..], new.len() as u64, &mut found).expect("its own");
    assert_eq!(found, new);
    // Unpacking ends, within the memory of one window.
    if let Ok(unpacker) = packed::unpacker(octets) {
        let _ = unpacker.take(1 << 20).read_to_end(&mut Vec::new());
    }
}

/// A small pack with names that are text and names that are not.
static GOOD_PACK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut compiler = Compiler::new(SEED, ["adult", "games"].map(String::from));
    for number in 0..200 {
        let name = match number % 3 {
            0 => format!("n{number}.example.com"),
            1 => format!("www.shop{number}.example"),
            _ => format!("{number}.casino.co.uk"),
        };
        let rule = Rule {
            category: CategoryId::new(number % 2).expect("a category"),
            scope: Scope::Subtree,
            effect: if number % 7 == 0 { Effect::Clear } else { Effect::Add },
            action: Action::Default,
            source: 0,
        };
        let name = Name::from_text(&name).expect("a name");
        compiler.add(name.as_wire(), rule).expect("few rules");
    }
    for (number, text) in ["/^ads[0-9]+\\./", "||ad*.example|"].into_iter().enumerate() {
        let target = Target {
            subject: Subject::Pattern(text.into()),
            types: QueryTypes::Only([28].into()),
            spared: [(*b"\x03n14\x07example\x03com\0").into()].into(),
        };
        let rule = Rule {
            category: CategoryId::new(number).expect("a category"),
            scope: Scope::Exact,
            effect: Effect::AddImportant,
            action: Action::NoData,
            source: 0,
        };
        compiler.add_target(TargetedRule { target, rule });
    }
    compiler.finish_in_memory().expect("a pack")
});

/// A form that a browser sends to the portal: its fields, and the site that one of them names. A site is
/// written so that it is read as the same one.
pub fn form(octets: &[u8]) {
    let fields = Fields::read(octets);
    let Some(Ok(site)) = fields.get("name").map(AskedSite::read) else { return };
    assert_eq!(AskedSite::read(&site.text()), Ok(site));
}

/// What a school forwards to its department: read whole or refused.
pub fn forwarded(octets: &[u8]) {
    if let Err(error) = ForwardedFile::parse(octets) {
        assert!(!error.to_string().is_empty());
    }
}
