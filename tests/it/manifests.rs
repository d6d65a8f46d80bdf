//! What `deploy --dry-run=client` prints.

use insta::assert_snapshot;

use crate::support::{FakeApi, kubia};

#[test]
fn dry_run_on_the_client_asks_no_server() {
    let api = FakeApi::default();
    assert_snapshot!(kubia(&api, "deploy --dry-run=client --image v1=registry.example/app:1,v2=registry.example/app:2"), @r#"
    exit 0
    --- stdout
    ---
    apiVersion: v1
    kind: Service
    metadata:
      labels:
        kubectl-kubia/app: kubia
        tenc-service: kubia-server
      name: kubia-service
      namespace: shop
    spec:
      clusterIP: None
      ports:
      - name: http-8080
        port: 8080
        protocol: TCP
        targetPort: 8080
      selector:
        tenc-service: kubia-server
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      labels:
        kubectl-kubia/app: kubia
        tenc-service: kubia-server
        version: v1
      name: kubia-server
      namespace: shop
    spec:
      replicas: 3
      selector:
        matchLabels:
          tenc-service: kubia-server
          version: v1
      template:
        metadata:
          labels:
            tenc-service: kubia-server
            version: v1
        spec:
          containers:
          - image: registry.example/app:1
            name: kubia-server
            ports:
            - containerPort: 8080
              name: http
              protocol: TCP
            readinessProbe:
              httpGet:
                path: /
                port: 8080
            resources:
              requests:
                cpu: 10m
                memory: 64Mi
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      labels:
        kubectl-kubia/app: kubia
        tenc-service: kubia-server
        version: v2
      name: kubia-server-v2
      namespace: shop
    spec:
      replicas: 1
      selector:
        matchLabels:
          tenc-service: kubia-server
          version: v2
      template:
        metadata:
          labels:
            tenc-service: kubia-server
            version: v2
        spec:
          containers:
          - image: registry.example/app:2
            name: kubia-server
            ports:
            - containerPort: 8080
              name: http
              protocol: TCP
            readinessProbe:
              httpGet:
                path: /
                port: 8080
            resources:
              requests:
                cpu: 10m
                memory: 64Mi
    ---
    apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata:
      labels:
        kubectl-kubia/app: kubia
      name: kubia-dr
      namespace: shop
    spec:
      host: kubia-service.shop.svc.cluster.local
      subsets:
      - labels:
          version: v1
        name: dr-v1
      - labels:
          version: v2
        name: dr-v2
    ---
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata:
      labels:
        kubectl-kubia/app: kubia
      name: kubia-service-gateway
      namespace: shop
    spec:
      selector:
        istio: ingressgateway
      servers:
      - hosts:
        - "*"
        port:
          name: http
          number: 8080
          protocol: HTTP
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata:
      labels:
        kubectl-kubia/app: kubia
      name: kubia-vs
      namespace: shop
    spec:
      gateways:
      - kubia-service-gateway
      hosts:
      - "*"
      http:
      - route:
        - destination:
            host: kubia-service.shop.svc.cluster.local
            port:
              number: 8080
            subset: dr-v1
          weight: 50
        - destination:
            host: kubia-service.shop.svc.cluster.local
            port:
              number: 8080
            subset: dr-v2
          weight: 50
    --- stderr
    "#);
    assert_eq!(api.requests(), [""; 0]);
}

#[test]
fn dry_run_as_json_is_one_list() {
    let output = kubia(&FakeApi::default(), "deploy --dry-run=client -o json");
    let list: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"].as_array().unwrap().len(), 6);
}
