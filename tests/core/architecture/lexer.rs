//! Lexer for Rust text, as far as the architecture tests need it: words and marks with their
//! lines. Comments are dropped; a string is one token, so that nothing in it is read as code.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or keyword.
    Word,
    /// `::`, two or more dots, or one character of punctuation.
    Mark,
    /// A string literal; `text` is its contents, escapes as written.
    Text,
    /// A number, a character or a lifetime.
    Other,
}

/// One token and the line on which it begins.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its characters.
    pub(crate) text: String,
    /// Its line, from 1.
    pub(crate) line: usize,
}

impl Token {
    /// True for this word.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// True for this mark.
    pub(crate) fn is_mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }
}

/// The tokens of a text.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0, line: 1, found: Vec::new() };
    while lexer.at < lexer.chars.len() {
        lexer.token();
    }
    lexer.found
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    found: Vec<Token>,
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    /// Takes `count` characters, and counts lines.
    fn take(&mut self, count: usize) -> String {
        let end = (self.at + count).min(self.chars.len());
        let taken: String = self.chars[self.at..end].iter().collect();
        self.line += taken.matches('\n').count();
        self.at = end;
        taken
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> String {
        let count = self.chars[self.at..].iter().take_while(|c| fits(**c)).count();
        self.take(count)
    }

    fn push(&mut self, kind: Kind, text: String, line: usize) {
        self.found.push(Token { kind, text, line });
    }

    fn token(&mut self) {
        let line = self.line;
        let (first, second) = (self.peek(0), self.peek(1));
        if first.is_whitespace() {
            self.take(1);
        } else if first == '/' && second == '/' {
            self.take_while(|c| c != '\n');
        } else if first == '/' && second == '*' {
            self.block_comment();
        } else if let Some(prefix) = self.string_prefix() {
            let text = self.string(prefix);
            self.push(Kind::Text, text, line);
        } else if first == '\'' || (first == 'b' && second == '\'') {
            self.quote();
        } else if first == 'r' && second == '#' {
            self.take(2);
            let word = self.take_while(in_word);
            self.push(Kind::Word, word, line);
        } else if first.is_ascii_digit() {
            self.number();
        } else if in_word(first) {
            let word = self.take_while(in_word);
            self.push(Kind::Word, word, line);
        } else {
            let count = match (first, second) {
                (':', ':') => 2,
                ('.', '.') => self.chars[self.at..].iter().take_while(|c| **c == '.').count(),
                _ => 1,
            };
            let mark = self.take(count);
            self.push(Kind::Mark, mark, line);
        }
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.take(1);
                    continue;
                }
            }
            self.take(2);
            if depth == 0 {
                return;
            }
        }
    }

    /// The number of characters before the quote or hashes of a string that begins here, and
    /// whether it is raw; nothing where none begins.
    fn string_prefix(&self) -> Option<(usize, bool)> {
        let letters = (0..3).take_while(|n| "bcr".contains(self.peek(*n))).count();
        let raw = letters > 0 && self.peek(letters - 1) == 'r';
        let hashes = if raw {
            self.chars[self.at + letters..].iter().take_while(|c| **c == '#').count()
        } else {
            0
        };
        (letters < 3 && self.peek(letters + hashes) == '"').then_some((letters, raw))
    }

    fn string(&mut self, (letters, raw): (usize, bool)) -> String {
        self.take(letters);
        let hashes = self.take_while(|c| c == '#').len();
        self.take(1);
        let from = self.at;
        while self.at < self.chars.len() {
            match self.peek(0) {
                '\\' if !raw => {
                    self.take(2);
                }
                '"' if (1..=hashes).all(|n| self.peek(n) == '#') => break,
                _ => {
                    self.take(1);
                }
            }
        }
        let text = self.chars[from..self.at].iter().collect();
        self.take(1 + hashes);
        text
    }

    /// A character or a lifetime: `'a'` closes, `'a` does not.
    fn quote(&mut self) {
        let line = self.line;
        self.take(usize::from(self.peek(0) == 'b') + 1);
        if self.peek(0) == '\\' {
            self.take(2);
            self.take_while(|c| c != '\'');
            self.take(1);
        } else if self.peek(1) == '\'' {
            self.take(2);
        } else {
            self.take_while(in_word);
        }
        self.push(Kind::Other, String::new(), line);
    }

    /// A number: its point belongs to it only where a digit follows (`1.max(2)`, `0..9`).
    fn number(&mut self) {
        let line = self.line;
        self.take_while(in_word);
        if self.peek(0) == '.' && self.peek(1).is_ascii_digit() {
            self.take(1);
            self.take_while(in_word);
        }
        self.push(Kind::Other, String::new(), line);
    }
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = r##"
        a /* b /* c */ d */ e // f
        "g \" h" i r#"j " k"# l b"m" 'n' 'o p b'"' q '\'' r '\u{1F}' s
        1.5 t 0..9 u 1.max(2) r#type "v
        w" x
    "##;
    let found = tokens(text);
    let words: Vec<&str> =
        found.iter().filter(|t| t.kind == Kind::Word).map(|t| t.text.as_str()).collect();
    assert_eq!(words.join(" "), "a e i l p q r s t u max type x");
    let lines: Vec<usize> = ["a", "i", "x"]
        .iter()
        .filter_map(|w| found.iter().find(|t| t.is_word(w)).map(|t| t.line))
        .collect();
    assert_eq!(lines, [2, 3, 5]);
}
