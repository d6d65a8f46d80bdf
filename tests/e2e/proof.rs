//! What `shift` says of the gateway proxies is true, and said only when it is.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{
    admin_log::{self, AdminRequest, assert_only_reads},
    extra_pod::{ExtraPod, NAME as EXTRA},
    namespace::{ISTIO, Namespace},
    objects::{gateway, split, virtual_service},
    process::{self, Running},
    proofs::{assert_proven, proxies_of, shift_with_late_pushes},
    proxies::{GATEWAY, Proxies, Proxy, ready_gateway_pods},
    sandbox::Sandbox,
    wait::{holds, wait_for},
    watch::resource_version,
};

const ROUNDS: u32 = 10;

/// What watching an unchanged proxy may cost per second.
const BYTES_PER_SECOND: f64 = 64.0 * 1024.0;

#[test]
fn no_proof_is_contradicted_by_the_proxies_themselves() {
    let sandbox = Sandbox::for_faults();
    shift_with_late_pushes(&sandbox, ROUNDS).assert_true(ROUNDS);
    assert_only_reads(&sandbox);
}

#[test]
fn a_shift_right_after_a_deploy_waits_until_the_proxies_have_heard_of_it() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    let control = sandbox.control();
    let pods = ready_gateway_pods(&sandbox.kubectl());
    let cut = json!({"mode": "cut"});
    let faults: Vec<_> = pods.iter().map(|pod| control.xds_for_now(pod, &cut)).collect();
    namespace.deploy();
    let kubeconfig = sandbox.kubia_kubeconfig();
    let mut shift = namespace.plugin(&kubeconfig, &["shift", "--v2", "30"]);
    let shift = Running::start(&mut shift);
    shift.wait_says("waiting for the gateway proxies to hear of v1\n");
    drop(faults);
    assert_proven(&shift.wait().exits(0), "kubia-vs patched");
}

#[test]
fn listeners_are_read_while_the_write_is_on_its_way() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    namespace.wait_live(&Proxies::open(&sandbox), 50, 50);
    let control = sandbox.control();
    let write = control.rule(&namespace.write_rule("hold"));
    let before = admin_log::of_plugin(&sandbox).len();
    let kubeconfig = sandbox.proxied_kubeconfig();
    let shift = Running::start(&mut namespace.plugin(&kubeconfig, &["shift", "--v2", "30"]));
    write.wait_held();
    for pod in ready_gateway_pods(&sandbox.kubectl()) {
        wait_for(&format!("the listeners of {pod} to be read"), || {
            let requests = admin_log::of_plugin(&sandbox);
            let asked = requests[before..].iter().any(|request| {
                request.pod.ends_with(&pod) && request.path.contains("dynamic_listeners")
            });
            holds(asked, || format!("{requests:?}"))
        });
    }
    drop(write);
    assert_proven(&shift.wait().exits(0), "kubia-vs patched");
}

#[test]
fn a_proxy_that_is_cut_off_is_named_with_its_weights_until_it_is_back() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let proxies = Proxies::open(&sandbox);
    namespace.wait_live(&proxies, 50, 50);
    let [cut, other] = proxies.iter().collect::<Vec<_>>()[..] else { panic!("two are ready") };
    let control = sandbox.control();
    let arguments = ["shift", "--v2", "30", "--timeout", "10s", "--proof=require"];

    let fault = control.xds_for_now(cut.pod(), &json!({"mode": "cut"}));
    let output = namespace.kubia(&arguments).exits(4);
    let name = format!("{GATEWAY}/{}", cut.pod());
    let runs = format!("is written, but not live after 10 s: {name} runs v1 50, v2 50\n");
    assert!(output.stderr.contains(&runs), "{output}");
    let lines: Vec<_> = output.stdout.lines().collect();
    let [patched, "gateway proxies 1/2 live", one, two] = lines[..] else { panic!("{output}") };
    assert_eq!(patched, "virtualservice.networking.istio.io/kubia-vs patched");
    let mut shown = [one, two];
    shown.sort_by_key(|line| !line.contains(cut.pod()));
    assert_eq!(shown[0], format!("  {name} runs v1 50, v2 50"));
    let live = format!("  istio-system/{} live after ", other.pod());
    assert!(shown[1].starts_with(&live), "{output}");
    // Once it has read the routes that do not change, it asks only whether they did.
    assert_idle_cost(&sandbox, &name, |request| {
        request.path.contains("name_regex") && request.path.contains("mask=version_info")
    });

    let written = namespace.virtual_service();
    drop(fault);
    cut.wait_live(namespace.name(), &[("dr-v1", 70), ("dr-v2", 30)]);
    let output = namespace.kubia(&arguments).exits(0);
    assert_proven(&output, "kubia-vs unchanged");
    assert_eq!(resource_version(&namespace.virtual_service()), resource_version(&written));
    assert_only_reads(&sandbox);
}

