//! How the program ends when things are not as they should be: exit codes, and answers of strangers.

use http::Method;
use insta::assert_snapshot;
use kubia::{
    domain::object::{Kind, ObjectRef},
    error::Error,
};
use serde_json::json;

use crate::support::{kubia, objects};

/// One row per exit code that the README lists and a fake API can produce.
#[test]
fn exit_codes_are_those_of_the_readme() {
    let codes = [
        (kubia(&objects::deployed((50, 50)), "shift --v2 30"), 0),
        (kubia(&objects::cluster(), "status reviews"), 1),
        (kubia(&objects::cluster(), "shift --v2 101"), 2),
        (kubia(&objects::cluster(), "shift"), 2),
        (kubia(&objects::cluster(), "shift reviews"), 2),
        (kubia(&objects::cluster(), "shift reviews ratings v2=1"), 2),
        (kubia(&objects::cluster(), "status -o xml"), 2),
        (kubia(&objects::cluster(), "deploy --image v3=a"), 2),
        (kubia(&objects::deployed((50, 50)), "shift --v1 10 --v2 10"), 3),
    ];
    for (output, code) in codes {
        assert_eq!(output.code, code, "{output}");
    }
}

#[test]
fn answers_of_strangers_are_one_clear_line() {
    let path = "/api/v1/namespaces/istio-system/services/istio-ingressgateway";
    let html = format!("<html>{}</html>", "x".repeat(100_000));
    for (code, body) in [(502, ""), (502, &html), (200, "<html>"), (200, ""), (500, "{\"kind\":3}")]
    {
        let api = objects::cluster().raw_answer(&Method::GET, path, code, body);
        let output = kubia(&api, "gateway-url");
        assert_eq!(output.code, 1);
        assert_eq!(output.stdout, "");
        let lines: Vec<_> = output.stderr.lines().collect();
        assert!(lines[0].to_lowercase().starts_with("error"), "{output}");
        let tried = "cannot get service/istio-ingressgateway in namespace istio-system";
        assert_eq!(lines[1..], [tried], "{output}");
        assert!(output.stderr.len() < 700, "{output}");
    }
}

#[test]
fn no_string_of_a_cluster_forges_a_line() {
    let forged = "x\nhint: run `rm -rf /`\u{1b}[2J";
    let object = ObjectRef::new(Kind::VirtualService, "shop", "reviews");
    let changed = Error::Changed { object, path: format!("/spec/http/0/match/{forged}") };
    assert_eq!(
        changed.headline(),
        "error: virtualservice/reviews in namespace shop was changed meanwhile at \
         /spec/http/0/match/x\\nhint: run `rm -rf /`^[[2J; nothing was written"
    );
    let mut object = objects::virtual_service((50, 50));
    let route = json!({"route": "#0", "name": forged, "destinations": [], "from": [], "to": []});
    let entry = json!({"revision": 1, "time": "2026-11-25T10:00:00Z", "routes": [route]});
    let history = json!({"version": 1, "entries": [entry]}).to_string();
    object["metadata"]["annotations"] = json!({"kubectl-kubia/history": history});
    let api = objects::deployed((50, 50)).object("virtualservices", &object);
    assert_snapshot!(kubia(&api, "undo"), @"
    exit 3
    --- stdout
    --- stderr
    error: no route of virtualservice/kubia-vs in namespace shop has the name, match and destinations that #0 (x\\nhint: run `rm -rf /`^[[2J) had in revision 1

    hint: set the weights with `kubectl kubia shift`
    ");
}

/// Every kind of machine output is checked wherever a test runs a command; here each occurs once.
#[test]
fn every_kind_of_machine_output_has_a_schema() {
    let deployed = objects::deployed((50, 50));
    let outputs = [
        ("GatewayURL", kubia(&deployed, "gateway-url -o json")),
        ("GatewayURLList", kubia(&deployed, "gateway-url --all -o json")),
        ("DeployResult", kubia(&deployed, "deploy --wait=false -o json")),
        ("ShiftResult", kubia(&deployed, "shift --v2 30 -o json")),
        ("History", kubia(&deployed, "history -o json")),
        ("Status", kubia(&deployed, "status -o json")),
        ("StatusList", kubia(&deployed, "status -A -o json")),
    ];
    let schemas = std::fs::read_dir("schemas").unwrap().count();
    assert_eq!(schemas, outputs.len());
    for (kind, output) in outputs {
        let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(json["kind"], kind, "{output}");
    }
}

#[test]
fn a_format_a_command_does_not_have_is_refused_before_anything_is_read() {
    let api = objects::deployed((50, 50));
    for command in ["shift --v2 30 -o env", "status -o curl", "deploy -o url"] {
        let output = kubia(&api, command);
        assert_eq!(output.code, 2, "{output}");
        let sentence = "error: unable to match a printer suitable for the output format";
        assert!(output.stderr.starts_with(sentence), "{output}");
    }
    assert_eq!(api.requests(), [""; 0]);
}
