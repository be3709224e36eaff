//! Text of an export: lines of a program with comments in its own syntax.

use crate::lang::{Lang, Message};

/// How a program writes a comment of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommentStyle {
    /// `# …`
    Hash,
    /// `// …`
    Slashes,
    /// `<!-- … -->`
    Xml,
    /// `REM …`
    Rem,
}

/// Lines and comments, in the order in which they are printed.
#[derive(Debug)]
pub(super) struct CommentedLines {
    style: CommentStyle,
    lang: Lang,
    out: String,
}

impl CommentedLines {
    /// No lines yet.
    pub(super) fn new(style: CommentStyle, lang: Lang) -> Self {
        Self { style, lang, out: String::new() }
    }

    /// Adds lines as they are.
    pub(super) fn put(&mut self, line: impl AsRef<str>) {
        self.out += line.as_ref();
        self.out.push('\n');
    }

    /// Adds a comment.
    pub(super) fn say(&mut self, message: &Message) {
        let text = message.in_lang(self.lang);
        self.put_comment(&text);
    }

    /// Adds lines of the program that do not act before somebody takes the comment away.
    pub(super) fn put_comment(&mut self, text: &str) {
        let line = match self.style {
            CommentStyle::Hash => format!("# {text}"),
            CommentStyle::Slashes => format!("// {text}"),
            // Two hyphens end a comment of XML too early (XML 1.0 §2.5).
            CommentStyle::Xml => format!("<!-- {} -->", text.replace("--", "- -")),
            CommentStyle::Rem => format!("REM {text}"),
        };
        self.put(line);
    }

    /// Adds an empty line.
    pub(super) fn gap(&mut self) {
        self.out.push('\n');
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_ends_where_its_line_does() {
        let mut lines = CommentedLines::new(CommentStyle::Xml, Lang::En);
        lines.say(&Message::english("give `--name`"));
        assert_eq!(lines.finish(), "<!-- give `- -name` -->\n");
    }
}