#[test]
fn a_route_that_took_the_place_of_another_is_not_live_where_nobody_has_heard_of_it() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let route = |path: &str, [v1, v2]: [u32; 2]| json!({"match": [{"uri": {"prefix": path}}], "route": split(v1, v2)});
    let patch = |routes: [serde_json::Value; 2]| {
        let patch = json!({"spec": {"http": routes}}).to_string();
        namespace.kubectl(&["patch", "vs", "kubia-vs", "--type=merge", "-p", &patch]).exits(0);
    };
    let proxies = Proxies::open(&sandbox);
    patch([route("/a", [90, 10]), route("/b", [50, 50])]);
    let wait_routes = |proxy: &Proxy, [first, second]: [&str; 2]| {
        wait_for(&format!("{} to have {first} before {second}", proxy.pod()), || {
            let dump = proxy.get("/config_dump?resource=dynamic_route_configs");
            let at = |path: &str| dump.find(&format!("\"{path}\""));
            let is_so = at(first).zip(at(second)).is_some_and(|(first, second)| first < second);
            holds(is_so, || dump.clone())
        });
    };
    proxies.iter().for_each(|proxy| wait_routes(proxy, ["/a", "/b"]));
    let [behind, other] = proxies.iter().collect::<Vec<_>>()[..] else { panic!("two are ready") };
    let (cut, control) = (behind.pod(), sandbox.control());
    let fault = control.xds_for_now(cut, &json!({"mode": "cut"}));
    patch([route("/b", [50, 50]), route("/a", [90, 10])]);

    // The cut one has 90 and 10 in the first route, but that is the one for /a.
    let arguments = ["shift", "v2=10", "--route", "#0", "--timeout", "3s", "--proof=require"];
    wait_routes(other, ["/b", "/a"]);
    let output = namespace.kubia(&arguments).exits(4);
    output.says(&[&format!("{GATEWAY}/{cut}: its routes cannot be told apart")]);
    drop(fault);
    wait_routes(behind, ["/b", "/a"]);
    let output = namespace.kubia(&arguments).exits(0);
    assert_proven(&output, "kubia-vs unchanged");
}

/// Panics when watching a proxy, on the last connection to it, cost too much from a request on after
/// which nothing changed there.
fn assert_idle_cost(sandbox: &Sandbox, pod: &str, is_idle: impl Fn(&AdminRequest) -> bool) {
    let mut requests = admin_log::of_plugin(sandbox);
    let last = requests.iter().rfind(|request| request.pod == pod).expect("it was asked");
    let connection = last.connection;
    requests.retain(|request| request.connection == connection);
    let idle: Vec<_> = requests.iter().skip_while(|request| !is_idle(request)).collect();
    assert!(idle.len() > 20, "it was watched: {requests:?}");
    let rate = admin_log::bytes_per_second(&idle);
    assert!(rate <= BYTES_PER_SECOND, "{rate} bytes per second: {idle:?}");
}

