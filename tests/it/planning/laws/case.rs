//! One case: the objects of a cluster, and a command.

use std::fmt;

use kubia::domain::{
    object::{Kind, ObjectRef},
    shift::{RouteChoice, Snapshot, Wanted},
    snapshot::Subset,
    split::Percent,
    virtual_service::VirtualService,
};
use serde_json::{Value, json};

use super::command::{Ask, Command};

/// A cluster with at least one VirtualService, and what is asked of one of them.
#[derive(Clone)]
pub(crate) struct Case {
    /// All VirtualServices there are; the first one was generated to be named.
    pub(crate) objects: Vec<Value>,
    /// All DestinationRules.
    pub(crate) rules: Vec<Value>,
    /// The VirtualService that the command names.
    pub(crate) named: ObjectRef,
    /// What it asks.
    pub(crate) command: Command,
}

impl Case {
    pub(crate) fn new((objects, rules, ask): (Vec<Value>, Vec<Value>, Ask)) -> Self {
        let command = ask.command(&objects, &rules);
        let named = address(&objects[0]);
        Self { objects, rules, named, command }
    }

    /// One object, and no DestinationRules.
    pub(crate) fn plain(object: Value, command: Command) -> Self {
        Self { named: address(&object), objects: vec![object], rules: vec![], command }
    }

    /// Returns what the program reads of this cluster.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let find = |wanted: &ObjectRef| self.objects.iter().find(|each| address(each) == *wanted);
        let named = VirtualService::new(find(&self.named).cloned().unwrap_or_default());
        let delegates = named.delegates();
        let delegates = delegates.iter().filter_map(find).cloned().map(VirtualService::new);
        Snapshot {
            delegates: delegates.filter(VirtualService::is_delegate).collect(),
            named,
            subsets: self.rules.iter().flat_map(Subset::read_all).collect(),
            subsets_unread: None,
        }
    }

    /// Returns the command as the planning takes it.
    pub(crate) fn wanted(&self) -> Wanted {
        let shares = |shares: &[(String, u64)]| {
            shares.iter().map(|(version, share)| (version.clone(), percent(*share))).collect()
        };
        Wanted {
            shares: shares(&self.command.shares),
            from: shares(&self.command.from),
            route: self.command.route.clone(),
        }
    }

    /// Returns the command as it is typed, without the program and its namespace.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let share = |(version, share): &(String, u64)| format!("{version}={}", percent(*share));
        let mut arguments = vec!["shift".to_owned(), self.named.name.clone()];
        arguments.extend(self.command.shares.iter().map(share));
        arguments.extend(self.command.from.iter().map(|from| format!("--from={}", share(from))));
        match &self.command.route {
            RouteChoice::Only => {}
            RouteChoice::All => arguments.push("--route=all".to_owned()),
            RouteChoice::Called(route) => arguments.push(format!("--route={route}")),
        }
        arguments
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cluster = json!({"virtualServices": self.objects, "destinationRules": self.rules});
        writeln!(formatter, "{:?} -n {}", self.arguments(), self.named.namespace)?;
        write!(formatter, "{cluster:#}")
    }
}

/// Returns the address of a VirtualService.
pub(crate) fn address(object: &Value) -> ObjectRef {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    ObjectRef::new(Kind::VirtualService, text("namespace"), text("name"))
}

fn percent(hundredths: u64) -> Percent {
    format!("{}.{:02}", hundredths / 100, hundredths % 100).parse().unwrap()
}
