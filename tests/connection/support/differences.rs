//! The table of differences from kubectl, as the documentation has it.

use std::{collections::BTreeMap, fs};

/// The rows of `docs/differences-from-kubectl.md`, by name.
pub(crate) struct Differences(BTreeMap<String, Row>);

/// What either program does: texts of which the outcome has to have every one, or, with `or` between
/// them, any.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    kubectl: Cell,
    kubia: Cell,
}

#[derive(Clone, Debug)]
enum Cell {
    All(Vec<String>),
    Any(Vec<String>),
}

impl Differences {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string("docs/differences-from-kubectl.md").unwrap();
        let rows = text.lines().filter(|line| line.starts_with("| `"));
        let rows = rows.map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [name, kubectl, kubia, reason] = cells[..] else { panic!("four cells: {line}") };
            assert!(!reason.is_empty(), "a difference has a reason: {line}");
            let row = Row { kubectl: Cell::read(kubectl), kubia: Cell::read(kubia) };
            (name.trim_matches('`').to_owned(), row)
        });
        Self(rows.collect())
    }

    #[track_caller]
    pub(crate) fn row(&self, name: &str) -> Row {
        self.0.get(name).unwrap_or_else(|| panic!("the table has no row {name}")).clone()
    }

    /// The names of all rows.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

impl Row {
    pub(crate) fn kubectl_fits(&self, outcome: &str) -> bool {
        self.kubectl.fits(outcome)
    }

    pub(crate) fn kubia_fits(&self, outcome: &str) -> bool {
        self.kubia.fits(outcome)
    }
}

impl Cell {
    /// Reads what a cell quotes.
    fn read(cell: &str) -> Self {
        let quoted: Vec<String> = cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert!(!quoted.is_empty(), "nothing is quoted: {cell}");
        if cell.contains("` or `") { Self::Any(quoted) } else { Self::All(quoted) }
    }

    fn fits(&self, outcome: &str) -> bool {
        match self {
            Self::All(texts) => texts.iter().all(|text| contains(outcome, text)),
            Self::Any(texts) => texts.iter().any(|text| contains(outcome, text)),
        }
    }
}

/// Whether `outcome` has the parts of `text` between its `…`, one after the other.
fn contains(outcome: &str, text: &str) -> bool {
    let mut rest = outcome;
    text.split('…').all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
