//! The five questions at a terminal. Each is asked until its answer is right, and is judged as the
//! same answer in a file is.

use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use crate::category::Level;
use crate::cli::setup::answers::SetupAnswers;
use crate::lang::{Lang, Message, messages};

/// What the machine suggests.
#[derive(Debug, Default)]
pub(super) struct Suggestions {
    pub(super) addresses: Vec<String>,
    pub(super) servers: Vec<String>,
    pub(super) school: Option<String>,
    pub(super) enrolment: Option<PathBuf>,
}

/// The tables of an answers file that are good so far. Those that are not asked yet have an answer
/// that is right, so that one question is judged alone.
struct Draft {
    school: String,
    level: String,
    network: String,
    upstream: String,
    department: String,
    lang: Lang,
}

impl Draft {
    fn text(&self) -> String {
        let Self { school, level, network, upstream, department, lang } = self;
        format!(
            "lang = \"{}\"\n[school]\n{school}{level}[network]\n{network}[upstream]\n{upstream}\
             [department]\n{department}",
            lang.id()
        )
    }

    fn answers(&self) -> Result<SetupAnswers, Vec<Message>> {
        let parsed = SetupAnswers::parse(&self.text(), Path::new(""), None);
        parsed.map_err(|(mistakes, _)| {
            mistakes.into_iter().flat_map(|one| [Some(one.message), one.hint]).flatten().collect()
        })
    }
}

/// Asks at a terminal.
///
/// # Errors
///
/// The input ends, or the output is closed.
pub(super) fn ask(
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    found: &Suggestions,
    lang: Lang,
) -> io::Result<SetupAnswers> {
    let list = |each: &[&str]| {
        let quoted: Vec<String> = each.iter().map(quoted).collect();
        format!("[{}]", quoted.join(", "))
    };
    let mut draft = Draft {
        school: "id = \"school\"\n".to_owned(),
        level: "level = \"primary\"\n".to_owned(),
        network: "addresses = [\"192.0.2.1\"]\n".to_owned(),
        upstream: "servers = [\"udp://192.0.2.53\"]\n".to_owned(),
        department: String::new(),
        lang,
    };
    let mut dialogue = Dialogue { input, output, lang };
    let school = found.school.clone().unwrap_or_default();
    dialogue.until(&mut draft, &messages::setup_ask_school(), &school, |draft, line| {
        let (id, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        draft.school = format!("id = {}\nname = {}\n", quoted(id), quoted(name.trim()));
    })?;
    let levels = Level::ALL.map(Level::id).join(", ");
    dialogue.until(&mut draft, &messages::setup_ask_level(levels), "", |draft, line| {
        draft.level = format!("level = {}\n", quoted(line));
    })?;
    let addresses = found.addresses.join(" ");
    dialogue.until(&mut draft, &messages::setup_ask_network(), &addresses, |draft, line| {
        let (clients, own): (Vec<&str>, Vec<&str>) =
            line.split_whitespace().partition(|word| word.contains('/'));
        draft.network = format!("addresses = {}\nclients = {}\n", list(&own), list(&clients));
    })?;
    let servers = found.servers.join(" ");
    dialogue.until(&mut draft, &messages::setup_ask_upstream(), &servers, |draft, line| {
        let each: Vec<&str> = line.split_whitespace().collect();
        draft.upstream = format!("servers = {}\n", list(&each));
    })?;
    let file =
        found.enrolment.as_deref().map_or_else(String::new, |path| path.display().to_string());
    dialogue.until(&mut draft, &messages::setup_ask_department(), &file, |draft, line| {
        draft.department = format!("enrolment = {}\n", quoted(line));
    })
}

struct Dialogue<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
    lang: Lang,
}

impl Dialogue<'_> {
    /// Asks one question until its answer is right; an empty line is the suggestion.
    fn until(
        &mut self,
        draft: &mut Draft,
        question: &Message,
        suggestion: &str,
        put: impl Fn(&mut Draft, &str),
    ) -> io::Result<SetupAnswers> {
        loop {
            let shown = question.in_lang(self.lang);
            let default =
                if suggestion.is_empty() { String::new() } else { format!(" [{suggestion}]") };
            write!(self.output, "\n{shown}{default}\n> ")?;
            self.output.flush()?;
            let mut line = String::new();
            if self.input.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim();
            put(draft, if line.is_empty() { suggestion } else { line });
            match draft.answers() {
                Ok(answers) => return Ok(answers),
                Err(mistakes) => {
                    for one in mistakes {
                        writeln!(self.output, "  ! {}", one.in_lang(self.lang))?;
                    }
                }
            }
        }
    }
}

fn quoted(text: impl Display) -> String {
    toml::Value::from(text.to_string()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_is_asked_until_it_is_right() {
        let typed = "đà-bắc\nthcs-da-bac THCS Đà Bắc\nsecondary\nlower-secondary\n\n\
                     dns.google\nudp://203.113.131.1\n\n";
        let found =
            Suggestions { addresses: vec!["192.168.1.2".to_owned()], ..Suggestions::default() };
        let mut output = Vec::new();
        let answers = ask(&mut typed.as_bytes(), &mut output, &found, Lang::En).unwrap();
        assert_eq!((answers.id.as_str(), answers.name.as_str()), ("thcs-da-bac", "THCS Đà Bắc"));
        assert_eq!(answers.level, Level::LowerSecondary);
        assert_eq!(
            (answers.servers.as_slice(), answers.enrolment),
            (&["udp://203.113.131.1".to_owned()][..], None)
        );
        insta::assert_snapshot!(String::from_utf8(output).unwrap());
    }

    #[test]
    fn an_input_that_ends_is_no_answer() {
        let ended = ask(&mut "".as_bytes(), &mut Vec::new(), &Suggestions::default(), Lang::Vi);
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
