//! What is fuzzed: everything that reads bytes of a cluster, a file, a plugin or a server. A target
//! may not panic, and where it returns text for people, that text must not move their cursor.
//!
//! `tests/it/corpus.rs` includes this file and replays the corpus.

use std::{fs, path::PathBuf, sync::Arc};

use kubia::{
    cluster::{Connection, Named, Silence, Target, hostile},
    commands::parse_duration,
    domain::{
        address::{Host, is_dns_name},
        deploy,
        gateway::IngressGateway,
        gateway_url::{Snapshot, Wanted, answer},
        named_gateway::{GatewayApi, NamedGateway},
        object::{Kind, ObjectRef},
        platform::Platform,
        proof::{Expectation, Gateway, envoy, merged},
        shift::{self, RouteChoice, history::History, owner, undo},
        snapshot::{Deployment, Pod, Service, Subset, full_host, labels, service_of_host},
        split::Percent,
        text::{Printable, quoted, shorten},
        virtual_service::VirtualService,
    },
};
use serde_json::Value;

/// A target: its name, and what it does with some bytes.
pub type FuzzTarget = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [FuzzTarget; 12] = [
    ("kubeconfig", kubeconfig),
    ("credential", credential),
    ("status", status),
    ("warning", warning),
    ("service", service),
    ("pod", pod),
    ("deployment", deployment),
    ("route", route),
    ("gateway", gateway),
    ("envoy", envoy),
    ("node", node),
    ("words", words),
];

/// Runs the target of this name.
///
/// # Panics
/// When there is none, or when it has found something.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = target.expect("the target is one of TARGETS");
    target(data);
}

/// A kubeconfig: which contexts it has, and what its current one comes to.
fn kubeconfig(data: &[u8]) {
    let path = file();
    fs::write(&path, data).expect("the temporary directory can be written");
    let target = Target { kubeconfig: Some(path.clone()), ..Target::default() };
    let connection = Connection::Target(Box::new(target), Arc::new(Silence));
    for kind in [Named::Context, Named::Cluster, Named::User] {
        if let Err(error) = connection.names(kind) {
            let _ = error.sentence();
        }
    }
    if let Err(error) = connection.namespace() {
        let sentence = error.sentence();
        assert!(!sentence.is_empty());
    }
    fs::remove_file(path).expect("the file is ours");
}

/// A file of this thread's own.
fn file() -> PathBuf {
    let (process, thread) = (std::process::id(), std::thread::current().id());
    std::env::temp_dir().join(format!("kubia-fuzz-{process}-{thread:?}"))
}

/// What a credential plugin prints, an id-token, and a certificate.
fn credential(data: &[u8]) {
    if let Err(reason) = hostile::credential(data) {
        assert!(!reason.is_empty());
    }
    let _ = hostile::is_good(&String::from_utf8_lossy(data));
    let _ = hostile::common_names(data);
}

/// An answer: its code, whether it is text, and its body.
fn status(data: &[u8]) {
    let [high, low, is_text, body @ ..] = data else { return };
    let code = 100 + u16::from_be_bytes([*high, *low]) % 900;
    let sentence = hostile::answer(code, is_text % 2 == 0, body);
    for line in sentence.lines() {
        assert_printable(line);
    }
    assert!(!sentence.is_empty());
}

/// A `Warning` header.
fn warning(data: &[u8]) {
    let texts = hostile::warnings(data);
    assert!(texts.iter().map(String::len).sum::<usize>() <= 3 * data.len());
    assert!(texts.iter().all(|text| !text.is_empty()));
}

/// A Service, and where it can be reached.
fn service(data: &[u8]) {
    let Some(object) = json(data) else { return };
    let service = Service::read(&object);
    reach(&Snapshot { named: None, gateways: vec![IngressGateway::new(service, Vec::new())] });
}

