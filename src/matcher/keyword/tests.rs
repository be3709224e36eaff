//! Messages and small parts; `tests/core/keywords/` tests the meaning of whole rule sets.

use super::table::shields_over;
use super::*;
use crate::category::{Category, CategoryLock, DefaultAction, Taxonomy};
use crate::dns::name::Folded;

fn categories() -> Taxonomy {
    let row = |id: &str, is_positive| Category {
        id: id.into(),
        vi: id.into(),
        en: id.into(),
        lock: CategoryLock::None,
        is_protected: false,
        is_sensitive: false,
        is_positive,
        fails_closed: false,
        duty: None,
        defaults: [DefaultAction::Block; 7],
    };
    Taxonomy::new(vec![row("adult", false), row("gambling", false), row("safe", true)]).unwrap()
}

fn mistakes(text: &str) -> String {
    let mistakes = KeywordRules::parse(text, &categories()).expect_err("a mistake");
    mistakes.iter().map(|mistake| mistake.render("keywords.txt", text)).collect()
}

/// One mistake a line.
const MISTAKES: &str = "\
blok gambling *nhacai*
block gamblng *nhacai*
block gambling nhacai
block gambling *nhacai
block gambling
block gambling *tàixỉu*
block gambling *Casino*
block gambling *b.t*
block gambling **
block gambling *
block gambling *x* observe adult *y*
block safe *truong*
shield
tld blok adult xxx
tld block adult .xxx
protect gov..vn
";

