//! kubectl-kubia: find an Istio gateway, move traffic between two versions of a service.
//!
//! Not a public API: the library exists for the executable and its tests. Data flows one way:
//!
//! - [`cli`]: the words of the command line
//! - [`commands`]: the steps of each subcommand
//! - [`cluster`]: all talk with the API server
//! - [`traffic`]: requests through the gateway
//! - [`domain`]: the rules, pure functions on plain data
//! - [`view`]: what is shown
//! - [`error`]: what can fail, what to do about it, and the exit code

use std::{
    collections::BTreeSet,
    env,
    error::Error as _,
    ffi::OsString,
    io::{self, IsTerminal as _, Write},
    sync::{Arc, Mutex, PoisonError},
};

use clap::{CommandFactory as _, FromArgMatches as _};
use jiff::Timestamp;

pub mod cli;
pub mod cluster;
pub mod commands;
pub mod domain;
pub mod error;
pub mod traffic;
pub mod view;

use self::{
    cli::{Cli, Command},
    cluster::{Connection, Messages},
    commands::Invocation,
    error::{Error, ExitCode},
};

/// Runs the program with these arguments, the first of which is its own name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> std::process::ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(words) = commands::complete::words(&args) {
        // Who asks for candidates has nothing to do with an error.
        let _ = write!(io::stdout(), "{}", commands::complete::answer(&mut Cli::command(), words));
        return ExitCode::Done.into();
    }
    let cli = match parse(&args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout, usage errors to stderr; a closed pipe is no error.
            let _ = error.print();
            if error.use_stderr() && commands::gateway_url::is_for_eval(&args) {
                let _ = view::gateway_url::write_no_env(&mut io::stdout());
            }
            return if error.use_stderr() { ExitCode::Usage } else { ExitCode::Done }.into();
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return report(&Error::Output(error), &mut io::stderr()).into(),
    };
    let heard = Arc::new(Heard::default());
    let messages: Arc<dyn Messages> = Arc::<Heard>::clone(&heard);
    let connection = Connection::Target(Box::new(cli.global.connection.target()), messages);
    // Left to itself, stderr writes each part of a line on its own.
    let mut err = io::LineWriter::new(io::stderr().lock());
    let mut out = io::stdout().lock();
    let invocation = Invocation {
        connection,
        format: cli.global.output,
        out: &mut out,
        err: &mut err,
        now: Timestamp::now(),
    };
    let are_errors = cli.global.connection.warnings_as_errors;
    let code = runtime.block_on(execute(cli.command, invocation));
    let count = heard.warnings();
    if code == ExitCode::Done && are_errors && count > 0 {
        return report(&Error::Warnings { count }, &mut err).into();
    }
    code.into()
}

/// What the connection says goes to stderr as soon as it is said; each warning once.
#[derive(Default)]
struct Heard(Mutex<BTreeSet<String>>);

impl Heard {
    fn warnings(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Messages for Heard {
    fn warning(&self, text: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.insert(text.to_owned()) {
            let is_plain = env::var_os("NO_COLOR").is_some()
                || env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
            let is_colored = !is_plain && io::stderr().is_terminal();
            // There is nobody left to tell when stderr is closed.
            let _ = view::warning(text, is_colored, &mut io::stderr());
        }
    }

    fn log(&self, line: &str) {
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// Parses the command line.
///
/// # Errors
/// clap's error, which may be a request for help; its text is ready to be printed.
pub fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let command = Cli::command().bin_name(cli::invoked_as(args.first()));
    let matches = match args {
        // Without a subcommand kubectl prints its help, and that is no failure.
        [] | [_] => command.try_get_matches_from([OsString::new(), "--help".into()]),
        args => command.try_get_matches_from(cli::normalized(args)),
    };
    Cli::from_arg_matches(&matches?)
}

/// Runs one subcommand and reports its error, if any.
pub async fn execute(command: Command, mut invocation: Invocation<'_>) -> ExitCode {
    let result = match &command {
        Command::GatewayUrl(args) => commands::gateway_url::run(&mut invocation, args).await,
        Command::Deploy(args) => Box::pin(commands::deploy::run(&mut invocation, args)).await,
        Command::Shift(args) => Box::pin(commands::shift::run(&mut invocation, args)).await,
        Command::Undo(args) => Box::pin(commands::undo::run(&mut invocation, args)).await,
        Command::History(args) => commands::history::run(&mut invocation, args).await,
        Command::Status(args) => commands::status::run(&mut invocation, args).await,
        Command::Completion(args) => commands::completion::run(&mut invocation, args),
    };
    match result.and_then(|()| invocation.out.flush().map_err(Error::Output)) {
        Ok(()) => ExitCode::Done,
        Err(error) => report(&error, invocation.err),
    }
}

/// Prints an error as `error:`, its causes, and a hint; nothing when a reader has gone away.
fn report(error: &Error, err: &mut dyn Write) -> ExitCode {
    if let Error::Output(error) = error
        && error.kind() == io::ErrorKind::BrokenPipe
    {
        return ExitCode::Done;
    }
    // There is nobody left to tell when stderr is closed.
    let _ = view::error(&error.headline(), error.source(), error.hint().as_deref(), err);
    for snippet in error.snippets() {
        let _ = view::block(snippet, err);
    }
    error.exit_code()
}
