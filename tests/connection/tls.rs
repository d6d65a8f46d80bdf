//! Whom we trust, who we are, and what is said of certificates that are not good.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::support::{
    Scene,
    pki::{Authority, Identity, Validity},
    server::{Tls, Wire},
};

const CERTIFICATE_V1: &str = include_str!("fixtures/client-v1.crt");
const KEY_V1: &str = include_str!("fixtures/client-v1.key");

/// A server with a certificate of the scene's authority for these hosts alone.
fn server_for(
    scene: &mut Scene,
    hosts: &'static [&'static str],
    validity: Validity,
) -> std::net::SocketAddr {
    scene.server_with("a", move |plan, authority| {
        plan.tls = Some(Tls::new(authority.server(hosts, validity)));
    })
}

/// A client's certificate and key as fields of a kubeconfig.
fn client(scene: &Scene, name: &str) -> Value {
    let identity = scene.authority.client(name);
    json!({"client-certificate-data": BASE64_STANDARD.encode(identity.certificate_pem()),
           "client-key-data": BASE64_STANDARD.encode(identity.key_pem())})
}

cases! {
    the_authority_of_the_cluster: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
    };
    the_authority_in_a_file: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("ca.pem", &scene.authority.pem());
        scene.use_config(&scene.config(server)
            .cluster("certificate-authority-data", Value::Null)
            .cluster("certificate-authority", path));
    };
    an_authority_among_others_and_text: |scene: &mut Scene| {
        let server = scene.server("a");
        let (other, own) = (Authority::new("other").pem(), scene.authority.pem());
        let path = scene.file("ca.pem", &format!("# ours\n{other}\nand\n{own}\n"));
        scene.use_config(&scene.config(server)
            .cluster("certificate-authority-data", Value::Null)
            .cluster("certificate-authority", path));
    };
    a_server_by_name: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config_for(&format!("https://localhost:{}", server.port())));
    };
    the_authorities_of_the_system: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("system.pem", &scene.authority.pem());
        scene.environment("SSL_CERT_FILE", &path);
        scene.environment("SSL_CERT_DIR", "/nonexistent");
        scene.use_config(&scene.config(server).cluster("certificate-authority-data", Value::Null));
    };
    an_unknown_authority: |scene: &mut Scene| {
        let server = scene.server("a");
        let other = BASE64_STANDARD.encode(Authority::new("other").pem());
        scene.use_config(&scene.config(server).cluster("certificate-authority-data", other));
    };
    an_authority_of_the_same_name_with_another_key differs "authority-twin": |scene: &mut Scene| {
        let server = scene.server("a");
        let other = BASE64_STANDARD.encode(Authority::new("kubia-ca").pem());
        scene.use_config(&scene.config(server).cluster("certificate-authority-data", other));
    };
    a_certificate_for_another_name: |scene: &mut Scene| {
        let server = server_for(scene, &["kubernetes", "kubernetes.default.svc"], Validity::Now);
        scene.use_config(&scene.config_for(&format!("https://localhost:{}", server.port())));
    };
    a_certificate_for_another_address: |scene: &mut Scene| {
        let server = server_for(scene, &["kubernetes", "10.96.0.1", "192.0.2.1"], Validity::Now);
        scene.use_config(&scene.config(server));
    };
    a_certificate_without_addresses: |scene: &mut Scene| {
        let server = server_for(scene, &["kubernetes"], Validity::Now);
        scene.use_config(&scene.config(server));
    };
    a_certificate_without_any_names: |scene: &mut Scene| {
        let server = server_for(scene, &[], Validity::Now);
        scene.use_config(&scene.config_for(&format!("https://localhost:{}", server.port())));
    };
    a_certificate_for_another_name_by_an_unknown_authority: |scene: &mut Scene| {
        let server = server_for(scene, &["kubernetes"], Validity::Now);
        let other = BASE64_STANDARD.encode(Authority::new("other").pem());
        scene.use_config(&scene.config_for(&format!("https://localhost:{}", server.port()))
            .cluster("certificate-authority-data", other));
    };
    a_certificate_of_the_past: |scene: &mut Scene| {
        let server = server_for(scene, &["127.0.0.1"], Validity::Past);
        scene.use_config(&scene.config(server));
    };
    a_certificate_of_the_future: |scene: &mut Scene| {
        let server = server_for(scene, &["127.0.0.1"], Validity::Future);
        scene.use_config(&scene.config(server));
    };
    whoever_is_not_verified: |scene: &mut Scene| {
        let server = server_for(scene, &["kubernetes"], Validity::Past);
        scene.use_config(&scene.config(server)
            .cluster("certificate-authority-data", Value::Null)
            .cluster("insecure-skip-tls-verify", true));
    };
    whoever_is_not_verified_by_a_flag: |scene: &mut Scene| {
        let server = server_for(scene, &["kubernetes"], Validity::Past);
        scene.use_config(&scene.config(server));
        scene.flags(&["--insecure-skip-tls-verify"]);
    };
    whoever_is_verified_by_a_flag_that_says_false: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&["--insecure-skip-tls-verify=false"]);
    };
    verified_and_not_verified_at_once: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).cluster("insecure-skip-tls-verify", true));
    };
    another_name_for_tls: |scene: &mut Scene| {
        let server = server_for(scene, &["kubernetes"], Validity::Now);
        scene.use_config(&scene.config(server).cluster("tls-server-name", "kubernetes"));
    };
    another_name_for_tls_by_a_flag: |scene: &mut Scene| {
        let server = server_for(scene, &["kubernetes"], Validity::Now);
        scene.use_config(&scene.config(server).cluster("tls-server-name", "nobody"));
        scene.flags(&["--tls-server-name=kubernetes"]);
    };
    a_server_of_a_flag_has_no_other_name: |scene: &mut Scene| {
        let server = server_for(scene, &["kubernetes", "127.0.0.1"], Validity::Now);
        scene.use_config(&scene.config_for("https://127.0.0.1:1").cluster("tls-server-name", "nobody"));
        scene.flags(&["--server", &format!("https://{server}")]);
    };
    an_authority_of_a_flag: |scene: &mut Scene| {
        let server = scene.server("a");
        let other = BASE64_STANDARD.encode(Authority::new("other").pem());
        scene.use_config(&scene.config(server).cluster("certificate-authority-data", other));
        let path = scene.file("ca.pem", &scene.authority.pem());
        scene.flags(&["--certificate-authority", &path]);
    };
    an_authority_in_two_places: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("ca.pem", &scene.authority.pem());
        scene.use_config(&scene.config(server).cluster("certificate-authority", path));
    };
    an_authority_that_is_missing: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server)
            .cluster("certificate-authority-data", Value::Null)
            .cluster("certificate-authority", "/nonexistent/ca.pem"));
    };
    an_authority_that_is_no_certificate: |scene: &mut Scene| {
        let server = scene.server("a");
        let path = scene.file("ca.pem", "nothing of the kind\n");
        scene.flags(&["--certificate-authority", &path]);
        scene.use_config(&scene.config(server));
    };
    authority_data_that_is_not_base64 differs "kubeconfig-base64": |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).cluster("certificate-authority-data", "*"));
    };
    a_server_with_tls_1_2: |scene: &mut Scene| {
        let server = scene.server_with("a", |plan, _| {
            plan.tls.as_mut().unwrap().versions = vec![&rustls::version::TLS12];
        });
        scene.use_config(&scene.config(server));
    };
    a_server_with_http_1_1: |scene: &mut Scene| {
        let server = scene.server_with("a", |plan, _| {
            plan.tls.as_mut().unwrap().protocols = Vec::new();
        });
        scene.use_config(&scene.config(server));
    };
    a_server_whose_certificate_is_its_own_authority: |scene: &mut Scene| {
        let identity = Identity::self_signed(&["127.0.0.1", "localhost"]);
        let authority = BASE64_STANDARD.encode(identity.certificate_pem());
        let server = scene.server_with("a", |plan, _| plan.tls = Some(Tls::new(identity)));
        scene.use_config(&scene.config_for(&format!("https://localhost:{}", server.port()))
            .cluster("certificate-authority-data", authority));
    };
    a_server_whose_certificate_is_its_authority_though_another_signed_it: |scene: &mut Scene| {
        let identity = Authority::new("other").server(&["localhost"], Validity::Now);
        let authority = BASE64_STANDARD.encode(identity.certificate_pem());
        let server = scene.server_with("a", |plan, _| plan.tls = Some(Tls::new(identity)));
        scene.use_config(&scene.config_for(&format!("https://localhost:{}", server.port()))
            .cluster("certificate-authority-data", authority));
    };
    a_certificate_that_signed_itself: |scene: &mut Scene| {
        let identity = Identity::self_signed(&["localhost"]);
        let server = scene.server_with("a", |plan, _| plan.tls = Some(Tls::new(identity)));
        scene.use_config(&scene.config_for(&format!("https://localhost:{}", server.port())));
    };
    a_client_certificate: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(client(scene, "alice")));
    };
    a_client_certificate_in_files: |scene: &mut Scene| {
        let server = scene.server("a");
        let identity = scene.authority.client("alice");
        scene.file("a.crt", identity.certificate_pem());
        scene.file("a.key", identity.key_pem());
        scene.use_config(&scene.config(server)
            .only_user(json!({"client-certificate": "a.crt", "client-key": "a.key"})));
    };
    a_client_certificate_of_flags: |scene: &mut Scene| {
        let server = scene.server("a");
        let identity = scene.authority.client("bob");
        let certificate = scene.file("b.crt", identity.certificate_pem());
        let key = scene.file("b.key", identity.key_pem());
        scene.use_config(&scene.config(server).only_user(client(scene, "alice")));
        scene.flags(&["--client-certificate", &certificate, "--client-key", &key]);
    };
    a_client_certificate_of_version_1: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(json!({
            "client-certificate-data": BASE64_STANDARD.encode(CERTIFICATE_V1),
            "client-key-data": BASE64_STANDARD.encode(KEY_V1)})));
    };
    a_client_certificate_and_a_token: |scene: &mut Scene| {
        let server = scene.server("a");
        let mut user = client(scene, "alice");
        user["token"] = json!("token-u");
        scene.use_config(&scene.config(server).only_user(user));
    };
    a_client_certificate_in_two_places: |scene: &mut Scene| {
        let server = scene.server("a");
        let identity = scene.authority.client("alice");
        let certificate = scene.file("a.crt", identity.certificate_pem());
        let key = scene.file("a.key", identity.key_pem());
        scene.use_config(&scene.config(server).only_user(client(scene, "alice"))
            .user("client-certificate", certificate).user("client-key", key));
    };
    a_client_certificate_without_its_key: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(client(scene, "alice"))
            .user("client-key-data", Value::Null));
    };
    a_client_certificate_with_the_key_of_another: |scene: &mut Scene| {
        let server = scene.server("a");
        let key = client(scene, "bob")["client-key-data"].clone();
        scene.use_config(&scene.config(server).only_user(client(scene, "alice"))
            .user("client-key-data", key));
    };
    a_client_certificate_that_is_missing: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(json!({
            "client-certificate": "/nonexistent/a.crt", "client-key": "/nonexistent/a.key"})));
    };
    a_client_certificate_that_is_none: |scene: &mut Scene| {
        let server = scene.server("a");
        scene.use_config(&scene.config(server).only_user(client(scene, "alice"))
            .user("client-certificate-data", BASE64_STANDARD.encode("nothing of the kind")));
    };
    a_server_that_wants_a_client_certificate may_differ "lost-alert": |scene: &mut Scene| {
        let server = scene.server_with("a", |plan, _| {
            plan.tls.as_mut().unwrap().requires_certificate = true;
        });
        scene.use_config(&scene.config(server));
    };
    a_server_without_tls: |scene: &mut Scene| {
        let server = scene.server_with("a", |plan, _| plan.wire = Wire::IsPlain);
        scene.use_config(&scene.config(server));
    };
    a_server_of_another_protocol differs "not-tls": |scene: &mut Scene| {
        let server = scene.server_with("a", |plan, _| plan.wire = Wire::IsGarbage);
        scene.use_config(&scene.config(server));
    };
}
