//! What is shown: plain structs that serialise to JSON and YAML, each with its human face.
//!
//! Machine output is stable: fields are added, never renamed. The human face is not.

use std::{
    error::Error as StdError,
    io::{self, Write},
};

use comfy_table::{ContentArrangement, Table};
use jiff::Timestamp;
use serde::Serialize;

use crate::domain::text::Printable;

pub mod change;
pub mod gateway_url;
pub mod history;
pub mod proof;
pub mod status;
pub mod status_list;

/// `apiVersion` of all machine output.
const API_VERSION: &str = "kubectl-kubia/v1";

/// How to print: `--output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// For people, with more columns.
    Wide,
    /// JSON, indented as kubectl does.
    Json,
    /// YAML.
    Yaml,
    /// Kind and name, as kubectl takes them.
    Name,
    /// A URL.
    Url,
    /// Lines for a shell's `eval`.
    Env,
    /// A curl command.
    Curl,
}

/// The formats and their names on the command line.
const FORMATS: [(&str, OutputFormat); 8] = [
    ("text", OutputFormat::Text),
    ("wide", OutputFormat::Wide),
    ("json", OutputFormat::Json),
    ("yaml", OutputFormat::Yaml),
    ("name", OutputFormat::Name),
    ("url", OutputFormat::Url),
    ("env", OutputFormat::Env),
    ("curl", OutputFormat::Curl),
];

impl OutputFormat {
    /// The names on the command line.
    pub const NAMES: [&str; FORMATS.len()] = {
        let mut names = [""; FORMATS.len()];
        let mut index = 0;
        while index < FORMATS.len() {
            names[index] = FORMATS[index].0;
            index += 1;
        }
        names
    };

    /// The formats every command has.
    pub const USUAL: &[Self] = &[Self::Text, Self::Json, Self::Yaml, Self::Name];

    /// Returns the format of this name; any other name is text.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let found = FORMATS.iter().find(|(known, _)| *known == name);
        found.map_or(Self::Text, |(_, format)| *format)
    }

    /// Returns the name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = FORMATS.iter().find(|(_, format)| *format == self);
        found.map_or("text", |(name, _)| name)
    }
}

/// Something to show.
pub trait View: Serialize {
    /// `kind` of its machine output.
    const KIND: &'static str;

    /// Writes it in a format other than JSON and YAML; text where it has no such format.
    ///
    /// # Errors
    /// Those of `out`.
    fn write(&self, format: OutputFormat, out: &mut dyn Write) -> io::Result<()>;
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a, V> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    view: &'a V,
}

/// Writes a view in the format asked for.
///
/// # Errors
/// Those of `out`.
pub fn show<V: View>(view: &V, format: OutputFormat, out: &mut dyn Write) -> io::Result<()> {
    let envelope = Envelope { api_version: API_VERSION, kind: V::KIND, view };
    match format {
        OutputFormat::Json => json(&envelope, out),
        OutputFormat::Yaml => yaml(&envelope, out),
        format => view.write(format, out),
    }
}

/// Writes JSON indented by four, as kubectl does.
///
/// # Errors
/// Those of `out`.
pub fn json<T: Serialize>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    let indented = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, indented);
    value.serialize(&mut serializer)?;
    writeln!(out)
}

/// Writes one YAML document.
///
/// # Errors
/// Those of `out`.
pub fn yaml<T: Serialize>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_saphyr::to_string(value).map_err(io::Error::other)?;
    write!(out, "{}", text.trim_end_matches('\n'))?;
    writeln!(out)
}

/// Writes an error: what failed, its causes, and a hint. Headline and hint may have several lines.
///
/// # Errors
/// Those of `err`.
pub fn error(
    headline: &str,
    cause: Option<&dyn StdError>,
    hint: Option<&str>,
    err: &mut dyn Write,
) -> io::Result<()> {
    for line in headline.lines() {
        writeln!(err, "{}", Printable(line))?;
    }
    let (mut said, mut cause) = (headline.to_owned(), cause);
    while let Some(error) = cause {
        let text = error.to_string();
        // Errors of other crates repeat their source.
        if !said.ends_with(&text) {
            writeln!(err, "caused by: {}", Printable(&text))?;
        }
        said = text;
        cause = error.source();
    }
    let mut lines = hint.unwrap_or_default().lines();
    if let Some(line) = lines.next() {
        writeln!(err, "\nhint: {}", Printable(line))?;
    }
    lines.try_for_each(|line| writeln!(err, "      {}", Printable(line)))
}

