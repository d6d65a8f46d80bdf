//! Completes a command line for kubectl, which asks the program `kubectl_complete-kubia`.
//!
//! kubectl gives it the words after `kubia`, the last of which is being typed, and reads one candidate
//! per line: the value, a tab, a description. The last line tells the shell what else to offer (cobra's
//! `ShellCompDirective`). Whatever fails, there is no error: only fewer candidates.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use clap::{Arg, Args as _, Command, FromArgMatches as _, ValueHint};

use self::line::{Line, Wanted};
use super::{connection::ConnectionArgs, gateway_url};
use crate::{
    cluster::{Connection, Named, Silence, Target},
    domain::{object::Kind, text::Printable},
    error::Error,
    view::OutputFormat,
};

mod line;

/// The name kubectl looks for on PATH.
pub const PROGRAM: &str = "kubectl_complete-kubia";

/// The first word that makes `kubectl-kubia` complete the others.
const WORD: &str = "__complete";

/// What a person who pressed TAB may have to wait, unless the line itself says so.
const BUDGET: Duration = Duration::from_secs(1);

/// What a shell offers besides the candidates: cobra's `ShellCompDirective`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Files = 0,
    Nothing = 4,
    Folders = 16,
}

/// One way to go on.
#[derive(Clone, Debug)]
struct Candidate {
    value: String,
    description: String,
}

/// Candidates that have to be read from somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Live {
    Kubeconfig(Named),
    Namespaces,
    Gateways,
    VirtualServices,
}

/// What is asked: what is known already, and what has to be read.
pub struct Request {
    prefix: String,
    known: Vec<Candidate>,
    live: Option<Live>,
    /// When there is nothing else.
    otherwise: Vec<Candidate>,
    directive: Directive,
    target: Target,
}

/// The lines kubectl reads.
#[derive(Debug)]
pub struct Answer {
    candidates: Vec<Candidate>,
    directive: Directive,
}

/// Returns the words to complete, if that is what the program was called for.
#[must_use]
pub fn words(args: &[OsString]) -> Option<&[OsString]> {
    let (program, words) = args.split_first()?;
    let name = Path::new(program).file_name().map(OsStr::to_string_lossy);
    if name.is_some_and(|name| name.starts_with(PROGRAM)) {
        return Some(words);
    }
    words.split_first().filter(|(first, _)| *first == WORD).map(|(_, words)| words)
}

/// Completes the last of these words, within the budget.
#[must_use]
pub fn answer(program: &mut Command, words: &[OsString]) -> Answer {
    let request = Request::new(program, words);
    let live = request.live.map_or_else(Vec::new, |live| read_within(live, &request.target));
    request.answer(live)
}

/// Reads in a thread of its own: neither a resolver nor a login program minds a deadline.
fn read_within(live: Live, target: &Target) -> Vec<Candidate> {
    let (sender, receiver) = mpsc::channel();
    let connection = Connection::Target(Box::new(target.clone()), Arc::new(Silence));
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            // Nobody is left to send to once the budget is spent.
            let _ = sender.send(runtime.block_on(read(live, &connection)).unwrap_or_default());
        }
    });
    receiver.recv_timeout(target.timeout.unwrap_or(BUDGET)).unwrap_or_default()
}

impl Request {
    /// Reads the words after `kubia`.
    #[must_use]
    pub fn new(program: &mut Command, words: &[OsString]) -> Self {
        program.build();
        let line = Line::read(program, words);
        let mut request = Self {
            prefix: line.prefix.clone(),
            known: Vec::new(),
            live: None,
            otherwise: Vec::new(),
            directive: Directive::Nothing,
            target: target(&line),
        };
        match line.wanted {
            Wanted::Nothing => {}
            Wanted::Flag => request.known = flags(&line),
            Wanted::Value(arg) => request.offer_values(&line, arg),
            Wanted::Word(arg) => {
                if let Some(arg) = arg {
                    request.offer_values(&line, arg);
                }
                request.known.extend(subcommands(&line));
                if request.prefix.is_empty() && !line.is_escaped {
                    request.otherwise = flags(&line);
                }
            }
        }
        request
    }

