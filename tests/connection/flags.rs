//! Flags wherever they stand, and the namespace they and the context lead to.

use serde_json::json;

use crate::support::Scene;

/// A scene that asks for the Gateway in whatever namespace is meant.
fn in_namespace(scene: &mut Scene, of_context: Option<&str>, flags: &[&str]) {
    let server = scene.server("a");
    let config = scene.config(server);
    scene.use_config(&match of_context {
        Some(namespace) => config.context("namespace", namespace),
        None => config,
    });
    scene.ask_for_gateway();
    scene.flags(flags);
}

cases! {
    the_default_namespace: |scene: &mut Scene| in_namespace(scene, None, &[]);
    the_namespace_of_the_context: |scene: &mut Scene| in_namespace(scene, Some("shop"), &[]);
    an_empty_namespace_of_the_context: |scene: &mut Scene| in_namespace(scene, Some(""), &[]);
    the_namespace_of_a_flag: |scene: &mut Scene| in_namespace(scene, Some("shop"), &["-n", "other"]);
    the_namespace_of_a_flag_without_a_space: |scene: &mut Scene| in_namespace(scene, None, &["-nother"]);
    the_namespace_of_a_flag_with_a_sign: |scene: &mut Scene| in_namespace(scene, None, &["-n=other"]);
    the_namespace_of_a_long_flag: |scene: &mut Scene| in_namespace(scene, None, &["--namespace=other"]);
    an_empty_namespace_of_a_flag: |scene: &mut Scene| in_namespace(scene, Some("shop"), &["-n", ""]);
    a_namespace_of_the_context_with_a_slash: |scene: &mut Scene| in_namespace(scene, Some("default/pods"), &[]);
    a_namespace_of_the_context_with_a_slash_and_a_percent_sign: |scene: &mut Scene| in_namespace(scene, Some("a/%b"), &[]);
    a_namespace_of_the_context_that_is_where_it_is: |scene: &mut Scene| in_namespace(scene, Some("."), &[]);
    a_namespace_of_a_flag_with_a_slash differs "namespace-usage": |scene: &mut Scene| in_namespace(scene, None, &["-n", "default/pods"]);
    of_two_namespaces_the_last: |scene: &mut Scene| in_namespace(scene, None, &["-n", "one", "--namespace", "two"]);
    the_namespace_of_the_context_of_a_flag: |scene: &mut Scene| {
        let server = scene.server("a");
        let mut config = scene.config(server).context("namespace", "shop");
        let other = json!({"name": "y", "context": {"cluster": "c", "user": "u", "namespace": "other"}});
        config.0["contexts"].as_array_mut().unwrap().push(other);
        scene.use_config(&config);
        scene.ask_for_gateway();
        scene.flags(&["--context=y"]);
    };
    the_namespace_of_the_pod: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.in_pod(server);
        scene.ask_for_gateway();
    };
    the_namespace_of_the_pod_by_a_variable: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.in_pod(server);
        scene.environment("POD_NAMESPACE", "of-the-variable");
        scene.ask_for_gateway();
    };
    the_namespace_of_the_pod_with_a_kubeconfig: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.in_pod(server);
        scene.use_config(&scene.config(server));
        scene.ask_for_gateway();
    };
    another_cluster_and_another_user: |scene: &mut Scene| {
        let (a, b) = (scene.server("a"), scene.server("b"));
        let mut config = scene.config(a);
        let mut cluster = config.0["clusters"][0].clone();
        cluster["name"] = json!("d");
        cluster["cluster"]["server"] = json!(format!("https://{b}"));
        config.0["clusters"].as_array_mut().unwrap().push(cluster);
        config.0["users"].as_array_mut().unwrap()
            .push(json!({"name": "v", "user": {"token": "token-v"}}));
        scene.use_config(&config);
        scene.flags(&["--cluster", "d", "--user", "v"]);
    };
    another_server: |scene: &mut Scene| {
        let (a, b) = (scene.server("a"), scene.server("b"));
        scene.use_config(&scene.config(a));
        scene.flags(&["-s", &format!("https://{b}")]);
    };
    a_server_without_a_scheme: |scene: &mut Scene| {
        let server = scene.plain_server("a");
        scene.flags(&["--server", &server.to_string()]);
    };
    a_server_without_a_scheme_of_a_cluster_with_an_authority differs "malformed": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config_for(&server.to_string()));
    };
    a_server_with_a_path: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config_for(&format!("https://{server}/prefix/")));
    };
    a_server_with_a_slash: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config_for(&format!("https://{server}/")));
    };
    a_server_that_is_no_url: |scene: &mut Scene| {
        scene.use_config(&scene.config_for("https://a b"));
    };
    a_server_with_a_port_out_of_range: |scene: &mut Scene| {
        scene.use_config(&scene.config_for("https://127.0.0.1:99999"));
    };
    flags_with_underscores: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--request_timeout=20s", "--tls_server_name=localhost", "--as_group=a", "--as=b"]);
    };
    flags_that_change_nothing_here: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        let cache = scene.path("cache");
        scene.flags(&["--cache-dir", &cache, "--disable-compression", "--warnings-as-errors=false", "-v0", "--v=0"]);
    };
    a_flag_twice: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--token=one", "--token=two", "--as=one", "--as=two"]);
    };
    a_timeout_that_is_none: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--request-timeout=0"]);
    };
    a_timeout_nobody_understands differs "timeout-usage": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--request-timeout=soon"]);
    };
    a_flag_nobody_knows differs "unknown-flag": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--bogus"]);
    };
    a_file_of_a_flag_is_where_we_are: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.file("ca.pem", &scene.authority.pem());
        scene.file("elsewhere/config", &scene.config(server)
            .cluster("certificate-authority-data", serde_json::Value::Null).0.to_string());
        scene.flags(&["--kubeconfig=elsewhere/config", "--certificate-authority=ca.pem"]);
    };
}
