//! `make bench`: the commands beside what they replace, in one run.

mod gateway_url;
mod shift;

use std::{
    env, fs,
    io::{self, Write, stdout},
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Instant,
};

use tempfile::TempDir;

use crate::support::{process, sandbox::Sandbox};

/// Pairs of each measurement; their medians are printed.
const PAIRS: usize = 21;

/// Something to be timed.
struct Subject<'a> {
    name: &'static str,
    command: Box<dyn Fn() -> Command + 'a>,
}

/// Where the subjects run, and as whom.
struct Place {
    sandbox: &'static Sandbox,
    folder: TempDir,
    kubeconfig: PathBuf,
    plugin: String,
    path: String,
}

impl Place {
    fn new(kubeconfig: PathBuf) -> Self {
        let (sandbox, folder) = (Sandbox::shared(), TempDir::new().expect("a temporary folder"));
        let plugin = process::plugin();
        let plugins = plugin.parent().unwrap_or(&plugin).display();
        let path = format!("{plugins}:{}", sandbox.path());
        Self { sandbox, folder, kubeconfig, plugin: plugin.display().to_string(), path }
    }

    fn with(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = process::clean(program, &self.kubeconfig, self.folder.path(), &self.path);
        command.args(arguments);
        command
    }
}

/// Times all of it and prints the figures.
///
/// # Errors
///
/// Says which command failed.
pub(crate) fn run() -> Result<(), String> {
    let place = Place::new(Sandbox::shared().kubia_kubeconfig());
    gateway_url::run(&place)?;
    shift::run(&place)?;
    let start = place.sandbox.control().status()["startSeconds"].clone();
    print(&format!("\nthe sandbox started in {start} s"));
    Ok(())
}

/// What `far` starts at the far end of the sandbox's long line.
///
/// # Errors
///
/// Says which command failed.
pub(crate) fn run_far(arguments: &[&str]) -> Result<(), String> {
    let kubeconfig = env::var_os("KUBECONFIG").ok_or("this runs under `kubia-sandbox wan`")?;
    let place = Place::new(kubeconfig.into());
    match arguments {
        ["gateway-url", gateway] => gateway_url::run_far(&place, gateway),
        ["shift", namespace] => shift::run_far(&place, namespace),
        _ => Err(format!("there is no bench of {arguments:?}")),
    }
}

/// Runs a part of the bench 25 ms away, each way.
fn far(place: &Place, arguments: &[&str]) -> Result<(), String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut far = place.sandbox.command(&["wan", "--"]);
    far.arg(program).arg("bench-far").args(arguments);
    let status = far.status().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("the far part ended with {status}")) }
}

/// The median of each subject in milliseconds, measured in turn so that all share what the
/// machine does meanwhile, and there and back so that none always comes after the same one.
fn medians<const N: usize>(subjects: &[Subject<'_>; N]) -> Result<[f64; N], String> {
    let mut times = [const { Vec::new() }; N];
    for round in 0..=PAIRS {
        for turn in 0..N {
            let index = if round % 2 == 0 { turn } else { N - 1 - turn };
            let time = milliseconds(&subjects[index])?;
            // The first round only warms caches.
            if round > 0 {
                times[index].push(time);
            }
        }
    }
    print(&format!("medians of {PAIRS} runs of each, in turn"));
    let medians = times.map(median);
    for (subject, median) in subjects.iter().zip(medians) {
        print(&format!("{:<28} {median:8.2} ms", subject.name));
    }
    Ok(medians)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn milliseconds(subject: &Subject<'_>) -> Result<f64, String> {
    let mut command = (subject.command)();
    let start = Instant::now();
    let output = command.output();
    let time = start.elapsed().as_secs_f64() * 1e3;
    succeeded(subject, output)?;
    Ok(time)
}

fn succeeded(subject: &Subject<'_>, output: io::Result<Output>) -> Result<Output, String> {
    let output = output.map_err(|error| format!("{}: {error}", subject.name))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{}: {}", subject.name, String::from_utf8_lossy(&output.stderr)))
}

/// The largest `VmHWM` seen until the process ends: it is read as often as possible.
fn peak_kib(command: &mut Command) -> u64 {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the plugin starts");
    let status = format!("/proc/{}/status", child.id());
    let program = command.get_program().to_string_lossy().into_owned();
    let name: String = program.rsplit('/').next().unwrap_or_default().chars().take(15).collect();
    let mut peak = 0;
    while let Ok(None) = child.try_wait() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        // Until it has executed the plugin, it is a copy of this process.
        if text.starts_with(&format!("Name:\t{name}\n")) {
            peak = peak.max(high_water_mark(&text).unwrap_or(0));
        }
    }
    peak
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn print(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}