    fn offer_values(&mut self, line: &Line<'_>, arg: &Arg) {
        self.live = live(line.command.get_name(), arg.get_id().as_str());
        self.directive = match arg.get_value_hint() {
            ValueHint::FilePath => Directive::Files,
            ValueHint::DirPath => Directive::Folders,
            _ => Directive::Nothing,
        };
        self.known = possible_values(line.command.get_name(), arg);
    }

    /// Reads what is not known yet from `connection`, and answers.
    pub async fn answer_from(self, connection: &Connection) -> Answer {
        let live = match self.live {
            Some(live) => read(live, connection).await.unwrap_or_default(),
            None => Vec::new(),
        };
        self.answer(live)
    }

    fn answer(self, live: Vec<Candidate>) -> Answer {
        let fits = |candidate: &Candidate| {
            is_plain(&candidate.value) && candidate.value.starts_with(&self.prefix)
        };
        let mut candidates: Vec<_> = self.known.into_iter().chain(live).filter(fits).collect();
        if candidates.is_empty() {
            candidates = self.otherwise;
        }
        Answer { candidates, directive: self.directive }
    }
}

/// Where to read from, as the words so far say.
fn target(line: &Line<'_>) -> Target {
    let program = Command::new("kubectl-kubia").no_binary_name(true).args_override_self(true);
    let program = ConnectionArgs::augment_args(program);
    // A line that is not finished may have flags that are wrong.
    let args = program.try_get_matches_from(line.connection_flags());
    let args = args.and_then(|matches| ConnectionArgs::from_arg_matches(&matches));
    let target = args.map(|args| args.target()).unwrap_or_default();
    let timeout = target.timeout.or(Some(BUDGET));
    Target { timeout, verbosity: 0, is_unattended: true, ..target }
}

/// What an argument's values are read from.
fn live(command: &str, arg: &str) -> Option<Live> {
    match (command, arg) {
        (_, "context") => Some(Live::Kubeconfig(Named::Context)),
        (_, "cluster") => Some(Live::Kubeconfig(Named::Cluster)),
        (_, "user") => Some(Live::Kubeconfig(Named::User)),
        (_, "namespace" | "gateway_namespace") => Some(Live::Namespaces),
        ("gateway-url", "name") => Some(Live::Gateways),
        ("shift", "words") | ("undo" | "history" | "status", "name") => Some(Live::VirtualServices),
        _ => None,
    }
}

async fn read(live: Live, connection: &Connection) -> Result<Vec<Candidate>, Error> {
    let names = match live {
        Live::Kubeconfig(kind) => connection.names(kind)?,
        Live::Namespaces => connection.open().await?.namespaces().await?,
        Live::VirtualServices => connection.open().await?.names(Kind::VirtualService).await?,
        Live::Gateways => {
            let cluster = connection.open().await?;
            let (istio, kubernetes) =
                tokio::join!(cluster.names(Kind::Gateway), cluster.names(Kind::KubernetesGateway));
            // Either kind may not be served, or not be allowed.
            return Ok(gateways(istio.unwrap_or_default(), kubernetes.unwrap_or_default()));
        }
    };
    Ok(names.into_iter().map(|value| Candidate { value, description: String::new() }).collect())
}

/// Of two Gateways of one name, Istio's own is the one meant by it.
fn gateways(istio: Vec<String>, kubernetes: Vec<String>) -> Vec<Candidate> {
    let others = kubernetes.into_iter().filter(|name| !istio.contains(name));
    let others: Vec<_> = others.map(|name| (name, Kind::KubernetesGateway)).collect();
    let all = istio.into_iter().map(|name| (name, Kind::Gateway)).chain(others);
    all.map(|(value, kind)| Candidate { value, description: kind.group().to_owned() }).collect()
}

