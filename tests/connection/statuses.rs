//! Answers that are not what was asked for: statuses, and bodies of strangers.

use serde_json::json;

use crate::support::{
    Scene,
    server::{Action, Answer, status},
};

fn answering(scene: &mut Scene, answer: Answer) {
    let server = scene.server_that([Action::Answer(answer)]);
    scene.use_config(&scene.config(server));
}

fn with_status(scene: &mut Scene, code: u16, reason: &str, message: &str) {
    answering(scene, Answer::new(code, "application/json", status(code, reason, message)));
}

/// A Status of something invalid, with these causes.
fn invalid(scene: &mut Scene, kind: &str, causes: &[(&str, &str)]) {
    let causes: Vec<_> = causes.iter()
        .map(|(field, message)| json!({"reason": "FieldValueInvalid", "field": field, "message": message}))
        .collect();
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid",
        "code": 422, "message": "it is invalid", "details": {"kind": kind, "name": "x", "causes": causes}});
    answering(scene, Answer::new(422, "application/json", body.to_string()));
}

const HTML: &str = "<html>\n<head><title>502 Bad Gateway</title></head>\n</html>\n";

cases! {
    not_found: |scene: &mut Scene| with_status(scene, 404, "NotFound", "services \"web-gateway\" not found");
    forbidden: |scene: &mut Scene| with_status(scene, 403, "Forbidden", "services is forbidden: User \"u\" cannot get it");
    unauthorized: |scene: &mut Scene| with_status(scene, 401, "Unauthorized", "Unauthorized");
    a_conflict: |scene: &mut Scene| with_status(scene, 409, "Conflict", "the object has been modified");
    a_bad_request: |scene: &mut Scene| with_status(scene, 400, "BadRequest", "no");
    gone: |scene: &mut Scene| with_status(scene, 410, "Expired", "too old");
    too_many_requests: |scene: &mut Scene| with_status(scene, 429, "TooManyRequests", "try later");
    an_internal_error: |scene: &mut Scene| with_status(scene, 500, "InternalError", "Internal error occurred: etcd");
    unavailable: |scene: &mut Scene| with_status(scene, 503, "ServiceUnavailable", "apiserver is shutting down");
    a_timeout: |scene: &mut Scene| with_status(scene, 504, "Timeout", "Timeout: it took too long");
    a_status_without_a_reason: |scene: &mut Scene| with_status(scene, 418, "", "teapot");
    a_status_without_a_message: |scene: &mut Scene| with_status(scene, 403, "Forbidden", "");
    a_status_with_an_answer_of_200: |scene: &mut Scene| {
        let body = status(403, "Forbidden", "no");
        answering(scene, Answer::new(200, "application/json", body));
    };
    a_status_that_moves_the_cursor differs "control-characters": |scene: &mut Scene| {
        with_status(scene, 403, "Forbidden", "no\u{1b}[2J\u{202e}");
    };
    a_status_that_is_long differs "long-message": |scene: &mut Scene| {
        with_status(scene, 403, "Forbidden", &"no ".repeat(1000));
    };
    one_thing_is_invalid: |scene: &mut Scene| invalid(scene, "Service", &[("spec.a", "no")]);
    several_things_are_invalid: |scene: &mut Scene| {
        invalid(scene, "Service", &[("spec.a", "no"), ("spec.b", "neither"), ("spec.a", "no")]);
    };
    something_without_a_kind_is_invalid: |scene: &mut Scene| {
        with_status(scene, 422, "Invalid", "the server rejected our request due to an error in our request");
    };
    something_is_invalid_without_a_cause: |scene: &mut Scene| invalid(scene, "Service", &[]);
    nothing_is_served_there: |scene: &mut Scene| {
        answering(scene, Answer::new(404, "text/plain; charset=utf-8", "404 page not found\n"));
    };
    unauthorized_by_a_stranger: |scene: &mut Scene| answering(scene, Answer::new(401, "text/html", HTML));
    forbidden_by_a_stranger: |scene: &mut Scene| answering(scene, Answer::new(403, "text/html", "blocked by the gateway"));
    a_conflict_by_a_stranger: |scene: &mut Scene| answering(scene, Answer::new(409, "", ""));
    html: |scene: &mut Scene| answering(scene, Answer::new(502, "text/html", HTML));
    html_with_a_quote: |scene: &mut Scene| answering(scene, Answer::new(500, "text/html", "a \"b\" \\ ä\tc"));
    nothing: |scene: &mut Scene| answering(scene, Answer::new(502, "", ""));
    text: |scene: &mut Scene| answering(scene, Answer::new(503, "text/plain", "no healthy upstream"));
    text_of_a_gateway_that_waited: |scene: &mut Scene| answering(scene, Answer::new(504, "text/plain", "upstream request timeout"));
    text_that_is_huge differs "long-message": |scene: &mut Scene| {
        answering(scene, Answer::new(500, "text/plain", "x".repeat(1_000_000)));
    };
    json_that_is_no_status: |scene: &mut Scene| answering(scene, Answer::new(500, "application/json", "{\"kind\": 3}"));
    a_status_nobody_knows: |scene: &mut Scene| answering(scene, Answer::new(418, "text/plain", "teapot"));
    too_large: |scene: &mut Scene| answering(scene, Answer::new(413, "text/plain", "too large"));
    not_allowed: |scene: &mut Scene| answering(scene, Answer::new(405, "text/plain", "no"));
    not_acceptable: |scene: &mut Scene| answering(scene, Answer::new(406, "text/plain", "only xml"));
    a_media_type_nobody_knows: |scene: &mut Scene| answering(scene, Answer::new(415, "text/plain", "only xml"));
    html_with_an_answer_of_200 differs "not-json": |scene: &mut Scene| answering(scene, Answer::new(200, "text/html", HTML));
    nothing_with_an_answer_of_200 differs "not-json": |scene: &mut Scene| answering(scene, Answer::new(200, "application/json", ""));
    half_an_object_with_an_answer_of_200 differs "not-json": |scene: &mut Scene| {
        answering(scene, Answer::new(200, "application/json", "{\"kind\": \"Service\", "));
    };
    somewhere_else differs "redirect": |scene: &mut Scene| {
        answering(scene, Answer::new(302, "text/html", "").with("location", "/login"));
    };
    a_warning: |scene: &mut Scene| {
        let body = json!({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web-gateway"},
            "spec": {"ports": [{"port": 80}]}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}});
        answering(scene, Answer::new(200, "application/json", body.to_string())
            .with("warning", "299 - \"v1 is \\\"old\\\"\", 299 agent \"second\" \"Mon, 23 Nov 2026 12:00:00 GMT\"")
            .with("warning", "199 - \"not for people\"")
            .with("warning", "299 - \"second\"")
            .with("warning", "broken"));
    };
    a_warning_with_an_error: |scene: &mut Scene| {
        answering(scene, Answer::new(403, "application/json", status(403, "Forbidden", "no"))
            .with("warning", "299 - \"v1 is old\""));
    };
    warnings_that_are_errors: |scene: &mut Scene| {
        let body = json!({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web-gateway"},
            "spec": {"ports": [{"port": 80}]}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}});
        answering(scene, Answer::new(200, "application/json", body.to_string())
            .with("warning", "299 - \"one\"").with("warning", "299 - \"two\""));
        scene.flags(&["--warnings-as-errors"]);
    };
}
