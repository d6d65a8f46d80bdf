//! shift beside `kubectl patch`, and its proof beside what the proxies really do.

use std::{
    cell::Cell,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use http::{Method, StatusCode};
use serde_json::json;

use super::{PAIRS, Place, Subject, far, median, medians, peak_kib, print};
use crate::support::{
    namespace::{ISTIO, Namespace},
    objects::{split, virtual_service, wide_gateway},
    proxies::Proxies,
};

/// How many other `VirtualServices` make a gateway's dump as large as 1 MB.
const OTHERS: u32 = 700;

/// Between two looks at a proxy, so that they do not keep it from its work.
const PAUSE: Duration = Duration::from_millis(2);

/// What a proof asks an idle proxy again and again.
const POLL: &str = "/config_dump?resource=dynamic_route_configs&mask=version_info,last_updated";

impl Place {
    fn within(&self, namespace: &str, program: &str, arguments: &[&str]) -> Command {
        let mut command = self.with(program, &["-n", namespace]);
        command.args(arguments);
        command
    }

    /// A shift, and what writes the same otherwise. Each writes shares of its own, so that every run
    /// changes something.
    fn shifts<'a>(&'a self, namespace: &'a str) -> [Subject<'a>; 2] {
        let (shifts, patches) = (Cell::new(0), Cell::new(0));
        let next = |turn: &Cell<u32>| turn.replace(turn.get() + 1) % 20;
        let shift = move || {
            let share = (10 + next(&shifts)).to_string();
            let shift = ["shift", "--v2", &share, "--proof=none"];
            self.within(namespace, &self.plugin, &shift)
        };
        let patch = move || {
            let v2 = 60 + next(&patches);
            let weight = |index: u32, weight: u32| {
                let path = format!("/spec/http/0/route/{index}/weight");
                json!({"op": "replace", "path": path, "value": weight})
            };
            let patch = json!([weight(0, 100 - v2), weight(1, v2)]).to_string();
            let patch = ["patch", "virtualservice", "kubia-vs", "--type=json", "-p", &patch];
            self.within(namespace, "kubectl", &patch)
        };
        [
            Subject { name: "shift --proof=none", command: Box::new(shift) },
            Subject { name: "kubectl patch", command: Box::new(patch) },
        ]
    }
}

/// Times all of it and prints the figures.
///
/// # Errors
///
/// Says which command failed.
pub(super) fn run(place: &Place) -> Result<(), String> {
    let namespace = Namespace::new(place.sandbox);
    namespace.deploy();
    print("");
    compare(place, namespace.name())?;
    print("\n25 ms away, each way");
    far(place, &["shift", namespace.name()])?;
    let proxies = Proxies::open(place.sandbox);
    let late = proof(place, &namespace, &proxies, &[]);
    print(&format!("\na proof ends after the last proxy is live      {late:8.2} ms"));
    let wan = place.sandbox.command(&["wan", "--"]);
    let arguments: Vec<_> =
        wan.get_args().map(|each| each.to_string_lossy().into_owned()).collect();
    let mut words = vec![wan.get_program().to_string_lossy().into_owned()];
    words.extend(arguments);
    let late = proof(place, &namespace, &proxies, &words);
    print(&format!("the same, 25 ms away each way                   {late:8.2} ms"));
    polls(place, &namespace, &proxies);
    Ok(())
}

/// What `run` starts at the far end of the sandbox's long line.
///
/// # Errors
///
/// Says which command failed.
pub(super) fn run_far(place: &Place, namespace: &str) -> Result<(), String> {
    compare(place, namespace)
}

fn compare(place: &Place, namespace: &str) -> Result<(), String> {
    let [shift, patch] = medians(&place.shifts(namespace))?;
    print(&format!("shift, proof off ÷ kubectl patch                {:.2}", shift / patch));
    Ok(())
}

/// The median time from when the last proxy ran new weights to when the plugin said so, as it prints
/// `live` and ends; `before` is what the plugin runs under.
fn proof(place: &Place, namespace: &Namespace<'_>, proxies: &Proxies, before: &[String]) -> f64 {
    let late = (0..PAIRS).map(|turn| {
        let v2 = 10 + u32::try_from(turn).unwrap_or(0) * 2 + u32::from(!before.is_empty());
        let share = v2.to_string();
        let shift = ["-n", namespace.name(), "shift", "--v2", &share, "--proof=require"];
        let mut command = match before {
            [] => place.with(&place.plugin, &shift),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&place.plugin).args(shift);
                command
            }
        };
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("the plugin starts");
        let stdout = child.stdout.take().expect("it was asked for");
        let said = thread::spawn(move || {
            let text = std::io::read_to_string(stdout).expect("the plugin prints text");
            (Instant::now(), text)
        });
        let live = live(proxies, namespace.name(), v2);
        let (said, text) = said.join().expect("nothing panics there");
        assert!(child.wait().is_ok_and(|status| status.success()), "{text}");
        said.saturating_duration_since(live).as_secs_f64() * 1e3
    });
    median(late.collect())
}

/// When the last proxy ran the weights.
fn live(proxies: &Proxies, namespace: &str, v2: u32) -> Instant {
    let deadline = Instant::now() + Duration::from_secs(20);
    for proxy in proxies.iter() {
        while proxy.weights(namespace).get("dr-v2") != Some(&v2) {
            assert!(Instant::now() < deadline, "{} does not run {v2} %", proxy.pod());
            thread::sleep(PAUSE);
        }
    }
    Instant::now()
}

/// What one look at an idle proxy costs, alone and with many other `VirtualServices` on its gateway.
fn polls(place: &Place, namespace: &Namespace<'_>, proxies: &Proxies) {
    let proxy = proxies.iter().next().expect("a proxy is ready");
    let poll = || {
        let times = (0..5 * PAIRS).map(|_| {
            let start = Instant::now();
            proxy.get(POLL);
            start.elapsed().as_secs_f64() * 1e3
        });
        median(times.collect())
    };
    let alone = poll();
    namespace.apply(&[wide_gateway(&namespace.host())]);
    for index in 0..OTHERS {
        create(namespace, index);
    }
    let last = other(namespace, OTHERS - 1);
    let dump = || proxy.get("/config_dump?resource=dynamic_route_configs");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !dump().contains(&last) {
        assert!(Instant::now() < deadline, "the proxy does not serve {last}");
        thread::sleep(100 * PAUSE);
    }
    let (crowded, size) = (poll(), dump().len());
    let shift = ["-n", namespace.name(), "shift", "--v2", "5", "--proof=require"];
    let peak = peak_kib(&mut place.with(&place.plugin, &shift));
    print(&format!(
        "\na poll of an idle proxy                         {alone:8.2} ms\n\
         with {OTHERS} more VirtualServices                    {crowded:8.2} ms, {:.2} ×\n\
         peak memory of a proof, dumps of {} KiB       {peak} KiB",
        crowded / alone,
        size / 1024,
    ));
}

fn create(namespace: &Namespace<'_>, index: u32) {
    let spec = json!({
        "hosts": [other(namespace, index)],
        "gateways": ["wide"],
        "http": [{"route": split(50, 50)}],
    });
    let object = virtual_service(&format!("other-{index}"), &spec);
    let path = namespace.path(ISTIO, "virtualservices");
    let created = namespace.admin().send_json(Method::POST, &path, "application/json", &object);
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
}

fn other(namespace: &Namespace<'_>, index: u32) -> String {
    format!("other-{index}.{}", namespace.host())
}
