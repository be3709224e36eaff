//! Where items end, and which of them exist in tests only.

use super::lexer::{Kind, Token};

/// True for an attribute whose item exists in tests only.
fn only_tests(attribute: &[Token]) -> bool {
    match attribute {
        [one] => one.is_word("test"),
        [cfg, inner @ ..] if cfg.is_word("cfg") => proves_test(inner),
        _ => false,
    }
}

/// True where a predicate in parentheses holds in tests only.
fn proves_test(tokens: &[Token]) -> bool {
    let [open, inner @ .., close] = tokens else { return false };
    if !open.is_mark("(") || !close.is_mark(")") {
        return false;
    }
    let mut depth = 0;
    let mut parts = inner.split(|t| {
        depth += i32::from(t.is_mark("(")) - i32::from(t.is_mark(")"));
        depth == 0 && t.is_mark(",")
    });
    parts.any(|part| match part {
        [one] => one.is_word("test"),
        [all, rest @ ..] if all.is_word("all") => proves_test(rest),
        _ => false,
    })
}

/// The index behind the bracket that closes the one at `at`.
pub(crate) fn closed(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        if token.kind == Kind::Mark {
            match token.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return index + 1;
            }
        }
    }
    tokens.len()
}

/// The index behind the attribute at `at`, if there is one.
pub(crate) fn attribute(tokens: &[Token], at: usize) -> Option<(usize, usize)> {
    if !tokens.get(at)?.is_mark("#") {
        return None;
    }
    let open = at + 1 + usize::from(tokens.get(at + 1)?.is_mark("!"));
    tokens.get(open)?.is_mark("[").then(|| (open, closed(tokens, open)))
}

/// Words with which an item begins that ends at `;`, whatever braces are in it.
const TO_SEMICOLON: [&str; 5] = ["use", "static", "type", "let", "const"];

/// Words with which an item begins that ends at its braces, or at `;`.
const TO_BRACES: [&str; 12] = [
    "fn",
    "struct",
    "enum",
    "trait",
    "union",
    "impl",
    "mod",
    "unsafe",
    "async",
    "extern",
    "macro_rules",
    "auto",
];

/// The index behind the item, statement, field or arm at `at`.
pub(crate) fn item_end(tokens: &[Token], mut at: usize) -> usize {
    let word = |at: usize| tokens.get(at).map_or("", |t| t.text.as_str());
    if word(at) == "pub" {
        at += 1;
        if word(at) == "(" {
            at = closed(tokens, at);
        }
    }
    let is_fn = word(at) == "const" && TO_BRACES.contains(&word(at + 1));
    let is_field = word(at + 1) == ":" || word(at + 1) == ",";
    let semicolon = !is_field && TO_SEMICOLON.contains(&word(at)) && !is_fn;
    let braces = !is_field && (is_fn || TO_BRACES.contains(&word(at)));
    while at < tokens.len() {
        match word(at) {
            ";" => return at + 1,
            "," if !semicolon && !braces => return at + 1,
            ")" | "]" | "}" => return at,
            "{" if !semicolon => {
                let end = closed(tokens, at);
                // An arm or a field may go on behind its braces, to its comma.
                return end + usize::from(!braces && word(end) == ",");
            }
            "(" | "[" | "{" => at = closed(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// Tokens outside tests, and those of tests.
pub(crate) fn divide(all: &[Token]) -> (Vec<Token>, Vec<Token>) {
    let (mut live, mut tests) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < all.len() {
        let Some((open, mut end)) = attribute(all, at) else {
            live.push(all[at].clone());
            at += 1;
            continue;
        };
        if !only_tests(&all[open + 1..end - 1]) {
            live.extend_from_slice(&all[at..end]);
            at = end;
            continue;
        }
        if open == at + 2 {
            // `#![cfg(test)]`: the whole file.
            tests.append(&mut live);
            tests.extend_from_slice(&all[end..]);
            return (live, tests);
        }
        let from = end;
        while let Some((_, next)) = attribute(all, end) {
            end = next;
        }
        at = item_end(all, end);
        tests.extend_from_slice(&all[from..at]);
    }
    (live, tests)
}