fn subcommands(line: &Line<'_>) -> Vec<Candidate> {
    if !line.takes_subcommand {
        return Vec::new();
    }
    let visible = line.command.get_subcommands().filter(|command| !command.is_hide_set());
    let candidates = visible.map(|command| Candidate {
        value: command.get_name().to_owned(),
        description: command.get_about().map(ToString::to_string).unwrap_or_default(),
    });
    candidates.collect()
}

/// The flags that are not on the line yet.
fn flags(line: &Line<'_>) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let flags = line.command.get_arguments().filter(|arg| !arg.is_positional());
    for arg in flags.filter(|arg| !arg.is_hide_set() && !line.is_given(arg)) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        for value in long.into_iter().chain(short) {
            candidates.push(Candidate { value, description: help.clone() });
        }
    }
    candidates
}

fn possible_values(command: &str, arg: &Arg) -> Vec<Candidate> {
    let values = arg.get_value_parser().possible_values().into_iter().flatten();
    let candidates = values.filter(|value| !value.is_hide_set()).map(|value| Candidate {
        value: value.get_name().to_owned(),
        description: value.get_help().map(ToString::to_string).unwrap_or_default(),
    });
    // Most commands have fewer formats than the flag, which stands with every one of them.
    let formats = if command == "gateway-url" { gateway_url::FORMATS } else { OutputFormat::USUAL };
    let has = |name: &str| formats.iter().any(|format| format.name() == name);
    candidates.filter(|each| arg.get_id() != "output" || has(&each.value)).collect()
}

/// Whether a name can be offered as a word.
///
/// A kubeconfig's context may have any name. One with a line break would forge candidates; one with
/// a space or a quote is not one word; and kubectl's script for bash before cobra 1.9 expands `$(…)`.
fn is_plain(value: &str) -> bool {
    let is_plain =
        |character: char| character.is_alphanumeric() || "-_.:/@+=%,".contains(character);
    !value.is_empty() && value.chars().all(is_plain)
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Candidate { value, description } in &self.candidates {
            match description.lines().next() {
                None | Some("") => writeln!(formatter, "{value}")?,
                Some(line) => writeln!(formatter, "{value}\t{}", Printable(line))?,
            }
        }
        writeln!(formatter, ":{}", self.directive as u8)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn called(args: &[&str]) -> Option<Vec<String>> {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        Some(words(&args)?.iter().map(|word| word.to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn the_program_completes_under_another_name_or_with_a_first_word() {
        assert_eq!(called(&["/bin/kubectl_complete-kubia", "sh"]), Some(vec!["sh".to_owned()]));
        assert_eq!(called(&["kubectl_complete-kubia.exe"]), Some(vec![]));
        assert_eq!(called(&["kubectl-kubia", "__complete", ""]), Some(vec![String::new()]));
        assert_eq!(called(&["kubectl-kubia", "shift", "__complete"]), None);
        assert_eq!(called(&["kubectl-kubia"]), None);
        assert_eq!(called(&[]), None);
    }

    #[test]
    fn a_line_may_say_how_long_its_candidates_may_take() {
        let timeout = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            Request::new(&mut Cli::command(), &words).target.timeout
        };
        assert_eq!(timeout(&["status", ""]), Some(BUDGET));
        let patient = Some(Duration::from_secs(9));
        assert_eq!(timeout(&["status", "--request-timeout=9s", ""]), patient);
    }

    #[test]
    fn names_that_are_no_plain_word_are_not_offered() {
        for name in ["kind-kind", "arn:aws:eks:eu-west-1:1:cluster/a", "me@prod.example", "größe"]
        {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "a b", "a\nb", "a\tb", "$(id)", "`id`", "a;b", "a'b", "a\u{1b}[2J", "a|b"]
        {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