#[test]
fn a_gateway_with_tls_but_no_certificate_is_never_proven() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let host = namespace.host();
    let server = json!({
        "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
        "hosts": [host],
        "tls": {"mode": "SIMPLE", "credentialName": "nobody"},
    });
    let route =
        json!({"hosts": [host], "gateways": ["secure"], "http": [{"route": split(50, 50)}]});
    namespace.apply(&[gateway("secure", &server), virtual_service("secure", &route)]);

    // Envoy waits for the certificate first, then goes on without it.
    let output = namespace.kubia(&["shift", "secure", "v2=30", "--timeout", "5s"]).exits(0);
    assert_unproven(&output.stdout, &["is warming"]);
    let proxies = Proxies::open(&sandbox);
    for proxy in proxies.iter() {
        wait_for("the listener without certificate to be active", || {
            let dump = proxy.get("/config_dump?resource=dynamic_listeners");
            let dump: serde_json::Value = serde_json::from_str(&dump).expect("Envoy answers JSON");
            let listeners = dump["configs"].as_array().expect("it has listeners");
            let secure = listeners.iter().find(|each| each["name"] == "0.0.0.0_8443");
            let is_active = secure.is_some_and(|listener| listener["active_state"].is_object());
            holds(is_active, || dump.to_string())
        });
    }
    let output = namespace.kubia(&["shift", "secure", "v2=40", "--timeout", "5s"]).exits(0);
    assert_unproven(&output.stdout, &["the certificate", "nobody", "is missing"]);
    for proxy in proxies.iter() {
        // Whole listeners are asked for again and again, so less often.
        let pod = format!("{GATEWAY}/{}", proxy.pod());
        assert_idle_cost(&sandbox, &pod, |request| request.path.contains("dynamic_listeners"));
    }

    let written = namespace.virtual_service_called("secure");
    let required = ["shift", "secure", "v2=60", "--proof=require"];
    namespace.kubia(&required).exits(3).says(&["nobody", "is missing", "nothing was written"]);
    let after = namespace.virtual_service_called("secure");
    assert_eq!(resource_version(&after), resource_version(&written));
}

/// Panics unless a result says of both proxies why nothing is proven.
fn assert_unproven(stdout: &str, reasons: &[&str]) {
    let [result] = stdout.lines().collect::<Vec<_>>()[..] else { panic!("{stdout}") };
    let (_, doubt) = result.split_once(" patched (not proven: ").expect("it is not proven");
    let doubts: Vec<_> = doubt.split("; ").collect();
    assert_eq!(doubts.len(), 2, "{stdout}");
    for (doubt, reason) in doubts.iter().flat_map(|doubt| reasons.iter().map(move |r| (doubt, r))) {
        assert!(doubt.contains(reason), "no {reason:?} in {stdout}");
    }
}

#[test]
fn what_runs_in_sidecars_or_is_tcp_is_never_proven() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let server =
        json!({"port": {"number": 31400, "name": "tcp", "protocol": "TCP"}, "hosts": ["*"]});
    let tcp = json!({"hosts": ["*"], "gateways": ["tcp"], "tcp": [{"route": split(50, 50)}]});
    let mesh = json!({"hosts": ["kubia-service"], "http": [{"route": split(50, 50)}]});
    namespace.apply(&[
        gateway("tcp", &server),
        virtual_service("tcp", &tcp),
        virtual_service("mesh", &mesh),
    ]);
    for (name, reason) in [("tcp", "TCP"), ("mesh", "runs in sidecars")] {
        let object = || namespace.object(ISTIO, &format!("virtualservices/{name}"));
        let before = object();
        let required = ["shift", name, "v2=30", "--proof=require"];
        namespace.kubia(&required).exits(3).says(&[reason, "nothing was written"]);
        assert_eq!(resource_version(&object()), resource_version(&before));

        let output = namespace.kubia(&["shift", name, "v2=30"]).exits(0);
        let line =
            format!("virtualservice.networking.istio.io/{name} patched (not proven: {reason})\n");
        assert_eq!(output.stdout, line);
        let result = namespace.kubia(&["shift", name, "v2=30", "-o", "json"]).exits(0).json();
        assert_eq!(result["result"], "unchanged");
        assert_eq!(result["proof"]["verdict"], "notProven");
    }
}

