//! The history of a VirtualService's weights, kept in an annotation of the object itself.
//!
//! It is written in the same patch as the weights. What is read is input, not truth: it is bounded,
//! has a version, and is never overwritten when it cannot be read.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::domain::{
    object::ObjectRef,
    route::{Route, title},
    snapshot::{list, text},
};

/// The annotation.
pub const ANNOTATION: &str = "kubectl-kubia/history";

/// JSON pointer of all annotations.
pub const ANNOTATIONS: &str = "/metadata/annotations";

/// JSON pointer of the annotation.
pub const POINTER: &str = "/metadata/annotations/kubectl-kubia~1history";

/// The most entries that are kept; the oldest are dropped first.
pub const MAX_ENTRIES: usize = 20;

/// The most bytes of the annotation.
pub const MAX_BYTES: usize = 16 * 1024;

/// The version of the format: `{"version": 1, "entries": […]}`.
const VERSION: u64 = 1;

/// Every recorded change, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    entries: Vec<Entry>,
    /// The same as they were read, with fields of later versions of this program.
    raw: Vec<Value>,
}

/// One change of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number, counted from 1.
    pub revision: u64,
    /// When it was written.
    pub time: Timestamp,
    /// Who wrote it, as the API server knew them; unknown when it may not be recorded.
    pub user: Option<String>,
    /// Why, in the words of `--reason`.
    pub reason: Option<String>,
    /// What it took back, for an undo.
    pub undo: Option<Undone>,
    /// The routes that changed.
    pub routes: Vec<RecordedRoute>,
}

/// What an undo took back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// This revision.
    Revision(u64),
    /// All that came after this revision.
    Since(u64),
}

/// How the weights of one route changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRoute {
    /// The place it had: `#0`, `tls#0`, `tcp#0`.
    pub place: String,
    /// Its name, possibly empty.
    pub name: String,
    /// The digest of its `match`, empty for every request; unknown in entries of old versions.
    pub conditions: Option<String>,
    /// Its destinations: host, port and subset.
    pub destinations: Vec<String>,
    /// `weight` of each destination before, absent where it was omitted.
    pub from: Vec<Option<u64>>,
    /// `weight` of each destination after.
    pub to: Vec<Option<u64>>,
}

/// Why no route of today is known to be a recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// None is like it.
    Gone,
    /// Several are, and nothing tells them apart.
    Unclear,
}

/// Why a history cannot be read, or not be continued.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The annotation is not what this program writes.
    #[error("the annotation {ANNOTATION} of {object} cannot be read: {why}")]
    Unreadable {
        /// The VirtualService.
        object: ObjectRef,
        /// What is wrong with it.
        why: &'static str,
    },
    /// One entry alone is larger than the annotation may be.
    #[error("the change of {object} is too large to be recorded ({MAX_BYTES} bytes at most)")]
    TooLarge {
        /// The VirtualService.
        object: ObjectRef,
    },
}

impl History {
    /// Reads the history of a VirtualService; one without the annotation has an empty one.
    ///
    /// # Errors
    /// [`HistoryError::Unreadable`].
    pub fn read(object: &ObjectRef, virtual_service: &Value) -> Result<Self, HistoryError> {
        let Some(annotation) = virtual_service.pointer(POINTER) else { return Ok(Self::default()) };
        let unreadable = |why| HistoryError::Unreadable { object: object.clone(), why };
        let annotation = annotation.as_str().ok_or_else(|| unreadable("it is not a string"))?;
        if annotation.len() > MAX_BYTES {
            return Err(unreadable("it is larger than this program writes"));
        }
        let json: Value =
            serde_json::from_str(annotation).map_err(|_| unreadable("it is not JSON"))?;
        if json["version"] != VERSION {
            return Err(unreadable("its version is not 1"));
        }
        let raw = json["entries"].as_array().ok_or_else(|| unreadable("it has no entries"))?;
        let entries: Option<Vec<_>> = raw.iter().map(Entry::read).collect();
        let entries = entries.ok_or_else(|| unreadable("an entry is not complete"))?;
        if !entries.is_sorted_by(|one, next| one.revision < next.revision) {
            return Err(unreadable("its revisions are not in order"));
        }
        if entries.last().is_some_and(|last| last.revision == u64::MAX) {
            return Err(unreadable("no revision can follow its last one"));
        }
        Ok(Self { entries, raw: raw.clone() })
    }

    /// Returns the entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the annotation with one more entry, whose revision follows the last one.
    ///
    /// # Errors
    /// [`HistoryError::TooLarge`] when the entry alone is.
    pub fn with(&self, object: &ObjectRef, mut entry: Entry) -> Result<String, HistoryError> {
        entry.revision = self.entries.last().map_or(0, |last| last.revision) + 1;
        let mut raw = self.raw.clone();
        raw.push(entry.write());
        loop {
            let annotation = json!({"version": VERSION, "entries": raw}).to_string();
            if raw.len() <= MAX_ENTRIES && annotation.len() <= MAX_BYTES {
                return Ok(annotation);
            }
            if raw.len() == 1 {
                return Err(HistoryError::TooLarge { object: object.clone() });
            }
            raw.remove(0);
        }
    }
}

