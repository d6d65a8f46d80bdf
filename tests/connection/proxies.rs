//! Which proxy is used, and how.

use std::net::SocketAddr;

use crate::support::{Config, Scene, pki::Validity, proxy::Kind, server::Tls};

/// A server behind a proxy, and a kubeconfig that names it so that only a proxy can find it.
fn behind(scene: &mut Scene, kind: Kind) -> (SocketAddr, Config) {
    let server = scene.server("a");
    let proxy = scene.proxy(kind, server);
    (proxy, scene.config_for("https://kubia.test:6443"))
}

/// A server that Go's rules do not take for a local one, though it is, and a proxy to it.
fn beside(scene: &mut Scene) -> (SocketAddr, Config) {
    let server = scene.server("a");
    let proxy = scene.proxy(Kind::Http, server);
    (proxy, scene.config_for(&format!("https://0.0.0.0:{}", server.port())))
}

fn https(scene: &Scene) -> Kind {
    Kind::https(&Tls::new(scene.authority.server(&["127.0.0.1"], Validity::Now)))
}

cases! {
    the_proxy_of_the_cluster: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.use_config(&config.cluster("proxy-url", format!("http://{proxy}")));
    };
    the_proxy_of_the_cluster_with_a_user: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.use_config(&config.cluster("proxy-url", format!("http://me:p%40ss@{proxy}")));
    };
    the_proxy_of_a_flag: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.use_config(&config.cluster("proxy-url", "http://127.0.0.1:1"));
        scene.flags(&["--proxy-url", &format!("http://{proxy}")]);
    };
    a_proxy_on_tls: |scene: &mut Scene| {
        let kind = https(scene);
        let (proxy, config) = behind(scene, kind);
        scene.use_config(&config.cluster("proxy-url", format!("https://{proxy}")));
    };
    a_proxy_on_tls_nobody_trusts: |scene: &mut Scene| {
        let other = crate::support::pki::Authority::new("other");
        let kind = Kind::https(&Tls::new(other.server(&["127.0.0.1"], Validity::Now)));
        let (proxy, config) = behind(scene, kind);
        scene.use_config(&config.cluster("proxy-url", format!("https://{proxy}")));
    };
    a_socks_proxy_resolves_names: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Socks5 { wants_user: false });
        scene.use_config(&config.cluster("proxy-url", format!("socks5://{proxy}")));
    };
    a_socks_proxy_with_a_user: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Socks5 { wants_user: true });
        scene.use_config(&config.cluster("proxy-url", format!("socks5://me:p%40ss@{proxy}")));
    };
    a_socks_proxy_of_the_environment: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Socks5 { wants_user: false });
        scene.environment("HTTPS_PROXY", &format!("socks5://{proxy}"));
        scene.use_config(&config);
    };
    a_proxy_of_a_kind_nobody_knows: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.use_config(&config.cluster("proxy-url", format!("socks4://{proxy}")));
    };
    a_proxy_of_a_kind_nobody_knows_with_a_password differs "proxy-password": |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.use_config(&config.cluster("proxy-url", format!("socks4://me:SECRET@{proxy}")));
    };
    a_proxy_that_is_no_url: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.use_config(&config.cluster("proxy-url", proxy.to_string()));
    };
    the_proxy_of_the_environment: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.environment("HTTPS_PROXY", &format!("http://{proxy}"));
        scene.use_config(&config);
    };
    the_proxy_of_the_environment_in_small_letters: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.environment("https_proxy", &format!("http://{proxy}"));
        scene.use_config(&config);
    };
    the_proxy_of_the_environment_without_a_scheme: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.environment("HTTPS_PROXY", &proxy.to_string());
        scene.use_config(&config);
    };
    the_proxy_of_the_environment_is_for_others_than_plain_servers: |scene: &mut Scene| {
        let server = scene.plain_server("a");
        let proxy = scene.proxy(Kind::Http, server);
        scene.environment("HTTPS_PROXY", &format!("http://{proxy}"));
        scene.use_config(&scene.config_for(&format!("http://0.0.0.0:{}", server.port())));
    };
    the_proxy_for_plain_servers: |scene: &mut Scene| {
        let server = scene.plain_server("a");
        let proxy = scene.proxy(Kind::Http, server);
        scene.environment("HTTP_PROXY", &format!("http://me:pass@{proxy}"));
        scene.use_config(&scene.config_for("http://kubia.test:8080"));
    };
    the_proxy_for_plain_servers_of_the_cluster: |scene: &mut Scene| {
        let server = scene.plain_server("a");
        let proxy = scene.proxy(Kind::Http, server);
        scene.use_config(&scene.config_for("http://kubia.test:8080")
            .cluster("proxy-url", format!("http://{proxy}")));
    };
    the_proxy_for_everything_is_not_one_of_ours: |scene: &mut Scene| {
        let (proxy, config) = beside(scene);
        scene.environment("ALL_PROXY", &format!("http://{proxy}"));
        scene.use_config(&config);
    };
    the_proxy_of_the_cluster_beats_the_environment: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.environment("HTTPS_PROXY", "http://127.0.0.1:1");
        scene.environment("NO_PROXY", "*");
        scene.use_config(&config.cluster("proxy-url", format!("http://{proxy}")));
    };
    a_local_server_needs_no_proxy: |scene: &mut Scene| {
        let server = scene.server("a");
        let proxy = scene.proxy(Kind::Http, server);
        scene.environment("HTTPS_PROXY", &format!("http://{proxy}"));
        scene.use_config(&scene.config(server));
    };
    a_local_server_by_name_needs_no_proxy: |scene: &mut Scene| {
        let server = scene.server("a");
        let proxy = scene.proxy(Kind::Http, server);
        scene.environment("HTTPS_PROXY", &format!("http://{proxy}"));
        scene.use_config(&scene.config_for(&format!("https://localhost:{}", server.port())));
    };
    a_local_server_goes_through_the_proxy_of_its_cluster: |scene: &mut Scene| {
        let server = scene.server("a");
        let proxy = scene.proxy(Kind::Http, server);
        scene.use_config(&scene.config(server).cluster("proxy-url", format!("http://{proxy}")));
    };
    no_proxy_for_an_address: |scene: &mut Scene| {
        let (proxy, config) = beside(scene);
        scene.environment("HTTPS_PROXY", &format!("http://{proxy}"));
        scene.environment("NO_PROXY", "example.com, 0.0.0.0");
        scene.use_config(&config);
    };
    no_proxy_for_a_network: |scene: &mut Scene| {
        let (proxy, config) = beside(scene);
        scene.environment("HTTPS_PROXY", &format!("http://{proxy}"));
        scene.environment("no_proxy", "10.0.0.0/8,0.0.0.0/8,,");
        scene.use_config(&config);
    };
    no_proxy_for_a_port: |scene: &mut Scene| {
        let (proxy, config) = beside(scene);
        let port = scene.servers[0].1.address().port();
        scene.environment("HTTPS_PROXY", &format!("http://{proxy}"));
        scene.environment("NO_PROXY", &format!("0.0.0.0:{port}"));
        scene.use_config(&config);
    };
    no_proxy_for_another_port: |scene: &mut Scene| {
        let (proxy, config) = beside(scene);
        scene.environment("HTTPS_PROXY", &format!("http://{proxy}"));
        scene.environment("NO_PROXY", "0.0.0.0:1");
        scene.use_config(&config);
    };
    no_proxy_for_anybody: |scene: &mut Scene| {
        let (proxy, config) = beside(scene);
        scene.environment("HTTPS_PROXY", &format!("http://{proxy}"));
        scene.environment("NO_PROXY", "*");
        scene.use_config(&config);
    };
    no_proxy_for_names_below_is_not_for_the_name_itself: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        scene.environment("HTTPS_PROXY", &format!("http://{proxy}"));
        scene.environment("NO_PROXY", ".kubia.test,*.kubia.test,test.,ubia.test,kubia.tes");
        scene.use_config(&config);
    };
    a_proxy_that_refuses differs "proxy-refuses": |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Refuses("403 Forbidden"));
        scene.use_config(&config.cluster("proxy-url", format!("http://{proxy}")));
    };
    a_proxy_that_wants_a_user: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Refuses("407 Proxy Authentication Required"));
        scene.use_config(&config.cluster("proxy-url", format!("http://{proxy}")));
    };
    a_proxy_that_is_not_there: |scene: &mut Scene| {
        scene.use_config(&scene.config_for("https://kubia.test:6443")
            .cluster("proxy-url", "http://127.0.0.1:1"));
    };
    a_proxy_that_says_nothing may_differ "timeout-words": |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::IsSilent);
        scene.use_config(&config.cluster("proxy-url", format!("http://{proxy}")));
        scene.flags(&["--request-timeout=1s"]);
    };
    a_proxy_and_an_unknown_authority: |scene: &mut Scene| {
        let (proxy, config) = behind(scene, Kind::Http);
        let other = crate::support::pki::Authority::new("other").pem();
        let path = scene.file("other.pem", &other);
        scene.use_config(&config.cluster("proxy-url", format!("http://{proxy}")));
        scene.flags(&["--certificate-authority", &path]);
    };
}
