//! The tutorial's six objects, rendered from the embedded templates.
//!
//! The templates are the tutorial's own YAML, complete and valid as they stand; rendering replaces
//! names, the namespace and what was asked for. The tutorial pinned `default` in hosts and in one
//! object's metadata; here every host and namespace follows the target namespace.

use serde_json::{Value, json};

use super::{
    object::{ISTIO_GROUP, Kind},
    snapshot::Labels,
};

/// The two versions the tutorial deploys.
pub const VERSIONS: [&str; 2] = ["v1", "v2"];

/// Replicas the tutorial gives v1 and v2.
pub const REPLICAS: [u32; 2] = [3, 1];

/// Label on everything `deploy` writes; its value is the app's name.
const APP_LABEL: &str = "kubectl-kubia/app";

const DEPLOYMENT: &str = include_str!("../templates/deployment.yaml");
const SERVICE: &str = include_str!("../templates/service.yaml");
const GATEWAY: &str = include_str!("../templates/gateway.yaml");
const VIRTUAL_SERVICE: &str = include_str!("../templates/virtualservice.yaml");
const DESTINATION_RULE: &str = include_str!("../templates/destinationrule.yaml");

/// Everything that differs between two renderings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Prefix of all names; the tutorial's is `kubia`.
    pub name: String,
    /// Namespace of all six objects.
    pub namespace: String,
    /// The host served: `hosts` of Gateway and VirtualService.
    pub host: String,
    /// Image of each version; absent means the tutorial's program on a public image.
    pub images: [Option<String>; 2],
    /// Replicas of each version.
    pub replicas: [u32; 2],
    /// Weight of each version.
    pub weights: [u64; 2],
    /// `spec.selector` of the Gateway.
    pub gateway_selector: Labels,
    /// `spec.servers[0].port.number` of the Gateway.
    pub gateway_port: u16,
    /// API version of Istio's kinds, such as `v1`.
    pub istio_version: String,
}

/// The names of the objects of one app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The Deployments of v1 and v2.
    pub deployments: [String; 2],
    /// The Service.
    pub service: String,
    /// The Gateway.
    pub gateway: String,
    /// The VirtualService.
    pub virtual_service: String,
    /// The DestinationRule.
    pub destination_rule: String,
}

impl Names {
    /// Returns the names of the app called `app`.
    #[must_use]
    pub fn of(app: &str) -> Self {
        Self {
            deployments: [format!("{app}-server"), format!("{app}-server-v2")],
            service: format!("{app}-service"),
            gateway: format!("{app}-service-gateway"),
            virtual_service: format!("{app}-vs"),
            destination_rule: format!("{app}-dr"),
        }
    }
}

/// Returns the six manifests in make-before-break order: what is referred to comes before what
/// refers to it, so the route is written last.
#[must_use]
pub fn render(app: &App) -> [Value; 6] {
    [
        service(app),
        deployment(app, 0),
        deployment(app, 1),
        destination_rule(app),
        gateway(app),
        virtual_service(app),
    ]
}

fn deployment(app: &App, index: usize) -> Value {
    let names = Names::of(&app.name);
    let mut manifest = template(DEPLOYMENT, app, &names.deployments[index]);
    let labels = json!({ "tenc-service": server_label(app), "version": VERSIONS[index] });
    for (key, value) in labels.as_object().into_iter().flatten() {
        manifest["metadata"]["labels"][key] = value.clone();
    }
    manifest["spec"]["replicas"] = app.replicas[index].into();
    manifest["spec"]["selector"]["matchLabels"] = labels.clone();
    manifest["spec"]["template"]["metadata"]["labels"] = labels;
    let container = &mut manifest["spec"]["template"]["spec"]["containers"][0];
    if let Some(image) = &app.images[index] {
        *container = own_image(container, image);
    } else {
        let program = container["args"][0].as_str().unwrap_or_default();
        let hit = format!("You've hit {} ", VERSIONS[index]);
        container["args"][0] = program.replace("You've hit v1 ", &hit).into();
    }
    manifest
}

/// Somebody's own image brings its own program, and perhaps its own user.
fn own_image(container: &Value, image: &str) -> Value {
    let mut container = container.clone();
    container["image"] = image.into();
    if let Some(fields) = container.as_object_mut() {
        for field in ["command", "args", "securityContext"] {
            fields.remove(field);
        }
    }
    container
}

fn service(app: &App) -> Value {
    let mut manifest = template(SERVICE, app, &Names::of(&app.name).service);
    manifest["metadata"]["labels"]["tenc-service"] = server_label(app).into();
    manifest["spec"]["selector"] = json!({ "tenc-service": server_label(app) });
    manifest
}