/// A list: a Service, and the pods behind it.
fn pod(data: &[u8]) {
    let Some(objects) = json(data) else { return };
    let Some([first, pods @ ..]) = objects.as_array().map(Vec::as_slice) else { return };
    let pods: Vec<Pod> = pods.iter().map(Pod::read).collect();
    for pod in &pods {
        let _ = pod.serves();
    }
    let gateway = IngressGateway::new(Service::read(first), pods);
    reach(&Snapshot { named: None, gateways: vec![gateway] });
}

/// A Deployment, and an object before and after it was applied.
fn deployment(data: &[u8]) {
    let Some(object) = json(data) else { return };
    let _ = Deployment::read(&object).is_rolled_out();
    let [before, after] = [&object["before"], &object["after"]];
    let _ = deploy::outcome(Some(before), after);
    let _ = labels(&object, "/metadata/labels");
}

/// A VirtualService and a DestinationRule: what its routes are called, a shift, its history, its owners.
fn route(data: &[u8]) {
    let Some(objects) = json(data) else { return };
    let named = VirtualService::new(objects["virtualService"].clone());
    let subsets = Subset::read_all(&objects["destinationRule"]);
    for route in named.routes() {
        let shares = route.shares();
        assert_eq!(shares.len(), route.weights().len());
        assert!(shares.iter().all(|share| (0.0..=100.0).contains(share)), "{shares:?}");
        for index in 0..route.destinations.len() {
            let argument = route.argument(index, &subsets);
            assert_eq!(route.find(&argument, &subsets), [index], "{argument:?}");
        }
        shift_first(&named, &subsets, route.versions(&subsets)[0].clone());
    }
    let _ = (named.gateways(), named.delegates(), merged::merge(&named, &[]));
    let object = ObjectRef::new(Kind::VirtualService, "n", "vs");
    if let Ok(history) = History::read(&object, &named.json) {
        for revision in [None, Some(0), Some(1)] {
            let _ = undo::plan(&named, &history, revision, &subsets);
        }
    }
    for owner in owner::owners(&named.json) {
        assert_printable(&owner.consequence());
        let _ = owner.snippet(&named.json);
    }
}

/// Shifts 30 % to a version, which changes weights alone, and then nothing.
fn shift_first(named: &VirtualService, subsets: &[Subset], version: String) {
    let mut snapshot = shift::Snapshot {
        named: named.clone(),
        delegates: vec![],
        subsets: subsets.to_vec(),
        subsets_unread: None,
    };
    let share = Percent::new(30).expect("it is below 100");
    let wanted =
        shift::Wanted { shares: vec![(version, share)], from: vec![], route: RouteChoice::Only };
    let Ok(planned) = shift::plan(&snapshot, &wanted) else { return };
    snapshot.named = planned.applied();
    assert!(shift::plan(&snapshot, &wanted).is_ok_and(|again| again.is_unchanged()));
}

/// What an Envoy's admin port answers, held against what the recorded VirtualService asks for.
fn envoy(data: &[u8]) {
    let recorded = |text: &str| serde_json::from_str(text).expect("the record is JSON");
    let root =
        VirtualService::new(recorded(include_str!("../../tests/envoy/virtual-service.json")));
    let expectation = Expectation {
        routes: merged::merge(&root, &[]),
        targets: vec![(root.object.clone(), "#1".parse().expect("a place"))],
        gateways: vec![Gateway::read(&recorded(include_str!("../../tests/envoy/gateway.json")))],
        root,
    };
    let labels = serde_json::json!({"istio": "ingressgateway"});
    let pod = Pod::read(&serde_json::json!({"metadata": {"labels": labels}}));
    if let Ok(configs) = envoy::route_configs(data) {
        let _ = expectation.judge(&pod, &configs);
        let _ = expectation.shadow(&pod, &configs);
    }
    let _ = (envoy::versions(data), envoy::listeners(data), envoy::secrets(data));
    let _ = envoy::healthy_clusters(data);
}

