//! Reads an unfinished command line as clap would.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

use crate::commands::connection::ConnectionArgs;

/// What the last word of a line may become.
pub(super) enum Wanted<'a> {
    /// A subcommand, or a value of this positional argument.
    Word(Option<&'a Arg>),
    /// A flag.
    Flag,
    /// A value of this flag.
    Value(&'a Arg),
    /// Nothing that is known.
    Nothing,
}

/// A command line up to the word that is being typed.
pub(super) struct Line<'a> {
    /// The subcommand reached.
    pub(super) command: &'a Command,
    /// Whether a subcommand may come next.
    pub(super) takes_subcommand: bool,
    /// Whether `--` went before, so that no flag may come.
    pub(super) is_escaped: bool,
    /// What to complete.
    pub(super) wanted: Wanted<'a>,
    /// What is there of it.
    pub(super) prefix: String,
    given: Vec<(&'a Arg, OsString)>,
    positional: usize,
    /// The flag whose value comes next.
    open: Option<&'a Arg>,
}

impl<'a> Line<'a> {
    /// Reads the words after the program's name; the last one is unfinished.
    pub(super) fn read(program: &'a Command, words: &[OsString]) -> Self {
        let mut line = Self {
            command: program,
            takes_subcommand: true,
            is_escaped: false,
            wanted: Wanted::Nothing,
            prefix: String::new(),
            given: Vec::new(),
            positional: 0,
            open: None,
        };
        let (last, before) = words
            .split_last()
            .map_or((OsStr::new(""), words), |(last, before)| (last.as_os_str(), before));
        for word in before {
            line.pass(word);
        }
        line.end(&last.to_string_lossy());
        line
    }

    /// Returns the flags on the line that say where to connect to, each as one word.
    pub(super) fn connection_flags(&self) -> Vec<OsString> {
        let flags = self.given.iter().filter(|(arg, _)| {
            arg.is_global_set() && arg.get_help_heading() == Some(ConnectionArgs::HEADING)
        });
        let word = |(arg, value): &(&Arg, OsString)| {
            let mut word = OsString::from(format!("--{}", arg.get_long()?));
            if !value.is_empty() {
                word.push("=");
                word.push(value);
            }
            Some(word)
        };
        flags.filter_map(word).collect()
    }

    /// Returns whether a flag is on the line already.
    pub(super) fn is_given(&self, arg: &Arg) -> bool {
        self.given.iter().any(|(given, _)| given.get_id() == arg.get_id())
    }

    fn pass(&mut self, word: &OsStr) {
        let text = word.to_string_lossy();
        if let Some(arg) = self.open.take() {
            self.given.push((arg, word.to_owned()));
        } else if self.is_escaped {
            self.positional += 1;
        } else if text == "--" {
            self.is_escaped = true;
        } else if let Some(flag) = text.strip_prefix("--") {
            self.pass_long(flag);
        } else if let Some(flags) = text.strip_prefix('-').filter(|flags| !flags.is_empty()) {
            self.pass_short(flags);
        } else {
            self.pass_word(&text);
        }
    }

    fn pass_long(&mut self, flag: &str) {
        let (name, value) = flag.split_once('=').map_or((flag, None), |(n, v)| (n, Some(v)));
        match (self.long(name), value) {
            (Some(arg), Some(value)) => self.given.push((arg, value.into())),
            (Some(arg), None) if takes_next_word(arg) => self.open = Some(arg),
            (Some(arg), None) => self.given.push((arg, OsString::new())),
            (None, _) => {}
        }
    }

    /// `-n shop`, `-nshop`, `-n=shop`, and several in one word.
    fn pass_short(&mut self, flags: &str) {
        let mut rest = flags.chars();
        while let Some(flag) = rest.next() {
            let Some(arg) = self.short(flag) else { return };
            if takes_next_word(arg) {
                match rest.as_str() {
                    "" => self.open = Some(arg),
                    value => {
                        let value = value.strip_prefix('=').unwrap_or(value);
                        self.given.push((arg, value.into()));
                    }
                }
                return;
            }
            self.given.push((arg, OsString::new()));
        }
    }

    fn pass_word(&mut self, word: &str) {
        let subcommand = self.command.find_subcommand(word).filter(|_| self.takes_subcommand);
        if let Some(subcommand) = subcommand {
            self.command = subcommand;
        } else {
            self.positional += 1;
            self.takes_subcommand = false;
        }
    }

    fn end(&mut self, last: &str) {
        last.clone_into(&mut self.prefix);
        self.wanted = match last.split_once('=') {
            _ if self.open.is_some() => self.open.map_or(Wanted::Nothing, Wanted::Value),
            // kubectl's scripts want the value without the flag.
            Some((flag, value)) if last.starts_with('-') && !self.is_escaped => {
                value.clone_into(&mut self.prefix);
                self.flag(flag).map_or(Wanted::Nothing, Wanted::Value)
            }
            None if last.starts_with('-') && !self.is_escaped => Wanted::Flag,
            _ => Wanted::Word(self.command.get_positionals().nth(self.positional)),
        };
        self.takes_subcommand &= !self.is_escaped;
    }

    /// The flag of a word such as `--context` or `-n`.
    fn flag(&self, word: &str) -> Option<&'a Arg> {
        let arg = match word.strip_prefix("--") {
            Some(name) => self.long(name),
            None => self.short(word.chars().next_back()?),
        };
        arg.filter(|arg| arg.get_action().takes_values())
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        let is_called = |arg: &&Arg| {
            arg.get_long() == Some(name)
                || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
        };
        self.command.get_arguments().find(is_called)
    }

    fn short(&self, name: char) -> Option<&'a Arg> {
        self.command.get_arguments().find(|arg| arg.get_short() == Some(name))
    }
}

/// Whether the word after a flag is its value: not so where the value needs a `=`.
fn takes_next_word(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}
