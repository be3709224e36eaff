//! One file of Rust as the architecture tests see it: what it defines, imports and names.
//! Items under `#[cfg(test)]` and `#[test]` are apart, wherever they stand.

use std::collections::BTreeSet;
use std::ops::Range;

use super::divide::{attribute, closed, divide, item_end};
use super::lexer::{Kind, Token, tokens};

/// A leaf of a `use` tree.
#[derive(Debug)]
pub(crate) struct Import {
    /// Its whole path; for a glob, what is globbed.
    pub(crate) path: Vec<String>,
    /// The name that it brings in.
    pub(crate) name: String,
    /// True for `*`.
    pub(crate) glob: bool,
    /// True for `pub use` of any width: a re-export.
    pub(crate) exported: bool,
    /// The inline module it stands in.
    pub(crate) module: Vec<String>,
    /// Its line.
    pub(crate) line: usize,
}

/// A path in code. One word is a path too.
#[derive(Debug)]
pub(crate) struct Mention {
    /// Its words.
    pub(crate) path: Vec<String>,
    /// True where `(` or `!` follows.
    pub(crate) called: bool,
    /// The inline module it stands in.
    pub(crate) module: Vec<String>,
    /// Its line.
    pub(crate) line: usize,
}

/// Something with a name.
#[derive(Debug)]
pub(crate) struct Definition {
    /// Its keyword: `fn`, `struct`, …
    pub(crate) kind: String,
    /// Its name.
    pub(crate) name: String,
    /// True for `pub` of any width.
    pub(crate) public: bool,
    /// True for an item of a module, false for what an `impl` or a function has in it.
    pub(crate) item: bool,
    /// The inline module it stands in.
    pub(crate) module: Vec<String>,
    /// Its line.
    pub(crate) line: usize,
}

/// A module that is declared here: `mod x;` or `mod x { … }`.
#[derive(Debug)]
pub(crate) struct Child {
    /// Its path below the file.
    pub(crate) module: Vec<String>,
    /// True where its text stands in this file.
    pub(crate) inline: bool,
    /// True under `#[cfg(test)]`.
    pub(crate) test: bool,
}

/// One file.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Leaves of `use` trees.
    pub(crate) imports: Vec<Import>,
    /// Paths in code.
    pub(crate) mentions: Vec<Mention>,
    /// What has a name.
    pub(crate) definitions: Vec<Definition>,
    /// Modules.
    pub(crate) children: Vec<Child>,
    /// Every word outside tests that names something, definitions and re-exports apart.
    pub(crate) words: BTreeSet<String>,
    /// Those of them that may name a member of a type: `x.word()`, `X::word`.
    pub(crate) members: BTreeSet<String>,
    /// Every word of tests.
    pub(crate) test_words: BTreeSet<String>,
}

impl Source {
    /// Reads a text.
    pub(crate) fn new(text: &str) -> Self {
        let mut source = Self::default();
        let (live, tests) = divide(&tokens(text));
        for pair in tests.windows(3) {
            if pair[0].is_word("mod") && pair[2].is_mark(";") {
                let module = vec![pair[1].text.clone()];
                source.children.push(Child { module, inline: false, test: true });
            }
        }
        source.test_words = tests.iter().flat_map(words_of).collect();
        Reader { tokens: live, source: &mut source, module: Vec::new(), silent: 0..0 }
            .items_to_end();
        source
    }
}

/// All words of a text that is a test or a benchmark.
pub(crate) fn words(text: &str) -> BTreeSet<String> {
    tokens(text).iter().flat_map(words_of).collect()
}