/// A list: a Gateway of either kind, a Service, and pods.
fn gateway(data: &[u8]) {
    let Some(objects) = json(data) else { return };
    let Some([object, service, pods @ ..]) = objects.as_array().map(Vec::as_slice) else { return };
    for api in [GatewayApi::Istio, GatewayApi::Kubernetes] {
        let named = NamedGateway::read(api, object);
        for server in &named.servers {
            let _ = server.virtual_host();
        }
        let pods = pods.iter().map(Pod::read).collect();
        let gateways = vec![IngressGateway::new(Service::read(service), pods)];
        reach(&Snapshot { named: Some(named), gateways });
    }
}

/// Nodes.
fn node(data: &[u8]) {
    let Some(nodes) = json(data) else { return };
    if let Some(platform) = nodes.as_array().and_then(|nodes| Platform::of(nodes)) {
        assert!(!platform.advice(None).is_empty());
    }
}

/// Addresses, durations, host names, percentages, URLs, exceptions from proxies, paths.
fn words(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (first, second) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(host) = first.parse::<Host>() {
        let shown = host.to_string();
        assert_printable(&shown);
        assert_eq!(shown.parse::<Host>().ok(), Some(host), "{shown}");
    }
    if is_dns_name(first) {
        assert!(first.len() <= 253 && first.is_ascii(), "{first}");
        let _ = service_of_host(&full_host(first, second)).map(|(name, _)| name.len());
    }
    let _ = (parse_duration(first), first.parse::<Percent>());
    let _ = (hostile::proxy(first), hostile::place(first));
    let _ = hostile::is_exempt(first, second, 443);
    assert_printable(&Printable(&text).to_string());
    assert!(shorten(&text, 10).len() <= 13);
    assert!(!quoted(&text).contains('\n'));
}

/// Looks for addresses, and shows what is found.
fn reach(snapshot: &Snapshot) {
    match answer(snapshot, &Wanted::default()) {
        Ok(answer) => {
            assert!(!answer.candidates.is_empty());
            for candidate in &answer.candidates {
                assert_printable(&candidate.url());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn json(data: &[u8]) -> Option<Value> {
    serde_json::from_slice(data).ok()
}

fn assert_printable(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

/// Changes a piece of JSON: some value in it becomes another one, or is left out. Where that is not
/// possible the bytes are left to whoever changes bytes.
#[must_use]
pub fn changed(data: &[u8], seed: u32) -> Option<Vec<u8>> {
    let mut random = Random(seed.into());
    let mut object = json(data)?;
    let count = count(&object);
    let value = nth(&mut object, &mut random.below(count))?;
    match (random.below(8), &mut *value) {
        (0, Value::Object(fields)) => {
            let key = fields.keys().nth(random.below(fields.len()))?.clone();
            fields.remove(&key);
        }
        (0..=1, Value::Array(items)) => {
            let item = items.get(random.below(items.len()))?.clone();
            items.push(item);
        }
        (1, Value::Object(fields)) => {
            let key = fields.keys().nth(random.below(fields.len()))?.clone();
            let taken = fields.remove(&key)?;
            fields.insert(KEYS[random.below(KEYS.len())].to_owned(), taken);
        }
        _ => *value = VALUES[random.below(VALUES.len())].parse().ok()?,
    }
    serde_json::to_vec(&object).ok()
}

const KEYS: [&str; 12] = [
    "metadata",
    "spec",
    "status",
    "name",
    "namespace",
    "labels",
    "ports",
    "http",
    "route",
    "weight",
    "addresses",
    "",
];

const VALUES: [&str; 24] = [
    "null",
    "true",
    "0",
    "-1",
    "1",
    "80",
    "443",
    "65535",
    "65536",
    "4294967296",
    "1e400",
    "0.5",
    "18446744073709551615",
    "\"\"",
    "\"v1\"",
    "\"a.b\"",
    "\"::1\"",
    "\"10.0.0.1\"",
    "\"*\"",
    "\"\\u001b[2J\\u202e\"",
    "[]",
    "{}",
    "[{}]",
    "{\"a\": [1]}",
];

/// How many values there are in a value, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

fn nth<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Value::Object(fields) => fields.values_mut().find_map(|field| nth(field, left)),
        _ => None,
    }
}

/// A small generator of numbers (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (limit.max(1) as u64)).unwrap_or(0)
    }
}
