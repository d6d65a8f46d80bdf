//! gateway-url beside what it replaces: one curl, and the tutorial's three calls.

use std::fs;

use tempfile::TempDir;

use super::{PAIRS, Place, Subject, far, medians, peak_kib, print, succeeded};
use crate::support::{kubeconfig::Kubeconfig, namespace::Namespace, small_gateway};

/// The usual gateway, which every subject is asked for unless another one is named.
const USUAL: &str = "istio-system";

/// The tutorial's three calls, as it has them.
const TUTORIAL: &str = r#"
kubectl -n istio-system get service istio-ingressgateway -o jsonpath='{.spec.ports[?(@.name=="http2")].nodePort}'
kubectl -n istio-system get service istio-ingressgateway -o jsonpath='{.spec.ports[?(@.name=="https")].nodePort}'
kubectl get po -l istio=ingressgateway -n istio-system -o jsonpath='{.items[0].status.hostIP}'
"#;

impl Place {
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
pub(super) fn run(place: &Place) -> Result<(), String> {
    near(place)?;
    busy(place)?;
    let small = Namespace::new(place.sandbox);
    small_gateway::install(&small);
    for gateway in [small.name(), USUAL] {
        let answers = answers(place, gateway)?;
        print(&format!("\n25 ms away, each way, with {answers} bytes of answers"));
        far(place, &["gateway-url", gateway])?;
    }
    Ok(())
}

/// What `run` starts at the far end of the sandbox's long line.
///
/// # Errors
///
/// Says which command failed.
pub(super) fn run_far(place: &Place, gateway: &str) -> Result<(), String> {
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

/// The arguments of a curl that asks the tutorial's two questions on one connection.
fn curl(kubeconfig: &Kubeconfig, folder: &TempDir, gateway: &str) -> Vec<String> {
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