/// Writes a warning of the server as kubectl does.
///
/// # Errors
/// Those of `err`.
pub fn warning(text: &str, is_colored: bool, err: &mut dyn Write) -> io::Result<()> {
    let (start, end) = if is_colored { ("\u{1b}[33;1m", "\u{1b}[0m") } else { ("", "") };
    writeln!(err, "{start}Warning:{end} {}", Printable(text))
}

/// Writes text of several lines after an error, with an empty line before it.
///
/// # Errors
/// Those of `err`.
pub fn block(text: &str, err: &mut dyn Write) -> io::Result<()> {
    writeln!(err)?;
    text.lines().try_for_each(|line| writeln!(err, "{}", Printable(line)))
}

/// Writes a table as kubectl does: three spaces between columns, no borders, no trailing spaces.
fn table(headers: &[&str], rows: &[Vec<String>], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    if !headers.is_empty() {
        table.set_header(headers.to_vec());
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| Printable(cell).to_string()));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Returns an age as kubectl writes it (`k8s.io/apimachinery/pkg/util/duration`, `HumanDuration`).
#[must_use]
pub fn age(created: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(created).as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |one: i64, unit: &str, rest: i64, small: &str| match rest {
        0 => format!("{one}{unit}"),
        rest => format!("{one}{unit}{rest}{small}"),
    };
    match () {
        () if seconds < -1 => "<invalid>".to_owned(),
        () if seconds < 0 => "0s".to_owned(),
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => pair(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => pair(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => pair(days, "d", hours % 24, "h"),
        () if days < 730 => format!("{days}d"),
        () if days < 2920 => pair(days / 365, "y", days % 365, "d"),
        () => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn ages_are_kubectls() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let cases: [(i64, &str); 17] = [
            (-5, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (330, "5m30s"),
            (599, "9m59s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (11_100, "3h5m"),
            (28_800, "8h"),
            (172_799, "47h"),
            (277_200, "3d5h"),
            (691_200, "8d"),
            (63_072_000, "2y"),
            (252_288_000, "8y"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(age(now - SignedDuration::from_secs(seconds), now), expected, "{seconds}");
        }
    }

    #[test]
    fn tables_look_like_kubectls_and_stay_on_their_lines() {
        let mut out = Vec::new();
        let rows =
            [vec!["a".to_owned(), "b\nc".to_owned()], vec!["long-name".to_owned(), String::new()]];
        table(&["NAME", "AGE"], &rows, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "NAME        AGE\na           b\\nc\nlong-name\n"
        );
    }

    #[test]
    fn causes_and_hint_follow_the_error() {
        let mut err = Vec::new();
        let io = io::Error::other("disk\u{1b}full");
        super::error("error: no", Some(&io), Some("make room\nor two\u{7}"), &mut err).unwrap();
        let shown = String::from_utf8(err).unwrap();
        assert_eq!(
            shown,
            "error: no\ncaused by: disk^[full\n\nhint: make room\n      or two\\u{7}\n"
        );
    }

    #[test]
    fn a_cause_is_not_repeated() {
        let mut err = Vec::new();
        let io = io::Error::other("disk full");
        super::error("The request is invalid:\n* a: disk full", Some(&io), None, &mut err).unwrap();
        let shown = String::from_utf8(err).unwrap();
        assert_eq!(shown, "The request is invalid:\n* a: disk full\n");
    }

    #[test]
    fn warnings_have_one_word_in_color() {
        let shown = |is_colored| {
            let mut err = Vec::new();
            warning("v1 is old\u{1b}", is_colored, &mut err).unwrap();
            String::from_utf8(err).unwrap()
        };
        assert_eq!(shown(false), "Warning: v1 is old^[\n");
        assert_eq!(shown(true), "\u{1b}[33;1mWarning:\u{1b}[0m v1 is old^[\n");
    }
}
