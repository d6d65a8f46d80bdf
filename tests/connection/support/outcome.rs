//! Runs both programs in the same scene and compares what came of it.

use std::{collections::BTreeSet, env, fmt, fs, process::Output};

use serde_json::Value;

use super::{Differences, Program, Scene};

/// What a program did, in words that do not depend on the day, the port or the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    succeeded: bool,
    /// Standard error without log lines and hints.
    said: String,
    /// Each request for the object: where it arrived, and as whom.
    asked: BTreeSet<String>,
    /// What the proxies were used for.
    proxied: Vec<String>,
    /// What a credential plugin wrote down.
    log: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = if self.succeeded { "succeeds" } else { "fails" };
        writeln!(formatter, "{ending}\n{}", self.said)?;
        self.asked
            .iter()
            .chain(&self.proxied)
            .try_for_each(|line| writeln!(formatter, "{line}"))?;
        write!(formatter, "{}", self.log)
    }
}

/// Requires that both programs do the same.
#[track_caller]
pub(crate) fn compare(set_up: impl Fn(&mut Scene)) {
    let [kubectl, kubia] = both(set_up);
    assert!(kubectl == kubia, "--- kubectl {kubectl}\n--- kubia {kubia}");
}

/// Requires that they differ, and just as the table of differences says.
#[track_caller]
pub(crate) fn compare_known(difference: &str, set_up: impl Fn(&mut Scene)) {
    let [kubectl, kubia] = both(set_up);
    assert!(kubectl != kubia, "there is no difference any more: --- {kubectl}");
    expect(difference, &kubectl, &kubia);
}

/// Requires that both do the same, or differ just as the table of differences says.
#[track_caller]
pub(crate) fn compare_possible(difference: &str, set_up: impl Fn(&mut Scene)) {
    let [kubectl, kubia] = both(set_up);
    if kubectl != kubia {
        expect(difference, &kubectl, &kubia);
    }
}

#[track_caller]
fn expect(difference: &str, kubectl: &Outcome, kubia: &Outcome) {
    let row = Differences::read().row(difference);
    let shown = format!("{difference}: {row:?}\n--- kubectl {kubectl}\n--- kubia {kubia}");
    assert!(row.kubectl_fits(&kubectl.to_string()), "{shown}");
    assert!(row.kubia_fits(&kubia.to_string()), "{shown}");
}

fn both(set_up: impl Fn(&mut Scene)) -> [Outcome; 2] {
    [Program::Kubectl, Program::Kubia].map(|program| {
        let mut scene = Scene::new(program);
        set_up(&mut scene);
        let output = scene.command().output().unwrap();
        let outcome = Outcome::of(&scene, &output);
        show(program, &outcome);
        outcome
    })
}

/// With `SHOW=1`, and `-- --nocapture`, shows what a case comes to.
#[expect(clippy::print_stdout, reason = "whoever writes a case looks at it")]
fn show(program: Program, outcome: &Outcome) {
    if env::var_os("SHOW").is_some() {
        println!("==={program:?} {outcome}");
    }
}

impl Outcome {
    fn of(scene: &Scene, output: &Output) -> Self {
        let mut asked = BTreeSet::new();
        for (name, server) in &scene.servers {
            let seen = server.seen();
            for seen in seen.iter().filter(|seen| seen.path.ends_with(scene.object())) {
                let who = seen.identity.join(", ");
                let sni = seen.sni.as_deref().unwrap_or("none");
                asked
                    .insert(format!("{name}: {} {} as [{who}] name {sni}", seen.method, seen.path));
            }
        }
        let proxied = scene.proxies.iter().flat_map(super::proxy::Proxy::used);
        let log = fs::read_to_string(scene.path("log")).unwrap_or_default();
        Self {
            succeeded: output.status.success(),
            said: plain(scene, &said(&String::from_utf8_lossy(&output.stderr))),
            asked: asked.iter().map(|line| plain(scene, line)).collect(),
            proxied: proxied.map(|line| plain(scene, &line)).collect(),
            log: once(plain(scene, &log).lines().filter(|line| !line.is_empty()).map(sorted)),
        }
    }
}

/// Leaves out what was said before: kubectl asks, and so runs a plugin, again and again when it fails.
fn once(lines: impl Iterator<Item = String>) -> String {
    let mut known = BTreeSet::new();
    lines.filter(|line| known.insert(line.clone())).collect::<Vec<_>>().join("\n")
}

/// Sorts the fields of the JSON that a line ends in, if it does.
fn sorted(line: &str) -> String {
    let json = line.find('{').map(|at| line.split_at(at));
    let json =
        json.and_then(|(start, json)| Some((start, serde_json::from_str::<Value>(json).ok()?)));
    json.map_or_else(|| line.to_owned(), |(start, json)| format!("{start}{json}"))
}

/// Leaves out kubectl's log lines, and of ours the hints and the line that says what was tried.
fn said(stderr: &str) -> String {
    let stderr = stderr.split("\n\nhint: ").next().unwrap_or_default();
    let lines = stderr
        .lines()
        .filter(|line| !is_log(line) && !is_within_log(line) && !line.starts_with("cannot get "));
    once(lines.map(|line| line.trim_end().to_owned())).trim_end().to_owned()
}

/// Whether a line is klog's: a letter, month and day, and a time.
fn is_log(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.len() > 20
        && b"IWEF".contains(&bytes[0])
        && bytes[1..5].iter().all(u8::is_ascii_digit)
        && bytes[5] == b' '
        && bytes[8] == b':'
}

/// Whether a line belongs to a value of klog's that has several lines.
fn is_within_log(line: &str) -> bool {
    line.starts_with('\t') || line == " >"
}

/// Names folders and ports instead of showing them.
fn plain(scene: &Scene, text: &str) -> String {
    let mut text = text.replace(scene.folder.path().to_str().unwrap(), "DIR");
    for (name, server) in &scene.servers {
        text = text.replace(&format!(":{}", server.address().port()), &format!(":{name}"));
    }
    for proxy in &scene.proxies {
        text = text.replace(&format!(":{}", proxy.address().port()), ":proxy");
    }
    // The port of a client is a new one each time.
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("127.0.0.1:") {
        let (before, after) = rest.split_at(at + "127.0.0.1:".len());
        plain.push_str(before);
        rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if rest.len() < after.len() {
            plain.push_str("PORT");
        }
    }
    without_time(&(plain + rest))
}

/// Leaves out the time at which a certificate was looked at.
fn without_time(text: &str) -> String {
    match text.split_once("current time ") {
        Some((before, after)) => {
            let after = after.split_once(' ').map_or("", |(_, after)| after);
            format!("{before}current time … {after}")
        }
        None => text.to_owned(),
    }
}