fn gateway(app: &App) -> Value {
    let mut manifest = template(GATEWAY, app, &Names::of(&app.name).gateway);
    manifest["spec"]["selector"] = json!(app.gateway_selector);
    let server = &mut manifest["spec"]["servers"][0];
    server["port"]["number"] = app.gateway_port.into();
    server["hosts"] = json!([app.host]);
    manifest
}

fn virtual_service(app: &App) -> Value {
    let names = Names::of(&app.name);
    let mut manifest = template(VIRTUAL_SERVICE, app, &names.virtual_service);
    manifest["spec"]["hosts"] = json!([app.host]);
    manifest["spec"]["gateways"] = json!([names.gateway]);
    for (index, weight) in app.weights.into_iter().enumerate() {
        let route = &mut manifest["spec"]["http"][0]["route"][index];
        route["destination"]["host"] = service_host(app).into();
        route["weight"] = weight.into();
    }
    manifest
}

fn destination_rule(app: &App) -> Value {
    let mut manifest = template(DESTINATION_RULE, app, &Names::of(&app.name).destination_rule);
    manifest["spec"]["host"] = service_host(app).into();
    manifest
}

/// Parses a template and sets what all objects have in common.
fn template(yaml: &str, app: &App, name: &str) -> Value {
    let mut manifest: Value = serde_saphyr::from_str(yaml).expect("an embedded template is YAML");
    let kind = manifest["kind"].as_str().and_then(Kind::from_manifest);
    if kind.is_some_and(Kind::is_istio) {
        manifest["apiVersion"] = format!("{ISTIO_GROUP}/{}", app.istio_version).into();
    }
    manifest["metadata"]["name"] = name.into();
    manifest["metadata"]["namespace"] = app.namespace.as_str().into();
    manifest["metadata"]["labels"][APP_LABEL] = app.name.as_str().into();
    manifest
}

/// Value of the tutorial's label `tenc-service`, which the Service selects.
fn server_label(app: &App) -> String {
    format!("{}-server", app.name)
}

fn service_host(app: &App) -> String {
    format!("{}.{}.svc.cluster.local", Names::of(&app.name).service, app.namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        App {
            name: "kubia".to_owned(),
            namespace: "shop".to_owned(),
            host: "*".to_owned(),
            images: [None, None],
            replicas: REPLICAS,
            weights: [50, 50],
            gateway_selector: [("istio".to_owned(), "ingressgateway".to_owned())].into(),
            gateway_port: 8080,
            istio_version: "v1beta1".to_owned(),
        }
    }

    #[test]
    fn nothing_of_the_default_namespace_survives() {
        for manifest in render(&app()) {
            assert_eq!(manifest["metadata"]["namespace"], "shop");
            assert!(!manifest.to_string().contains(".default."), "{manifest}");
        }
    }

    #[test]
    fn the_route_comes_last_and_istio_kinds_follow_the_served_version() {
        let versions = render(&app()).map(|manifest| {
            format!(
                "{} {}",
                manifest["kind"].as_str().unwrap(),
                manifest["apiVersion"].as_str().unwrap()
            )
        });
        assert_eq!(
            versions,
            [
                "Service v1",
                "Deployment apps/v1",
                "Deployment apps/v1",
                "DestinationRule networking.istio.io/v1beta1",
                "Gateway networking.istio.io/v1beta1",
                "VirtualService networking.istio.io/v1beta1",
            ]
        );
    }

    #[test]
    fn the_programs_of_v1_and_v2_differ_in_one_word() {
        let [_, v1, v2, ..] = render(&app());
        let program = |manifest: &Value| {
            manifest["spec"]["template"]["spec"]["containers"][0]["args"][0]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let (v1, v2) = (program(&v1), program(&v2));
        let differing: Vec<_> = v1
            .split_whitespace()
            .zip(v2.split_whitespace())
            .filter(|(one, two)| one != two)
            .collect();
        assert_eq!(differing, [("v1", "v2")]);
    }

    #[test]
    fn an_own_image_brings_its_own_program() {
        let images = [None, Some("registry.example/app:2".to_owned())];
        let [_, v1, v2, ..] = render(&App { images, ..app() });
        let container =
            |manifest: &Value| manifest["spec"]["template"]["spec"]["containers"][0].clone();
        assert!(container(&v1)["args"].is_array());
        assert_eq!(container(&v2)["image"], "registry.example/app:2");
        assert!(container(&v2).get("args").is_none());
    }

    #[test]
    fn another_name_gives_six_other_objects() {
        let kubia = render(&app()).map(|manifest| manifest["metadata"]["name"].clone());
        let other = render(&App { name: "shop".to_owned(), ..app() });
        for manifest in other {
            assert!(!kubia.contains(&manifest["metadata"]["name"]));
            assert!(!manifest["spec"].to_string().contains("kubia-service"), "{manifest}");
        }
    }
}