#[test]
fn every_mistake_is_shown_at_once_with_a_way_out() {
    insta::assert_snapshot!(mistakes(MISTAKES), @r#"
    keywords.txt:1:1: unknown rule `blok`; a line starts with block, observe, shield, tld or protect
      |
    1 | blok gambling *nhacai*
      | ^^^^
    hint: did you mean `block`?
    keywords.txt:2:7: unknown category `gamblng`; one of adult, gambling
      |
    2 | block gamblng *nhacai*
      |       ^^^^^^^
    hint: did you mean `gambling`?
    keywords.txt:3:16: `nhacai` has no left edge, `^`, `|`, `#` or `*`
      |
    3 | block gambling nhacai
      |                ^^^^^^
    hint: write `*nhacai*` for anywhere in a label, `|nhacai|` for a whole word
    keywords.txt:4:16: `*nhacai` has no right edge, `$`, `|`, `#` or `*`
      |
    4 | block gambling *nhacai
      |                ^^^^^^^
    hint: write `*nhacai*` for anywhere in a label, `|nhacai|` for a whole word
    keywords.txt:5:15: the rule stops here, too early
      |
    5 | block gambling
      |               ^
    hint: write `block CATEGORY PATTERN`
    keywords.txt:6:18: `à` cannot stand in a keyword; a to z, 0 to 9 and `-` can
      |
    6 | block gambling *tàixỉu*
      |                  ^
    hint: write `taixiu`; names are compared in lower case and without accents
    keywords.txt:7:17: `C` cannot stand in a keyword; a to z, 0 to 9 and `-` can
      |
    7 | block gambling *Casino*
      |                 ^
    hint: write `casino`; names are compared in lower case and without accents
    keywords.txt:8:18: `.` cannot stand in a keyword; a to z, 0 to 9 and `-` can
      |
    8 | block gambling *b.t*
      |                  ^
    keywords.txt:9:16: `**` has no word between its edges
      |
    9 | block gambling **
      |                ^^
    hint: write a word of letters a to z, digits and `-`, as in `*nhacai*`
    keywords.txt:10:16: `*` has no right edge, `$`, `|`, `#` or `*`
       |
    10 | block gambling *
       |                ^
    hint: write a word between two edges, as in `*nhacai*`
    keywords.txt:11:20: `observe` stands after the end of the rule
       |
    11 | block gambling *x* observe adult *y*
       |                    ^^^^^^^
    hint: put each rule on its own line, and `#` before a comment
    keywords.txt:12:7: `safe` is a category of good names and never blocks
       |
    12 | block safe *truong*
       |       ^^^^
    hint: keep names from keywords with `protect SUFFIX`
    keywords.txt:13:7: the rule stops here, too early
       |
    13 | shield
       |       ^
    hint: write `shield WORD`
    keywords.txt:14:5: unknown tier `blok`; a tier is block or observe
       |
    14 | tld blok adult xxx
       |     ^^^^
    hint: did you mean `block`?
    keywords.txt:15:17: `.xxx` has a dot; `tld` takes the last label alone
       |
    15 | tld block adult .xxx
       |                 ^^^^
    hint: write `xxx`
    keywords.txt:16:9: `gov..vn` is not a name: a label is empty; write single dots between labels
       |
    16 | protect gov..vn
       |         ^^^^^^^
    "#);
}

#[test]
fn comments_stand_alone_or_after_a_whole_rule() {
    let text = "\u{feff}# a file\r\n\r\n  block gambling #bet| # two edges\r\nshield abet# \n";
    let shown = mistakes(text);
    assert!(shown.starts_with("keywords.txt:4:12: `#` cannot stand in a keyword"), "{shown}");
    let text = text.replace("abet#", "abet #");
    let rules = KeywordRules::parse(&text, &categories()).unwrap();
    assert_eq!((rules.len(), rules.shields.len()), (1, 1));
    assert_eq!(rules.rules.first().map(|rule| rule.line), Some(3));
}

#[test]
fn some_other_file_is_not_read_to_its_end() {
    let text = "<html>\n".repeat(5000);
    let mistakes = KeywordRules::parse(&text, &categories()).expect_err("mistakes");
    assert_eq!(mistakes.len(), 101);
    let last = mistakes.last().unwrap().message.in_lang(crate::lang::Lang::En);
    assert_eq!(last, "100 mistakes; the rest was not read");
}

#[test]
fn a_literal_longer_than_a_label_is_refused() {
    let fits = format!("block adult *{}*", "a".repeat(63));
    assert!(KeywordRules::parse(&fits, &categories()).is_ok());
    assert!(mistakes(&format!("block adult *{}*", "a".repeat(64))).contains("64 characters"));
}

#[test]
fn no_rules_hit_nothing() {
    let keywords = Keywords::compile(KeywordRules::parse("", &categories()).unwrap());
    let name = Folded::from_name(&crate::dns::name::Name::from_text("casino.bet").unwrap());
    assert!(keywords.is_empty());
    assert_eq!(keywords.lookup(&name), KeywordMatch::default());
    let root = Folded::from_name(&crate::dns::name::Name::root());
    assert_eq!(keywords.lookup(&root), KeywordMatch::default());
}

#[test]
fn a_guarded_name_keeps_its_labels_from_rules_that_block_in_its_category() {
    let text = "block gambling *casino*\nblock adult *casino*\nobserve gambling *casino*\n\
                tld block gambling bet\n";
    let mut keywords = Keywords::compile(KeywordRules::parse(text, &categories()).unwrap());
    let name = |text: &str| crate::dns::name::Name::from_text(text).unwrap();
    let gambling = categories().find("gambling").unwrap();
    let (guarded, before) = ([name("casino.example"), name("fine.bet")], keywords.digest());
    keywords.guard(&guarded, |_, hit| hit.category == gambling);
    assert_ne!(keywords.digest(), before);
    let look = |text: &str| {
        let found = keywords.lookup(&Folded::from_name(&name(text)));
        (
            found.block.contains(gambling),
            found.block.iter().count(),
            found.observe.contains(gambling),
        )
    };
    assert_eq!(look("casino.example"), (false, 1, true));
    assert_eq!(look("x.casino.example"), (false, 1, true));
    assert_eq!(look("casino.casino.example"), (true, 2, true));
    assert_eq!(look("mycasino.example"), (true, 2, true));
    assert_eq!(look("www.fine.bet"), (false, 0, false));
    assert_eq!(look("other.bet"), (true, 1, false));
}

#[test]
fn labels_fold_as_the_table_of_spellings_says() {
    let fold = |label: &str| {
        let mut buffer = [0; fold::ROOM];
        fold::label(label.as_bytes(), &mut buffer)
            .map(|plain| String::from_utf8(plain.to_vec()).unwrap())
    };
    for (wire, plain) in [
        ("xn--tingvit-5t4cyc", "tiengviet"),
        ("xn--tnmintingvit-oeb8308h0a8h", "tenmientiengviet"),
        ("xn--th-9ja9i637n", "thudo"),
        ("xn--chnhph-4va0152d", "chinhphu"),
        ("xn--habnh-vsa3b", "hoabinh"),
        ("xn--hobnh-sqa9f", "hoabinh"),
        ("xn--tixu-0na8507b", "taixiu"),
        ("xn--nh88-m7a4036b", "nohu88"),
        ("xn--xs-k9so", "xoso"),
        ("xn--l-xga1g806l", "lode"),
        ("xn--nhciuytn-0yal0l", "nhacaiuytin"),
        ("xn--bnc-gla1629a", "banca"),
        ("xn--nhbc-4na10a004p", "danhbac"),
        ("xn--xca-gna5mtf", "xocdia"),
    ] {
        assert_eq!(fold(wire).as_deref(), Some(plain), "{wire}");
    }
    // Cyrillic і and о, and the dotless ı of Turkish: look-alikes stay what they are.
    for wire in ["xn--vetcombank-x2i", "xn--ggle-55da", "xn--vetcombank-xub", "xn--99999999"] {
        assert_eq!(fold(wire), None, "{wire}");
    }
}

#[test]
fn only_shields_that_can_cover_a_word_are_kept_with_it() {
    let shields: Vec<Box<[u8]>> =
        ["essex", "sussex", "zhentai"].map(|word| word.as_bytes().into()).to_vec();
    let over = |word: &str| shields_over(word.as_bytes(), &shields).len();
    // Once in each of essex and sussex: `sex`. The `ss` before it cannot begin the word.
    assert_eq!(over("sexcam"), 2);
    assert_eq!(over("hentai"), 1);
    assert_eq!(over("casino"), 0);
}