impl Entry {
    fn read(entry: &Value) -> Option<Self> {
        let optional = |field: &str| entry.get(field).and_then(Value::as_str).map(str::to_owned);
        let routes: Option<Vec<_>> =
            entry["routes"].as_array()?.iter().map(RecordedRoute::read).collect();
        Some(Self {
            revision: entry["revision"].as_u64()?,
            time: entry["time"].as_str()?.parse().ok()?,
            user: optional("user"),
            reason: optional("reason"),
            undo: Undone::read(entry),
            routes: routes?,
        })
    }

    fn write(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("revision".to_owned(), self.revision.into());
        entry.insert("time".to_owned(), self.time.to_string().into());
        for (field, value) in [("user", &self.user), ("reason", &self.reason)] {
            if let Some(value) = value {
                entry.insert(field.to_owned(), value.clone().into());
            }
        }
        if let Some(undo) = self.undo {
            let (field, revision) = undo.write();
            entry.insert(field.to_owned(), revision.into());
        }
        let routes: Vec<_> = self.routes.iter().map(RecordedRoute::write).collect();
        entry.insert("routes".to_owned(), routes.into());
        entry.into()
    }
}

impl Undone {
    fn read(entry: &Value) -> Option<Self> {
        let revision = |field: &str| entry.get(field).and_then(Value::as_u64);
        let taken_back = revision("undoOf").map(Self::Revision);
        taken_back.or_else(|| revision("backTo").map(Self::Since))
    }

    fn write(self) -> (&'static str, u64) {
        match self {
            Self::Revision(revision) => ("undoOf", revision),
            Self::Since(revision) => ("backTo", revision),
        }
    }
}

impl RecordedRoute {
    /// Returns the record of a route whose weights become `to`.
    #[must_use]
    pub fn new(route: &Route, to: &[Option<u64>]) -> Self {
        Self {
            place: route.id.to_string(),
            name: route.name.clone(),
            conditions: Some(digest(&route.conditions)),
            destinations: destinations(route),
            from: route.raw_weights(),
            to: to.to_vec(),
        }
    }

    /// Returns the route of today that this one is: with the same name, `match` and destinations.
    /// Its place may be another one, and only tells apart routes that have all of these in common.
    ///
    /// # Errors
    /// When there is none, or more than one that can be meant.
    pub fn find<'a>(&self, routes: &'a [Route]) -> Result<&'a Route, NotFound> {
        let has_conditions = |route: &Route| {
            self.conditions
                .as_ref()
                .is_none_or(|conditions| *conditions == digest(&route.conditions))
        };
        let is_same = |route: &&Route| {
            route.name == self.name && self.leads_as(route) && has_conditions(route)
        };
        match routes.iter().filter(is_same).collect::<Vec<_>>().as_slice() {
            [] => Err(NotFound::Gone),
            [route] => Ok(route),
            several => {
                let mut several = several.iter().filter(|_| self.conditions.is_some());
                let at_its_place = several.find(|route| route.id.to_string() == self.place);
                at_its_place.copied().ok_or(NotFound::Unclear)
            }
        }
    }

    /// Returns whether a route has the same destinations in the same order.
    #[must_use]
    pub fn leads_as(&self, route: &Route) -> bool {
        destinations(route) == self.destinations
    }

    /// Returns the name to show: its own and its place.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.place, &self.name)
    }

    fn read(route: &Value) -> Option<Self> {
        let weights = |field: &str| {
            let weights = route[field].as_array()?.iter().map(|weight| match weight {
                Value::Null => Some(None),
                weight => weight.as_u64().map(Some),
            });
            weights.collect::<Option<Vec<_>>>()
        };
        let destinations = list(route, "/destinations").iter().map(Value::as_str);
        let destinations: Option<Vec<_>> =
            destinations.map(|each| Some(each?.to_owned())).collect();
        let read = Self {
            place: route["route"].as_str()?.to_owned(),
            name: text(route, "/name"),
            conditions: route.get("match").and_then(Value::as_str).map(str::to_owned),
            destinations: destinations?,
            from: weights("from")?,
            to: weights("to")?,
        };
        let count = read.destinations.len();
        (read.from.len() == count && read.to.len() == count).then_some(read)
    }

    fn write(&self) -> Value {
        let mut route = json!({"route": self.place, "destinations": self.destinations,
                               "from": self.from, "to": self.to});
        if !self.name.is_empty() {
            route["name"] = self.name.clone().into();
        }
        if let Some(conditions) = &self.conditions {
            route["match"] = conditions.clone().into();
        }
        route
    }
}

/// Sixteen hexadecimal digits for `match[]`, the same for the same JSON: FNV-1a of its shortest text,
/// with keys in order. Histories hold it, so it may never change.
fn digest(conditions: &[Value]) -> String {
    if conditions.is_empty() {
        return String::new();
    }
    let text = Value::from(conditions).to_string();
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// What tells the destinations of a route apart, in order.
fn destinations(route: &Route) -> Vec<String> {
    let destinations = route.destinations.iter().map(|each| {
        let port = each.port.map_or_else(String::new, |port| format!(":{port}"));
        match each.subset.as_str() {
            "" => format!("{}{port}", each.host),
            subset => format!("{}{port}/{subset}", each.host),
        }
    });
    destinations.collect()
}
