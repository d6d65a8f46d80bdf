//! Connections that do not come about, break, or fall silent.

use crate::support::{
    Scene,
    server::{Action, Answer, Wire, status},
};

/// For kubectl, which tries again until the end; whatever works takes less, or asks for more.
const DEADLINE: &str = "--request-timeout=3s";
const LONG: &str = "--request-timeout=30s";

fn on_the_wire(scene: &mut Scene, wire: Wire) {
    let server = scene.server_with("a", |plan, _| plan.wire = wire);
    scene.use_config(&scene.config(server));
    scene.flags(&["--request-timeout=1s"]);
}

fn answering(scene: &mut Scene, actions: impl IntoIterator<Item = Action>) {
    let server = scene.server_that(actions);
    scene.use_config(&scene.config(server));
    scene.flags(&[DEADLINE]);
}

/// The same on HTTP/1.1.
fn answering_on_http1(scene: &mut Scene, actions: Vec<Action>) {
    let server = scene.server_with("a", |plan, _| {
        plan.tls.as_mut().unwrap().protocols = Vec::new();
        plan.script = std::sync::Arc::new(move |turn| actions[turn.min(actions.len()) - 1].clone());
    });
    scene.use_config(&scene.config(server));
    scene.flags(&[DEADLINE]);
}

/// The same frame by frame.
fn answering_by_frames(scene: &mut Scene, actions: Vec<Action>) {
    let server = scene.server_with("a", |plan, _| {
        plan.by_frames = true;
        plan.script = std::sync::Arc::new(move |turn| actions[turn.min(actions.len()) - 1].clone());
    });
    scene.use_config(&scene.config(server));
    scene.flags(&[DEADLINE]);
}

fn later(code: u16) -> Action {
    let body = status(code, "ServiceUnavailable", "busy");
    Action::Answer(Answer::new(code, "application/json", body).with("retry-after", "1"))
}

cases! {
    nobody_listens: |scene: &mut Scene| scene.use_config(&scene.config_for("https://127.0.0.1:1"));
    nobody_listens_without_tls: |scene: &mut Scene| scene.use_config(&scene.config_for("http://127.0.0.1:1"));
    it_ends_at_once differs "retries": |scene: &mut Scene| on_the_wire(scene, Wire::Closes);
    it_is_reset_at_once differs "retries": |scene: &mut Scene| on_the_wire(scene, Wire::Resets);
    it_is_silent may_differ "timeout-words": |scene: &mut Scene| on_the_wire(scene, Wire::IsSilent);
    it_ends_after_tls differs "retries": |scene: &mut Scene| on_the_wire(scene, Wire::ClosesAfterTls);
    it_is_silent_after_tls may_differ "timeout-words": |scene: &mut Scene| on_the_wire(scene, Wire::IsSilentAfterTls);
    it_is_no_web_server differs "malformed": |scene: &mut Scene| {
        let server = scene.server_with("a", |plan, _| plan.wire = Wire::IsGarbage);
        scene.use_config(&scene.config_for(&format!("http://{server}")));
        scene.flags(&["--request-timeout=1s"]);
    };
    it_hangs_before_the_headers may_differ "timeout-words": |scene: &mut Scene| {
        answering(scene, [Action::Hang]);
        scene.flags(&["--request-timeout=1s"]);
    };
    it_hangs_after_the_headers may_differ "timeout-words": |scene: &mut Scene| {
        answering(scene, [Action::HangAfterHeaders]);
        scene.flags(&["--request-timeout=1s"]);
    };
    it_hangs_before_the_headers_on_http_1_1 may_differ "timeout-words": |scene: &mut Scene| {
        answering_on_http1(scene, vec![Action::Hang]);
        scene.flags(&["--request-timeout=1s"]);
    };
    it_breaks_within_the_body differs "stream-number": |scene: &mut Scene| answering(scene, [Action::CutBody]);
    it_breaks_within_the_body_on_http_1_1: |scene: &mut Scene| answering_on_http1(scene, vec![Action::CutBody]);
    it_breaks_before_the_headers differs "stream-number": |scene: &mut Scene| answering(scene, [Action::Close]);
    it_breaks_before_the_headers_on_http_1_1 differs "retries": |scene: &mut Scene| answering_on_http1(scene, vec![Action::Close]);
    it_breaks_once differs "broken-stream": |scene: &mut Scene| {
        answering(scene, [Action::Close, Action::Object]);
        scene.flags(&[LONG]);
    };
    it_breaks_once_on_http_1_1: |scene: &mut Scene| {
        answering_on_http1(scene, vec![Action::Close, Action::Object]);
        scene.flags(&[LONG]);
    };
    it_refuses_a_stream_once: |scene: &mut Scene| {
        answering_by_frames(scene, vec![Action::RefuseStream, Action::Object]);
        scene.flags(&[LONG]);
    };
    it_goes_away_after_its_answer: |scene: &mut Scene| {
        answering_by_frames(scene, vec![Action::ObjectAndGoAway, Action::Object]);
        scene.flags(&[LONG]);
    };
    it_goes_away_once: |scene: &mut Scene| {
        answering_by_frames(scene, vec![Action::GoAway, Action::Object]);
        scene.flags(&[LONG]);
    };
    it_is_busy_once: |scene: &mut Scene| {
        answering(scene, [later(503), Action::Object]);
        scene.flags(&[LONG]);
    };
    it_has_too_many_requests_once: |scene: &mut Scene| {
        answering(scene, [later(429), Action::Object]);
        scene.flags(&[LONG]);
    };
}
