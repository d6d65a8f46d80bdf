//! `make bench`: gateway-url beside what it replaces, in one run.

use std::{
    env, fs,
    io::{self, Write, stdout},
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Instant,
};

use crate::support::{
    kubeconfig::Kubeconfig,
    namespace::Namespace,
    process,
    sandbox::{Folder, Sandbox},
    small_gateway,
};

/// Pairs of each measurement; their medians are printed.
const PAIRS: usize = 21;

/// The usual gateway, which every subject is asked for unless another one is named.
const USUAL: &str = "istio-system";

/// The tutorial's three calls, as it has them.
const TUTORIAL: &str = r#"
kubectl -n istio-system get service istio-ingressgateway -o jsonpath='{.spec.ports[?(@.name=="http2")].nodePort}'
kubectl -n istio-system get service istio-ingressgateway -o jsonpath='{.spec.ports[?(@.name=="https")].nodePort}'
kubectl get po -l istio=ingressgateway -n istio-system -o jsonpath='{.items[0].status.hostIP}'
"#;

/// Something to be timed.
struct Subject<'a> {
    name: &'static str,
    command: Box<dyn Fn() -> Command + 'a>,
}

/// Where the subjects run, and as whom.
struct Place {
    sandbox: &'static Sandbox,
    folder: Folder,
    kubeconfig: PathBuf,
    plugin: String,
    path: String,
}

impl Place {
    fn new(kubeconfig: PathBuf) -> Self {
        let (sandbox, folder) = (Sandbox::shared(), Folder::new());
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

    /// The same question, about the gateway of a namespace, asked in four ways.
    fn questions(&self, gateway: &str) -> [Subject<'_>; 4] {
        let words = words(gateway);
        let curl = curl(&Kubeconfig::read(&self.kubeconfig), &self.folder, gateway);
        let tutorial = TUTORIAL.replace(USUAL, gateway);
        [
            self.own(gateway),
            Subject {
                name: "kubectl kubia gateway-url",
                command: Box::new(move || {
                    let mut command = self.with("kubectl", &["kubia"]);
                    command.args(&words);
                    command
                }),
            },
            Subject {
                name: "one curl, two GETs",
                command: Box::new(move || {
                    let mut command = self.with("curl", &[]);
                    command.args(&curl);
                    command
                }),
            },
            Subject {
                name: "the tutorial's three calls",
                command: Box::new(move || self.with("sh", &["-ec", &tutorial])),
            },
        ]
    }

    fn own(&self, gateway: &str) -> Subject<'_> {
        let words = words(gateway);
        let command = move || {
            let mut command = self.with(&self.plugin, &[]);
            command.args(&words);
            command
        };
        Subject { name: "gateway-url", command: Box::new(command) }
    }
}

/// The plugin's command line for the gateway of a namespace.
fn words(gateway: &str) -> Vec<String> {
    let mut words = vec!["gateway-url".to_owned()];
    if gateway != USUAL {
        words.extend(["--gateway-namespace".to_owned(), gateway.to_owned()]);
    }
    words
}

/// Times all of it and prints the figures.
///
/// # Errors
///
/// Says which command failed.
pub(crate) fn run() -> Result<(), String> {
    let place = Place::new(Sandbox::shared().kubia_kubeconfig());
    near(&place)?;
    busy(&place)?;
    let sandbox = place.sandbox;
    let small = Namespace::new(sandbox);
    small_gateway::install(&small);
    for gateway in [small.name(), USUAL] {
        let answers = answers(&place, gateway)?;
        print(&format!("\n25 ms away, each way, with {answers} bytes of answers"));
        let program = env::current_exe().map_err(|error| error.to_string())?;
        let mut far = sandbox.command(&["wan", "--"]);
        far.arg(program).args(["bench-far", gateway]);
        let status = far.status().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("the far part ended with {status}"));
        }
    }
    let start = sandbox.control().status()["startSeconds"].clone();
    print(&format!("\nthe sandbox started in {start} s"));
    Ok(())
}

