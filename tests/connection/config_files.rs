//! Which kubeconfig files are read, and what they come to together.

use serde_json::{Value, json};

use crate::support::Scene;

cases! {
    the_file_of_the_environment: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
    };
    the_file_of_the_home_directory: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.file("home/.kube/config", &scene.config(server).0.to_string());
    };
    an_empty_variable_is_none: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.file("home/.kube/config", &scene.config(server).0.to_string());
        scene.environment("KUBECONFIG", "");
    };
    the_flag_beats_the_environment: |scene: &mut Scene| {
        let (a, b) = (scene.server("a"), scene.server("b"));
        scene.use_config(&scene.config(a));
        let path = scene.file("other", &scene.config(b).0.to_string());
        scene.flags(&["--kubeconfig", &path]);
    };
    the_flag_is_not_merged_with_others: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        let path = scene.file("other", &scene.config(server).file("contexts", Value::Null).0.to_string());
        scene.flags(&["--kubeconfig", &path]);
    };
    a_missing_file_of_the_flag: |scene: &mut Scene| {
        scene.flags(&["--kubeconfig", "/nonexistent/config"]);
    };
    missing_files_of_a_list_are_skipped: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("config", &scene.config(server).0.to_string());
        scene.environment("KUBECONFIG", &format!("/nonexistent/a:{path}:/nonexistent/b"));
    };
    empty_items_of_a_list_are_skipped: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("config", &scene.config(server).0.to_string());
        scene.environment("KUBECONFIG", &format!("::{path}:"));
    };
    of_two_users_with_one_name_the_first_counts: |scene: &mut Scene| {
        let server = scene.server("a");
        let first = scene.file("first", &scene.config(server).0.to_string());
        let second = scene.config(server).user("token", "second").user("as", "somebody");
        let second = scene.file("second", &second.0.to_string());
        scene.environment("KUBECONFIG", &format!("{first}:{second}"));
    };
    the_current_context_is_that_of_the_first_file_that_has_one: |scene: &mut Scene| {
        let (a, b) = (scene.server("a"), scene.server("b"));
        let first = scene.config(a).file("current-context", "");
        let first = scene.file("first", &first.0.to_string());
        let mut second = scene.config(b).file("current-context", "y");
        second.0["contexts"][0]["name"] = json!("y");
        second.0["clusters"][0]["name"] = json!("d");
        second.0["contexts"][0]["context"]["cluster"] = json!("d");
        let second = scene.file("second", &second.0.to_string());
        scene.environment("KUBECONFIG", &format!("{first}:{second}"));
    };
    cluster_user_and_context_come_from_three_files: |scene: &mut Scene| {
        let server = scene.server("a");
        let all = scene.config(server);
        let without = |fields: &[&str]| {
            fields.iter().fold(all.clone(), |config, field| config.file(field, Value::Null)).0.to_string()
        };
        let paths = [
            scene.file("1", &without(&["users", "contexts", "current-context"])),
            scene.file("2", &without(&["clusters", "contexts", "current-context"])),
            scene.file("3", &without(&["clusters", "users"])),
        ];
        scene.environment("KUBECONFIG", &paths.join(":"));
    };
    the_same_file_twice: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("config", &scene.config(server).0.to_string());
        scene.environment("KUBECONFIG", &format!("{path}:{path}"));
    };
    a_file_that_is_not_yaml differs "kubeconfig-syntax": |scene: &mut Scene| {
        let path = scene.file("config", "users:\n- user: {token: SECRET\n  : [\n");
        scene.environment("KUBECONFIG", &path);
    };
    a_field_of_the_wrong_type differs "kubeconfig-syntax": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).file("clusters", json!({"a": 1})));
    };
    a_directory_in_the_list: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("config", &scene.config(server).0.to_string());
        scene.environment("KUBECONFIG", &format!("{path}:{}", scene.path("home")));
    };
    of_two_users_in_one_file_with_one_name differs "kubeconfig-duplicate": |scene: &mut Scene| {
        let server = scene.server("a");
        let mut config = scene.config(server);
        let user = config.0["users"][0].clone();
        config.0["users"].as_array_mut().unwrap().push(user);
        scene.use_config(&config);
    };
    yaml_with_comments_anchors_and_fields_of_others: |scene: &mut Scene| {
        let server = scene.server("a");
        let data = scene.config(server).0["clusters"][0]["cluster"]["certificate-authority-data"].clone();
        let text = format!("# made by hand\napiVersion: v1\nkind: Config\npreferences: {{}}\nusers:\n\
            - name: u\n  user: &user\n    token: >-\n      token-u\n    x-more: [1, 2]\n\
            - name: v\n  user: *user\nclusters:\n- name: c\n  cluster:\n    server: https://{server}\n    \
            certificate-authority-data: {data}\ncontexts:\n- name: x\n  context: {{cluster: c, user: v}}\n\
            current-context: 'x'\n");
        let path = scene.file("config", &text);
        scene.environment("KUBECONFIG", &path);
    };
    paths_are_relative_to_their_file: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.file("deep/down/ca.pem", &scene.authority.pem());
        scene.file("deep/down/token", "token-file");
        let config = scene.config(server)
            .cluster("certificate-authority-data", Value::Null)
            .cluster("certificate-authority", "down/ca.pem")
            .only_user(json!({"tokenFile": "down/token"}));
        let path = scene.file("deep/config", &config.0.to_string());
        scene.environment("KUBECONFIG", &path);
    };
    an_unknown_context_of_the_flag: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--context", "nope"]);
    };
    an_unknown_current_context: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).file("current-context", "nope"));
    };
    an_unknown_cluster_of_the_flag: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--cluster", "nope"]);
    };
    an_unknown_user_of_the_flag: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--user", "nope"]);
    };
    a_context_with_an_unknown_user_of_a_plain_server: |scene: &mut Scene| {
        let server = scene.plain_server("a");
        scene.use_config(&scene.config_for(&format!("http://{server}")).context("user", "nope"));
    };
    a_context_with_an_unknown_cluster differs "no-server": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).context("cluster", "nope"));
    };
    a_cluster_without_a_server differs "no-server": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).cluster("server", Value::Null));
    };
    no_configuration_at_all differs "no-configuration": |_: &mut Scene| {};
    an_empty_file differs "no-configuration": |scene: &mut Scene| {
        let path = scene.file("config", "");
        scene.environment("KUBECONFIG", &path);
    };
    no_current_context differs "no-context": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).file("current-context", Value::Null));
    };
    a_server_of_the_variable_kubernetes_master: |scene: &mut Scene| {
        let server = scene.plain_server("a");
        scene.environment("KUBERNETES_MASTER", &format!("http://{server}"));
    };
    a_server_of_a_flag_without_any_file: |scene: &mut Scene| {
        let server = scene.plain_server("a");
        scene.flags(&["--server", &format!("http://{server}")]);
    };
    lists_that_are_null: |scene: &mut Scene| {
        let server = scene.plain_server("a");
        let mut config = scene.config_for(&format!("http://{server}"));
        config.0["users"] = Value::Null;
        scene.use_config(&config);
    };
    a_file_with_a_byte_order_mark: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("config", &format!("\u{feff}{}", scene.config(server).0));
        scene.environment("KUBECONFIG", &path);
    };
    a_file_of_windows: |scene: &mut Scene| {
        let server = scene.server("a");
        let text = scene.config(server).0.to_string().replace(',', ",\r\n");
        let path = scene.file("config", &text);
        scene.environment("KUBECONFIG", &path);
    };
    in_a_pod: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.in_pod(server);
    };
    in_a_pod_a_kubeconfig_counts_first: |scene: &mut Scene| {
        let (a, b) = (scene.server("a"), scene.server("b"));
        scene.in_pod(b);
        scene.use_config(&scene.config(a));
    };
    in_a_pod_with_a_timeout differs "pod-flags": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.in_pod(server);
        scene.flags(&["--request-timeout=20s"]);
    };
    in_a_pod_as_somebody_else differs "pod-flags": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.in_pod(server);
        scene.flags(&["--as=eve"]);
    };
    in_a_pod_flags_change_what_it_knows: |scene: &mut Scene| {
        let (a, b) = (scene.server("a"), scene.server("b"));
        scene.in_pod(a);
        scene.flags(&["--server", &format!("https://{b}"), "--token", "token-flag"]);
    };
}