/// Words that a token may stand for: its own, or those that a string names (`"{width}"`,
/// `with = "seconds"`).
fn words_of(token: &Token) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    match token.kind {
        Kind::Word => vec![token.text.clone()],
        Kind::Text if token.text.chars().all(is_path) => {
            token.text.split("::").map(str::to_owned).collect()
        }
        Kind::Text => {
            let ends = |c: char| !c.is_alphanumeric() && c != '_';
            let inner = token.text.split('{').skip(1);
            inner.map(|t| t.split(ends).next().unwrap_or("").to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

/// Keywords that begin no path.
const KEYWORDS: [&str; 37] = [
    "as",
    "async",
    "await",
    "break",
    "const",
    "continue",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "static",
    "struct",
    "trait",
    "true",
    "type",
    "unsafe",
    "use",
    "where",
    "while",
    "Self",
    "union",
    "macro_rules",
];

/// Keywords behind which a name is defined.
const DEFINES: [&str; 8] = ["fn", "struct", "enum", "trait", "type", "const", "static", "union"];

struct Reader<'a> {
    tokens: Vec<Token>,
    source: &'a mut Source,
    module: Vec<String>,
    /// The type of an `impl`: its own methods do not make it used.
    silent: Range<usize>,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |t| t.text.as_str())
    }

    fn is_word(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|t| t.kind == Kind::Word)
    }

    fn items_to_end(&mut self) {
        self.items(0, self.tokens.len());
    }

    /// Reads the items of one module.
    fn items(&mut self, mut at: usize, end: usize) {
        while at < end {
            if let Some((open, close)) = attribute(&self.tokens, at) {
                self.scan(open, close, true);
                at = close;
                continue;
            }
            let close = item_end(&self.tokens, at).max(at + 1);
            let keyword = self.behind_pub(at);
            if self.text(keyword) == "mod" && self.is_word(keyword + 1) {
                let inline = self.text(keyword + 2) == "{";
                self.module.push(self.text(keyword + 1).to_owned());
                let module = self.module.clone();
                self.source.children.push(Child { module, inline, test: false });
                if inline {
                    self.items(keyword + 3, close - 1);
                }
                self.module.pop();
            } else {
                self.item(at, keyword, close);
            }
            at = close;
        }
    }

    /// Reads an item that is no module: its name, then what stands in it.
    fn item(&mut self, at: usize, keyword: usize, close: usize) {
        let mut name = keyword;
        while ["const", "unsafe", "async", "extern", "static", "mut", "auto"]
            .contains(&self.text(name))
            || self.tokens.get(name).is_some_and(|t| t.kind == Kind::Text)
        {
            name += 1;
        }
        let before = self.text(name.saturating_sub(1)).to_owned();
        let (kind, name) = match self.text(name) {
            "macro_rules" => ("macro_rules".to_owned(), name + 2),
            word if DEFINES.contains(&word) => (word.to_owned(), name + 1),
            _ if name > keyword => (if before == "mut" { "static".into() } else { before }, name),
            "impl" => {
                let open = (name..close).find(|i| self.text(*i) == "{").unwrap_or(close);
                let subject = (name..open).rev().find(|i| self.text(*i) == "for").unwrap_or(name);
                self.silent = subject..open;
                return self.scan(at, close, false);
            }
            _ => return self.scan(at, close, false),
        };
        self.define(kind, name, keyword > at, true);
        self.scan(at, close, false);
    }

    fn define(&mut self, kind: String, at: usize, public: bool, item: bool) {
        if self.is_word(at) {
            let (name, line) = (self.text(at).to_owned(), self.tokens[at].line);
            let module = self.module.clone();
            self.source.definitions.push(Definition { kind, name, public, item, module, line });
        }
    }

    /// The index behind a `pub` at `at`.
    fn behind_pub(&self, at: usize) -> usize {
        match (self.text(at), self.text(at + 1)) {
            ("pub", "(") => closed(&self.tokens, at + 1),
            ("pub", _) => at + 1,
            _ => at,
        }
    }

    /// Reads paths, imports and inner definitions between two indices.
    fn scan(&mut self, mut at: usize, end: usize, attribute: bool) {
        let top = at;
        while at < end {
            let token = self.tokens[at].clone();
            let before = if at == 0 { "" } else { self.text(at - 1) };
            if token.kind == Kind::Text {
                if attribute && before == "=" && token.text.contains("::") {
                    let mut path: Vec<String> = token.text.split("::").map(str::to_owned).collect();
                    if self.text(at - 2) == "with" {
                        // serde's `with` names a module for the functions in it.
                        path.push("deserialize".to_owned());
                    }
                    self.mention(path, true, token.line);
                }
                self.source.words.extend(words_of(&token));
                if attribute {
                    self.source.members.extend(words_of(&token));
                }
                at += 1;
            } else if token.kind != Kind::Word {
                at += 1;
            } else if token.is_word("use") && (self.is_word(at + 1) || self.text(at + 1) != "<") {
                let mut public = at;
                while public > top && self.text(public) != "pub" && self.text(public) != ";" {
                    public -= 1;
                }
                let exported = self.behind_pub(public) == at && public < at;
                at = self.tree(&mut Vec::new(), at + 1, exported);
            } else if DEFINES.contains(&token.text.as_str()) && self.is_word(at + 1) {
                at = self.inner(at, top);
            } else if KEYWORDS.contains(&token.text.as_str()) {
                if token.text == "async" || token.text == "await" {
                    self.mention(vec![token.text.clone()], true, token.line);
                }
                at += 1;
            } else if before == "." || self.is_behind_type(at) {
                if before != "." || ["(", "::"].contains(&self.text(at + 1)) {
                    self.source.members.insert(token.text.clone());
                }
                self.source.words.insert(token.text);
                at += 1;
            } else {
                at = self.path(at);
            }
        }
    }

    /// Reads the name behind a defining keyword; what a module has is defined already.
    fn inner(&mut self, at: usize, top: usize) -> usize {
        if DEFINES.contains(&self.text(at + 1)) || KEYWORDS.contains(&self.text(at + 1)) {
            return at + 1;
        }
        let mut first = at;
        let modifier =
            |word: &str| ["const", "unsafe", "async", "extern", "static"].contains(&word);
        while first > top && modifier(self.text(first - 1)) {
            first -= 1;
        }
        let public = first > top
            && (self.text(first - 1) == "pub"
                || (self.text(first - 1) == ")"
                    && (top..first).rev().take(5).any(|i| self.behind_pub(i) == first)));
        let known = self.source.definitions.last();
        let line = self.tokens[at + 1].line;
        if known.is_none_or(|d| d.line != line || d.name != self.text(at + 1)) {
            self.define(self.text(at).to_owned(), at + 1, public, false);
        }
        at + 2
    }

    fn mention(&mut self, path: Vec<String>, called: bool, line: usize) {
        let module = self.module.clone();
        self.source.mentions.push(Mention { path, called, module, line });
    }

    /// True for the word behind `Self::` or `<…>::`: a member, whatever else has its name.
    fn is_behind_type(&self, at: usize) -> bool {
        at > 1 && self.text(at - 1) == "::" && ["Self", ">"].contains(&self.text(at - 2))
    }

    /// Reads words joined by `::`.
    fn path(&mut self, mut at: usize) -> usize {
        let line = self.tokens[at].line;
        let mut path = vec![self.text(at).to_owned()];
        while self.text(at + 1) == "::" && self.is_word(at + 2) {
            at += 2;
            path.push(self.text(at).to_owned());
        }
        let called = ["(", "!", "::"].contains(&self.text(at + 1));
        if !self.silent.contains(&at) {
            self.source.words.extend(path.iter().cloned());
        }
        self.source.members.extend(path.iter().skip(1).cloned());
        self.mention(path, called, line);
        at + 1
    }

    /// Reads a `use` tree below a prefix; the index behind it.
    fn tree(&mut self, prefix: &mut Vec<String>, mut at: usize, exported: bool) -> usize {
        let outer = prefix.len();
        let line = self.tokens.get(at).map_or(0, |t| t.line);
        while at < self.tokens.len() {
            match self.text(at) {
                "::" => at += 1,
                "{" => {
                    let end = closed(&self.tokens, at);
                    at += 1;
                    while at + 1 < end {
                        at = self.tree(prefix, at, exported);
                        at += usize::from(self.text(at) == ",");
                    }
                    prefix.truncate(outer);
                    return end;
                }
                "*" => {
                    self.import(prefix.clone(), "*", line, exported);
                    prefix.truncate(outer);
                    return at + 1;
                }
                "as" => {
                    let name = self.text(at + 1).to_owned();
                    self.import(prefix.clone(), &name, line, exported);
                    prefix.truncate(outer);
                    return at + 2;
                }
                _ if self.is_word(at) => {
                    prefix.push(self.text(at).to_owned());
                    at += 1;
                    if !["::", "as"].contains(&self.text(at)) {
                        let name = prefix.last().cloned().unwrap_or_default();
                        self.import(prefix.clone(), &name, line, exported);
                        prefix.truncate(outer);
                        return at;
                    }
                }
                _ => return at + 1,
            }
        }
        at
    }

    fn import(&mut self, mut path: Vec<String>, name: &str, line: usize, exported: bool) {
        let mut name = name.to_owned();
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
            if name == "self" {
                name = path.last().cloned().unwrap_or_default();
            }
        }
        if !exported {
            self.source.words.extend(path.iter().cloned());
        }
        let (glob, module) = (name == "*", self.module.clone());
        self.source.imports.push(Import { path, name, glob, exported, module, line });
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
