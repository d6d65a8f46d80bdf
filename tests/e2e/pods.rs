//! What the sandbox's node agent does with pods, and with the annotations that make them fail.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    binomial::assert_follows,
    http::{Connections, Http, Response},
    namespace::Namespace,
    proxies::{Proxies, condition},
    sandbox::Sandbox,
    wait::{holds, wait_for},
};

/// A pod like the tutorial's v2, with annotations.
fn pod_like_v2(namespace: &Namespace<'_>, name: &str, annotations: &Value) -> Value {
    let deployment = namespace.object("/apis/apps/v1", "deployments/kubia-server-v2");
    json!({
        "metadata": {"name": name, "annotations": annotations},
        "spec": deployment["spec"]["template"]["spec"],
    })
}

fn container_status(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]
}

#[test]
fn a_pod_becomes_ready_when_its_annotation_says_so() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.kubia(&["deploy", "--host", &namespace.host(), "--wait=false"]).exits(0);
    let late = json!({"sandbox/ready-after-seconds": "never"});
    namespace.create_pod(&pod_like_v2(&namespace, "late", &late));
    wait_for("the pod to run without being ready", || {
        let pod = namespace.object("/api/v1", "pods/late");
        let state = (&pod["status"]["phase"], condition(&pod, "Ready"));
        holds(state == (&json!("Running"), "False".to_owned()), || format!("{state:?}"))
    });
    let now = ["annotate", "--overwrite", "pod", "late", "sandbox/ready-after-seconds=0"];
    namespace.kubectl(&now).exits(0);
    wait_for("the pod to be ready", || {
        let ready = condition(&namespace.object("/api/v1", "pods/late"), "Ready");
        holds(ready == "True", || ready)
    });
}

#[test]
fn a_pod_that_crashes_is_restarted_and_counted() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.kubia(&["deploy", "--host", &namespace.host(), "--wait=false"]).exits(0);
    let crash = json!({"sandbox/crash-after-seconds": "1"});
    namespace.create_pod(&pod_like_v2(&namespace, "crashing", &crash));
    wait_for("the container to have crashed and started again", || {
        let pod = namespace.object("/api/v1", "pods/crashing");
        let status = container_status(&pod);
        let restarts = status["restartCount"].as_u64().unwrap_or(0);
        let exited = !status["lastState"]["terminated"]["exitCode"].is_null();
        holds(restarts >= 1 && exited, || status.to_string())
    });
}

#[test]
fn an_unknown_image_is_not_pulled() {
    let namespace = Namespace::new(Sandbox::shared());
    let image = "registry.invalid/nobody/nothing:1";
    let pod = json!({
        "metadata": {"name": "unknown"},
        "spec": {"containers": [{"name": "main", "image": image}]},
    });
    namespace.create_pod(&pod);
    wait_for("an image error", || {
        let pod = namespace.object("/api/v1", "pods/unknown");
        assert_ne!(pod["status"]["phase"], "Running", "{pod}");
        let waiting = &container_status(&pod)["state"]["waiting"];
        let message = waiting["message"].as_str().unwrap_or_default();
        let pull = ["ErrImagePull", "ImagePullBackOff"].iter().any(|r| waiting["reason"] == *r);
        holds(pull && message.contains(image), || waiting.to_string())
    });
}

#[test]
fn annotations_make_the_app_fail_and_slow_and_well_again() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let proxies = Proxies::open(sandbox);
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "100"]).exits(0);
    proxies.wait_live(namespace.name(), &[("dr-v2", 100)]);
    let url = namespace.kubia(&["gateway-url"]).exits(0).stdout;
    let client = Http::plain(&format!("http://{}", url.trim()), Connections::Kept);
    let host = namespace.host();
    let ask = || client.send(Method::GET, "/", &[("host", host.as_str())], String::new());
    assert!(ask().status.is_success());

    annotate_v2(&namespace, "sandbox/error-rate=0.5");
    wait_for("a first error", || holds(ask().status.is_server_error(), || "none".to_owned()));
    let failed = (0..300).filter(|_| ask().status.is_server_error()).count();
    assert_follows(u32::try_from(failed).expect("at most 300"), 300, 50);
    annotate_v2(&namespace, "sandbox/error-rate=0");
    wait_for("fifty answers without an error", || {
        let answers: Vec<Response> = (0..50).map(|_| ask()).collect();
        let failed = answers.iter().filter(|answer| !answer.status.is_success()).count();
        holds(failed == 0, || format!("{failed} errors"))
    });

    let latency = Duration::from_millis(300);
    annotate_v2(&namespace, "sandbox/latency-ms=300");
    wait_for("an answer that takes its time", || {
        let start = Instant::now();
        assert!(ask().status.is_success());
        holds(start.elapsed() >= latency, || format!("{:?}", start.elapsed()))
    });
    let start = Instant::now();
    assert!(ask().status.is_success());
    assert!(start.elapsed() >= latency, "{:?}", start.elapsed());
}

fn annotate_v2(namespace: &Namespace<'_>, annotation: &str) {
    let arguments = ["annotate", "--overwrite", "pod", "-l", "version=v2", annotation];
    namespace.kubectl(&arguments).exits(0);
}

#[test]
fn deleted_pods_go_and_their_replacements_take_over() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let names = || -> Vec<String> {
        let pods = namespace.object("/api/v1", "pods?labelSelector=version%3Dv2");
        let pods = pods["items"].as_array().cloned().expect("a list has items");
        let ready = pods.iter().filter(|pod| condition(pod, "Ready") == "True");
        ready.map(|pod| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let before = names();
    assert_eq!(before.len(), 1, "{before:?}");
    namespace.kubectl(&["delete", "pod", &before[0]]).exits(0);
    wait_for("a replacement to be ready", || {
        let now = names();
        holds(now.len() == 1 && now != before, || format!("{now:?}"))
    });
}