#[test]
fn a_gateway_pod_that_comes_meanwhile_is_waited_for() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let old = [("dr-v1", 50), ("dr-v2", 50)];
    let extra = ExtraPod::start(&namespace, &old);
    let control = sandbox.control();
    let fault = control.xds_for_now(EXTRA, &json!({"mode": "cut"}));
    let pods = json!({"method": "GET", "path": "^/api/v1/pods\\?", "action": "hold", "skip": 1});
    let rule = control.rule(&pods);
    let before = admin_log::of_plugin(&sandbox).len();
    let kubeconfig = sandbox.proxied_kubeconfig();
    let arguments = ["shift", "--v2", "30", "-o", "json"];
    let shift = Running::start(&mut namespace.plugin(&kubeconfig, &arguments));

    // It has seen the weights on all proxies it knows, and asks whether these are all.
    rule.wait_held();
    extra.make_ready();
    drop(rule);
    // Only now it looks at the third, which still runs what it ran.
    admin_log::wait_asked(&sandbox, before, EXTRA, 1);
    drop(fault);

    let output = shift.wait().exits(0);
    let proxies = proxies_of(&output.json());
    assert_eq!(proxies.len(), 3, "{output}");
    assert_eq!(proxies[0], (format!("istio-system/{EXTRA}"), Some(true)), "{output}");
    assert_eq!(output.json()["proof"]["verdict"], "proven", "{output}");
}

#[test]
fn a_gateway_pod_that_goes_meanwhile_is_not_waited_for() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let extra = ExtraPod::start_ready(&namespace, &[("dr-v1", 50), ("dr-v2", 50)]);
    let control = sandbox.control();
    let _fault = control.xds_for_now(EXTRA, &json!({"mode": "cut"}));
    let before = admin_log::of_plugin(&sandbox).len();
    let arguments = ["shift", "--v2", "30", "-o", "json"];
    let shift = Running::start(&mut namespace.plugin(&sandbox.kubia_kubeconfig(), &arguments));

    // It is asked again and again, for it never hears of the new weights.
    admin_log::wait_asked(&sandbox, before, EXTRA, 50);
    extra.delete();

    let output = shift.wait().exits(0);
    let proxies = proxies_of(&output.json());
    assert_eq!(proxies.len(), 2, "{output}");
    assert!(
        proxies.iter().all(|(pod, live)| !pod.contains(EXTRA) && *live == Some(true)),
        "{output}"
    );
    assert_eq!(output.json()["proof"]["verdict"], "proven", "{output}");
}

#[test]
fn a_gateway_pod_that_ran_other_weights_when_it_became_unready_is_no_proof() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let extra = ExtraPod::start_ready(&namespace, &[("dr-v1", 50), ("dr-v2", 50)]);
    let control = sandbox.control();
    let _fault = control.xds_for_now(EXTRA, &json!({"mode": "cut"}));
    let before = admin_log::of_plugin(&sandbox).len();
    let arguments = ["shift", "--v2", "30", "--proof=require"];
    let shift = Running::start(&mut namespace.plugin(&sandbox.kubia_kubeconfig(), &arguments));
    admin_log::wait_asked(&sandbox, before, EXTRA, 50);
    extra.make_unready();
    let stale = format!("{GATEWAY}/{EXTRA}, not ready now, ran other weights");
    shift.wait().exits(4).says(&[&stale]);
}

#[test]
fn a_gateway_pod_that_never_answered_again_before_it_became_unready_is_no_proof() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let extra = ExtraPod::start_ready(&namespace, &[("dr-v1", 50), ("dr-v2", 50)]);
    let control = sandbox.control();
    let write = control.rule(&namespace.write_rule("hold"));
    let kubeconfig = sandbox.proxied_kubeconfig();
    let arguments = ["shift", "--v2", "30", "--proof=require", "--timeout", "10s"];
    let shift = Running::start(&mut namespace.plugin(&kubeconfig, &arguments));
    write.wait_held();
    let _frozen = extra.freeze();
    extra.make_unready();
    drop(write);
    let stale = format!("{GATEWAY}/{EXTRA}, not ready now, ran other weights");
    shift.wait().exits(4).says(&[&stale]);
}

