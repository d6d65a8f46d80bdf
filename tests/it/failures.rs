//! How the program ends when things are not as they should be: exit codes, and answers of strangers.

use http::Method;

use crate::support::{kubia, objects};

/// One row per exit code that the README lists and a fake API can produce.
#[test]
fn exit_codes_are_those_of_the_readme() {
    let codes = [
        (kubia(&objects::deployed((50, 50)), "shift --v2 30"), 0),
        (kubia(&objects::cluster(), "status"), 1),
        (kubia(&objects::cluster(), "shift --v2 101"), 2),
        (kubia(&objects::cluster(), "shift"), 2),
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
        let first = output.stderr.lines().next().unwrap();
        assert!(first.starts_with("error: cannot get service/istio-ingressgateway"), "{output}");
        assert!(output.stderr.len() < 600, "{output}");
    }
}
