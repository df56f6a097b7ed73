//! The text of a scenario: commands at the beginning of their lines, and under each, indented by
//! four spaces, what came back. Lines that begin with `#` and empty lines are for readers.
//!
//! The first line is a title. A line `# Source:` follows before the first command; it names what
//! the scenario takes for right: a KIP, Kafka's documentation or sources, a rule of the engine.

use std::fmt;

/// How far answers are indented.
const INDENT: &str = "    ";

/// A mistake in a script, or in how it is run: the number of the line, and what is wrong with it.
#[derive(Debug, PartialEq)]
pub(crate) struct Mistake {
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// One command and what is to come back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Command {
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) answers: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// A comment or an empty line.
    Aside(String),
    Command(Command),
}

/// A whole scenario.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Script {
    parts: Vec<Part>,
}

impl Script {
    /// Reads a scenario.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let mut parts = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let mistake = |what: &str| {
                let what = what.to_owned();
                Err(Mistake { line, what })
            };
            if let Some(answer) = text.strip_prefix(INDENT) {
                match parts.last_mut() {
                    Some(Part::Command(command)) => command.answers.push(answer.to_owned()),
                    _ => return mistake("an answer without a command before it"),
                }
            } else if text.starts_with(char::is_whitespace) {
                return mistake("answers are indented by four spaces, commands not at all");
            } else if text.is_empty() || text.starts_with('#') {
                parts.push(Part::Aside(text.to_owned()));
            } else {
                parts.push(Part::Command(Command {
                    line,
                    text: text.to_owned(),
                    answers: Vec::new(),
                }));
            }
        }
        let script = Self { parts };
        script.check_head()?;
        Ok(script)
    }

    /// A title, a source, and something expected.
    fn check_head(&self) -> Result<(), Mistake> {
        let mistake = |what: &str| {
            let what = what.to_owned();
            Err(Mistake { line: 1, what })
        };
        let mut head = self.parts.iter().map_while(|part| match part {
            Part::Aside(text) => Some(text),
            Part::Command(_) => None,
        });
        if !head.next().is_some_and(|title| title.starts_with("# ")) {
            return mistake("the first line is the title: `# Title`");
        }
        if !head.any(|text| text.starts_with("# Source: ")) {
            return mistake("a line `# Source: ...` before the first command says what is right");
        }
        Ok(())
    }

    /// Whether nothing at all is expected of what comes back.
    pub(crate) fn expects_nothing(&self) -> bool {
        self.commands().all(|command| command.answers.is_empty())
    }

    /// What a comment says that begins so.
    pub(crate) fn aside(&self, begins: &str) -> Option<&str> {
        self.parts.iter().find_map(|part| match part {
            Part::Aside(text) => text.strip_prefix(begins),
            Part::Command(_) => None,
        })
    }

    /// Its commands, in order.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.parts.iter().filter_map(|part| match part {
            Part::Aside(_) => None,
            Part::Command(command) => Some(command),
        })
    }

    /// The same scenario with what `run` says to each command in place of what was expected.
    pub(crate) fn with_answers(
        &self,
        mut run: impl FnMut(&Command) -> Result<Vec<String>, Mistake>,
    ) -> Result<Self, Mistake> {
        let mut parts = self.parts.clone();
        for part in &mut parts {
            if let Part::Command(command) = part {
                command.answers = run(command)?;
            }
        }
        Ok(Self { parts })
    }

    /// The commands whose answers differ in the other, as a reader would want to see them.
    pub(crate) fn differences(
        &self,
        came: &Self,
        alike: impl Fn(&[String], &[String]) -> bool,
    ) -> Vec<String> {
        let pairs = self.commands().zip(came.commands());
        let differ = pairs.filter(|(expected, came)| !alike(&expected.answers, &came.answers));
        let shown = differ.map(|(expected, came)| {
            format!(
                "line {}: {}\n  expected\n{}  came\n{}",
                expected.line,
                expected.text,
                indented(&expected.answers),
                indented(&came.answers)
            )
        });
        shown.collect()
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Aside(text) => writeln!(f, "{text}")?,
                Part::Command(command) => {
                    write!(f, "{}\n{}", command.text, indented(&command.answers))?;
                }
            }
        }
        Ok(())
    }
}

fn indented(answers: &[String]) -> String {
    answers
        .iter()
        .map(|answer| format!("{INDENT}{answer}\n"))
        .collect()
}
