//! Who we are: tokens, users, impersonation, credential plugins and what came before them.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::support::{Config, Scene};

/// A kubeconfig whose user is known by a plugin that runs these lines.
fn plugin(scene: &mut Scene, body: &str) -> Config {
    let server = scene.server("a");
    let command = scene.script("login", body);
    scene.config(server).only_user(json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": command,
        "interactiveMode": "IfAvailable"}}))
}

/// Lines that print this credential.
fn printing(status: &Value) -> String {
    let credential = json!({"kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1", "status": status});
    format!("cat <<'EOF'\n{credential}\nEOF")
}

fn exec(config: Config, field: &str, value: impl Into<Value>) -> Config {
    let mut exec = config.0["users"][0]["user"]["exec"].clone();
    exec[field] = value.into();
    config.user("exec", exec)
}

/// A JSON web token that ends at this time; nobody checks its signature here.
fn id_token(expiry: u64) -> String {
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(json!({"alg": "RS256"})), part(json!({"exp": expiry})))
}

fn oidc(scene: &mut Scene, expiry: u64) -> Config {
    let server = scene.server("a");
    scene.config(server).only_user(json!({"auth-provider": {"name": "oidc", "config": {
        "idp-issuer-url": "https://127.0.0.1:1", "client-id": "kubernetes",
        "id-token": id_token(expiry)}}}))
}

const TOKEN: &str = r#"{"token": "token-exec"}"#;

fn token() -> String {
    printing(&serde_json::from_str(TOKEN).unwrap())
}

