//! A watch of one object, from a known resource version on.

use std::{
    sync::mpsc::{self, Receiver},
    thread,
};

use serde_json::Value;

use super::{namespace::Namespace, wait::DEADLINE};

/// Every state of an object, in order, as the API server tells it.
pub(crate) struct Watch(Receiver<Value>);

impl Watch {
    /// Watches one object of a namespace, without what it is now.
    pub(crate) fn start(namespace: &Namespace<'_>, api: &str, resource: &str, name: &str) -> Self {
        let now = namespace.object(api, &format!("{resource}/{name}"));
        let path = format!(
            "{}?watch=1&fieldSelector=metadata.name%3D{name}&resourceVersion={}",
            namespace.path(api, resource),
            resource_version(&now)
        );
        let client = namespace.sandbox().admin();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            client.lines(&path, |line| {
                let event: Value = serde_json::from_str(line).expect("events are JSON");
                sender.send(event).is_ok()
            });
        });
        Self(receiver)
    }

    /// The objects of all events up to the one with this resource version.
    pub(crate) fn until(&self, last: &str) -> Vec<Value> {
        let mut objects = Vec::new();
        loop {
            let mut event = self.0.recv_timeout(DEADLINE).unwrap_or_else(|error| {
                panic!("{error} while waiting for {last}, after {} events", objects.len())
            });
            assert_eq!(event["type"], "MODIFIED", "{event}");
            let object = event["object"].take();
            let found = resource_version(&object);
            objects.push(object);
            if found == last {
                return objects;
            }
        }
    }
}

/// `metadata.resourceVersion`.
pub(crate) fn resource_version(object: &Value) -> String {
    let version = object["metadata"]["resourceVersion"].as_str();
    version.unwrap_or_else(|| panic!("no resourceVersion: {object}")).to_owned()
}