#[test]
fn an_object_that_cannot_be_read_again_is_no_proof() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    namespace.wait_live(&Proxies::open(&sandbox), 50, 50);
    let path = format!("{}$", namespace.path(ISTIO, "virtualservices/kubia-vs"));
    let control = sandbox.control();
    let _rule = control.rule(&json!({"method": "GET", "path": path, "action": "status",
                                     "status": 500, "skip": 1, "times": 1000}));
    let kubeconfig = sandbox.proxied_kubeconfig();
    let shift = ["shift", "--v2", "30", "--proof=require"];
    let output = process::run(&mut namespace.plugin(&kubeconfig, &shift)).exits(4);
    assert!(output.stdout.contains("kubia-vs patched\ngateway proxies 2/2 live"), "{output}");
    let object = format!("virtualservice/kubia-vs in namespace {}", namespace.name());
    output.says(&[&format!("{object} was not read again (")]);
}

#[test]
fn a_forward_is_kept_on_a_slow_line() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    namespace.wait_live(&Proxies::open(&sandbox), 50, 50);
    let before = admin_log::of_plugin(&sandbox).len();
    let mut slow = sandbox.command(&["wan", "--one-way", "300ms", "--"]);
    slow.arg(process::plugin()).args(["-n", namespace.name(), "shift", "--v2", "30"]);
    assert_proven(&process::run(&mut slow).exits(0), "kubia-vs patched");
    let requests = admin_log::of_plugin(&sandbox).split_off(before);
    for pod in ready_gateway_pods(&sandbox.kubectl()) {
        let own = requests.iter().filter(|request| request.pod.ends_with(&pod));
        let connections: BTreeSet<_> = own.map(|request| request.connection).collect();
        assert_eq!(connections.len(), 1, "{pod}: {requests:?}");
    }
}

#[test]
fn what_others_change_around_the_weights_meanwhile_is_no_proof() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let control = sandbox.control();
    let object = format!("^{}$", namespace.path(ISTIO, "virtualservices/kubia-vs"));
    let beta =
        json!({"name": "beta", "match": [{"uri": {"prefix": "/b"}}], "route": split(50, 50)});
    let changed = format!(
        "somebody else changed virtualservice/kubia-vs in namespace {} meanwhile",
        namespace.name()
    );
    let gone = "somebody else changed it meanwhile: #1 is gone or leads elsewhere";
    for (v2, route, op, at, value, code, words) in [
        ("31", "#0", "add", "/spec/hosts/-", json!("another.example"), 4, changed.as_str()),
        ("32", "#0", "add", "/spec/http/0", beta.clone(), 4, &changed),
        // Weights of another route are no matter.
        ("33", "#1", "replace", "/spec/http/0/route", split(40, 60), 0, ""),
        ("34", "#1", "replace", "/spec/http", json!([beta]), 6, gone),
    ] {
        // It has seen the weights on all proxies, and asks whether they are still asked for.
        let rule = json!({"method": "GET", "path": object, "action": "hold", "skip": 1});
        let rule = control.rule(&rule);
        let kubeconfig = sandbox.proxied_kubeconfig();
        let arguments = ["shift", "--v2", v2, "--route", route, "--proof=require", "--timeout=5s"];
        let shift = Running::start(&mut namespace.plugin(&kubeconfig, &arguments));
        rule.wait_held();
        let edit = json!([{"op": op, "path": at, "value": value}]).to_string();
        namespace.kubectl(&["patch", "vs", "kubia-vs", "--type=json", "-p", &edit]).exits(0);
        drop(rule);
        shift.wait().exits(code).says(&[words]);
    }
}