/// What `run` starts at the far end of the sandbox's long line.
///
/// # Errors
///
/// Says which command failed.
pub(crate) fn run_far(gateway: &str) -> Result<(), String> {
    let kubeconfig = env::var_os("KUBECONFIG").ok_or("this runs under `kubia-sandbox wan`")?;
    let place = Place::new(kubeconfig.into());
    let [own, dispatched, curl, tutorial] = medians(&place.questions(gateway))?;
    print_questions(own, dispatched, curl, tutorial);
    Ok(())
}

/// How much the API server says about a gateway, Service and pods together.
fn answers(place: &Place, gateway: &str) -> Result<usize, String> {
    let [_, _, curl, _] = place.questions(gateway);
    Ok(succeeded(&curl, (curl.command)().output())?.stdout.len())
}

fn near(place: &Place) -> Result<(), String> {
    let [question, dispatched, curl, tutorial] = place.questions(USUAL);
    let plugin = &place.plugin;
    let version =
        Subject { name: "--version", command: Box::new(|| place.with(plugin, &["--version"])) };
    let nothing = Subject { name: "/bin/true", command: Box::new(|| place.with("/bin/true", &[])) };
    let [own, dispatched, curl, tutorial] = medians(&[question, dispatched, curl, tutorial])?;
    print_questions(own, dispatched, curl, tutorial);
    print("");
    let [version, nothing] = medians(&[version, nothing])?;
    let answers = answers(place, USUAL)?;
    let size = fs::metadata(plugin).map_err(|error| format!("{plugin}: {error}"))?.len();
    let peak = (0..PAIRS).map(|_| peak_kib(&mut place.with(plugin, &["gateway-url"]))).max();
    print(&format!(
        "--version ÷ /bin/true                           {:.2}\n\
         answers                                         {answers} bytes\n\
         binary                                          {} KiB\n\
         peak memory of gateway-url                      {} KiB",
        version / nothing,
        size / 1024,
        peak.unwrap_or(0),
    ));
    Ok(())
}

/// With 100 writes a second to something else, a LIST that is not careful waits for each.
fn busy(place: &Place) -> Result<(), String> {
    print("\nidle, alone");
    let [idle] = medians(&[place.own(USUAL)])?;
    print("\n100 unrelated writes a second");
    place.sandbox.control().load(100);
    let result = medians(&[place.own(USUAL)]);
    place.sandbox.control().load(0);
    let [busy] = result?;
    print(&format!("busy ÷ idle                                     {:.2}", busy / idle));
    Ok(())
}

fn print_questions(own: f64, dispatched: f64, curl: f64, tutorial: f64) {
    print(&format!(
        "\ngateway-url ÷ one curl                          {:.2}\n\
         gateway-url ÷ the tutorial's three calls        {:.3}\n\
         kubectl kubia gateway-url ÷ the three calls     {:.2}",
        own / curl,
        own / tutorial,
        dispatched / tutorial,
    ));
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
    let medians = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    for (subject, median) in subjects.iter().zip(medians) {
        print(&format!("{:<28} {median:8.2} ms", subject.name));
    }
    Ok(medians)
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

/// The arguments of a curl that asks the tutorial's two questions on one connection.
fn curl(kubeconfig: &Kubeconfig, folder: &Folder, gateway: &str) -> Vec<String> {
    let authority = folder.path().join("ca.pem");
    fs::write(&authority, kubeconfig.authority()).expect("the folder is ours");
    let token = kubeconfig.token().expect("kubia has a token");
    let namespace = format!("{}/api/v1/namespaces/{gateway}", kubeconfig.server());
    // To curl by its own name the API server answers indented JSON, twice as long.
    let mut arguments = ["-sSf", "-A", "bench", "--cacert"].map(str::to_owned).to_vec();
    arguments.push(authority.display().to_string());
    arguments.extend(["-H".to_owned(), format!("Authorization: Bearer {token}")]);
    arguments.push(format!("{namespace}/services/istio-ingressgateway"));
    arguments.push(format!("{namespace}/pods?labelSelector=istio%3Dingressgateway"));
    arguments
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