cases! {
    a_token: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
    };
    a_token_in_a_file_that_ends_in_a_newline: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("token", "token-file\n");
        scene.use_config(&scene.config(server).only_user(json!({"tokenFile": path})));
    };
    a_token_and_a_file: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("token", "token-file\n");
        scene.use_config(&scene.config(server).user("tokenFile", path));
    };
    a_token_of_a_flag_and_a_file: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("token", "token-file\n");
        scene.use_config(&scene.config(server).only_user(json!({"tokenFile": path})));
        scene.flags(&["--token", "token-flag"]);
    };
    a_token_file_that_is_missing: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(json!({"tokenFile": "/nonexistent/token"})));
    };
    a_token_file_that_is_missing_beside_a_token: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).user("tokenFile", "/nonexistent/token"));
    };
    a_token_of_a_flag: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--token=token-flag"]);
    };
    a_token_of_a_flag_instead_of_a_plugin: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        scene.use_config(&config);
        scene.flags(&["--token=token-flag"]);
    };
    a_token_with_a_line_break: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).user("token", "a\nb"));
    };
    a_user_and_a_password: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(json!({"username": "u", "password": "p:ä"})));
    };
    a_user_and_a_password_of_flags: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(json!({})));
        scene.flags(&["--username", "u", "--password", "p"]);
    };
    a_token_and_a_user: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).user("username", "u"));
    };
    nobody_in_particular differs "prompt": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(json!({})));
    };
    a_plain_server_gets_no_token: |scene: &mut Scene| {
        let server = scene.plain_server("a");
        scene.use_config(&scene.config_for(&format!("http://{server}")));
    };
    a_plain_server_runs_no_plugin: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        let server = scene.plain_server("b");
        scene.use_config(&config.cluster("server", format!("http://{server}")));
    };
    a_plain_server_is_told_whom_we_impersonate: |scene: &mut Scene| {
        let server = scene.plain_server("a");
        scene.use_config(&scene.config_for(&format!("http://{server}")).user("as", "eve"));
    };
    somebody_else: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).user("as", "eve").user("as-uid", "7")
            .user("as-groups", json!(["one", "two"]))
            .user("as-user-extra", json!({"Scopes/ü": ["a", "b"]})));
    };
    somebody_else_by_flags: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).user("as", "eve").user("as-groups", json!(["zero"])));
        scene.flags(&["--as=bob", "--as-group=one", "--as-group=two,three", "--as-uid=9",
            "--as-user-extra=a=b", "--as-user-extra=a=c,d"]);
    };
    somebody_else_with_other_letters: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).user("as", "jané").user("as-groups", json!(["größe"])));
    };
    groups_without_somebody: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--as-group=one"]);
    };
    a_plugin_with_a_token: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        scene.use_config(&config);
    };
    a_plugin_of_an_older_version: |scene: &mut Scene| {
        let config = plugin(scene, &token().replace("k8s.io/v1", "k8s.io/v1beta1"));
        scene.use_config(&exec(config, "apiVersion", "client.authentication.k8s.io/v1beta1"));
    };
    a_plugin_with_a_certificate: |scene: &mut Scene| {
        let identity = scene.authority.client("alice");
        let config = plugin(scene, &printing(&json!({
            "clientCertificateData": identity.certificate_pem(), "clientKeyData": identity.key_pem()})));
        scene.use_config(&config);
    };
    a_plugin_with_a_certificate_and_a_token: |scene: &mut Scene| {
        let identity = scene.authority.client("alice");
        let config = plugin(scene, &printing(&json!({"token": "token-exec",
            "clientCertificateData": identity.certificate_pem(), "clientKeyData": identity.key_pem()})));
        scene.use_config(&config);
    };
    a_plugin_that_writes_yaml: |scene: &mut Scene| {
        let config = plugin(scene, "cat <<'EOF'\nkind: ExecCredential\n\
            apiVersion: client.authentication.k8s.io/v1\nstatus:\n  token: token-exec\nEOF");
        scene.use_config(&config);
    };
    a_plugin_is_told_what_it_needs: |scene: &mut Scene| {
        let log = scene.path("log");
        let body = format!("echo \"$@ $A $KUBERNETES_EXEC_INFO\" >>'{log}'; \
            head -c 100 >>'{log}'\n{}", token());
        let config = exec(plugin(scene, &body), "args", json!(["one", "two words"]));
        let config = exec(config, "env", json!([{"name": "A", "value": "b"}]));
        scene.use_config(&exec(config, "provideClusterInfo", true)
            .cluster("certificate-authority-data", Value::Null)
            .cluster("insecure-skip-tls-verify", true)
            .cluster("extensions", json!([{"name": "client.authentication.k8s.io/exec",
                "extension": {"audience": "x"}}])));
    };
    a_plugin_beside_its_kubeconfig: |scene: &mut Scene| {
        scene.script("bin/login", &token());
        let config = plugin(scene, &token());
        scene.use_config(&exec(config, "command", "bin/login"));
    };
    a_plugin_on_the_path: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        scene.use_config(&exec(config, "command", "login"));
        let path = format!("{}:/usr/bin:/bin", scene.folder.path().display());
        scene.environment("PATH", &path);
    };
    a_plugin_that_is_missing differs "install-hint": |scene: &mut Scene| {
        let config = exec(plugin(scene, ""), "command", "no-such-login");
        scene.use_config(&exec(config, "installHint", "brew install \u{1b}[1mlogin\u{1b}[0m\nthen log in"));
    };
    a_plugin_that_fails: |scene: &mut Scene| {
        let config = plugin(scene, "echo 'log in first' >&2; exit 3");
        scene.use_config(&config);
    };
    a_plugin_that_prints_nothing differs "plugin-output": |scene: &mut Scene| {
        let config = plugin(scene, "");
        scene.use_config(&config);
    };
    a_plugin_that_prints_something_else differs "plugin-output": |scene: &mut Scene| {
        let config = plugin(scene, "echo SECRET");
        scene.use_config(&config);
    };
    a_plugin_that_prints_another_version: |scene: &mut Scene| {
        let config = plugin(scene, &token().replace("k8s.io/v1", "k8s.io/v1beta1"));
        scene.use_config(&config);
    };
    a_plugin_that_knows_nobody: |scene: &mut Scene| {
        let config = plugin(scene, &printing(&json!({})));
        scene.use_config(&config);
    };
    a_plugin_without_a_status: |scene: &mut Scene| {
        let config = plugin(scene, &printing(&Value::Null));
        scene.use_config(&config);
    };
    a_plugin_with_half_an_identity: |scene: &mut Scene| {
        let config = plugin(scene, &printing(&json!({"clientCertificateData": "x"})));
        scene.use_config(&config);
    };
    a_plugin_that_needs_a_terminal: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        scene.use_config(&exec(config, "interactiveMode", "Always"));
    };
    a_plugin_on_a_terminal: |scene: &mut Scene| {
        let log = scene.path("log");
        let config = plugin(scene, &format!(
            "test -t 0 && test -t 2 && echo terminal >>'{log}'; echo \"$KUBERNETES_EXEC_INFO\" >>'{log}'\n{}",
            token()));
        scene.use_config(&config);
        scene.on_terminal();
    };
    a_plugin_that_needs_a_terminal_and_has_one: |scene: &mut Scene| {
        let log = scene.path("log");
        let body = format!("test -t 0 && echo terminal >>'{log}'\n{}", token());
        let config = plugin(scene, &body);
        scene.use_config(&exec(config, "interactiveMode", "Always"));
        scene.on_terminal();
    };
    a_plugin_that_never_wants_a_terminal: |scene: &mut Scene| {
        let log = scene.path("log");
        let body = format!("test -t 0 || echo 'no terminal' >>'{log}'\n{}", token());
        let config = plugin(scene, &body);
        scene.use_config(&exec(config, "interactiveMode", "Never"));
        scene.on_terminal();
    };
    a_plugin_leaves_the_input_to_others: |scene: &mut Scene| {
        let log = scene.path("log");
        let config = plugin(scene, &format!("head -c 100 >>'{log}'\n{}", token()));
        scene.use_config(&config);
        scene.input("for somebody else\n");
    };
    a_plugin_without_a_command: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        scene.use_config(&exec(config, "command", ""));
    };
    a_plugin_without_a_version: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        scene.use_config(&exec(config, "apiVersion", Value::Null));
    };
    a_plugin_and_a_provider_and_nobody_to_impersonate: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        scene.use_config(&config.user("auth-provider", json!({"name": "oidc"})).user("as-uid", "7"));
    };
    a_plugin_that_is_no_program: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        let path = scene.file("text", "not to be run\n");
        scene.use_config(&exec(config, "command", path));
    };
    a_plugin_at_a_path_where_there_is_none: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        scene.use_config(&exec(config, "command", "/nonexistent/login"));
    };
    a_plugin_of_no_known_version: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        scene.use_config(&exec(config, "apiVersion", "client.authentication.k8s.io/v1alpha1"));
    };
    a_plugin_that_does_not_say_whether_it_needs_a_terminal: |scene: &mut Scene| {
        let config = plugin(scene, &token());
        scene.use_config(&exec(config, "interactiveMode", Value::Null));
    };
    a_plugin_whose_token_is_not_good_any_more differs "unauthorized-again": |scene: &mut Scene| {
        let server = scene.server_with("a", |plan, _| plan.wants = Some("authorization: Bearer second".to_owned()));
        let log = scene.path("log");
        let first = printing(&json!({"token": "first"}));
        let second = printing(&json!({"token": "second"}));
        let command = scene.script("login", &format!(
            "if [ $(wc -l <'{log}') = 1 ]; then\n{first}\nelse\n{second}\nfi"));
        scene.use_config(&scene.config(server).only_user(json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": command,
            "interactiveMode": "Never"}})));
    };
    an_id_token_that_is_good: |scene: &mut Scene| {
        let config = oidc(scene, 4_000_000_000);
        scene.use_config(&config);
    };
    an_id_token_of_the_past: |scene: &mut Scene| {
        let config = oidc(scene, 1_000_000_000);
        scene.use_config(&config);
    };
    an_id_token_of_the_past_that_kubectl_may_refresh differs "oidc-refresh": |scene: &mut Scene| {
        let mut config = oidc(scene, 1_000_000_000);
        config.0["users"][0]["user"]["auth-provider"]["config"]["refresh-token"] = json!("refresh");
        scene.use_config(&config);
    };
    a_provider_that_is_gone differs "provider-gone": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(json!({"auth-provider": {"name": "gcp"}})));
    };
    a_provider_nobody_knows: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(json!({"auth-provider": {"name": "mine"}})));
    };
    a_plugin_and_a_client_certificate: |scene: &mut Scene| {
        let identity = scene.authority.client("alice");
        let config = plugin(scene, &token());
        scene.use_config(&config
            .user("client-certificate-data", BASE64_STANDARD.encode(identity.certificate_pem()))
            .user("client-key-data", BASE64_STANDARD.encode(identity.key_pem())));
    };
}
