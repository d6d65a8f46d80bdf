//! Reads the `Warning` headers of an answer (RFC 7234, section 5.5), which kube drops.

use http::HeaderMap;

/// The code of warnings that are for people.
const FOR_PEOPLE: &str = "299";

/// Returns the texts of all warnings for people, up to the first thing that is no warning.
pub(in crate::cluster) fn texts(headers: &HeaderMap) -> Vec<String> {
    let headers = headers.get_all("warning").iter();
    headers.flat_map(|value| read(&String::from_utf8_lossy(value.as_bytes()))).collect()
}

/// Reads one header: `code agent "text" "date", …`.
fn read(header: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = header.trim();
    while let Some((warning, after)) = one(rest) {
        texts.extend(warning);
        rest = after;
    }
    texts
}

/// The text of the first warning, unless it is not for people, and what follows it.
fn one(header: &str) -> Option<(Option<String>, &str)> {
    let (code, rest) = header.split_once(' ')?;
    let (agent, rest) = rest.split_once(' ')?;
    let is_code = code.len() == 3 && code.bytes().all(|digit| digit.is_ascii_digit());
    if !is_code || agent.is_empty() {
        return None;
    }
    let (text, rest) = quoted(rest.trim_start())?;
    let rest = match quoted(rest.trim_start()) {
        Some((_date, rest)) => rest,
        None => rest,
    };
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix(',') {
        Some(rest) => rest.trim_start(),
        None if rest.is_empty() => rest,
        None => return None,
    };
    let is_for_people = code == FOR_PEOPLE && !text.is_empty();
    Some((is_for_people.then_some(text), rest))
}

/// A text in quotes, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut quoted = String::new();
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((quoted, &inner[at + 1..])),
            '\\' => quoted.extend(letters.next().map(|(_, letter)| letter)),
            letter => quoted.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expected: &[&str]) {
        assert_eq!(read(header), expected, "{header}");
    }

    #[test]
    fn warnings_are_read_as_kubectl_reads_them() {
        check(r#"299 - "v1 is old""#, &["v1 is old"]);
        check(r#"299 - "say \"no\" \\""#, &[r#"say "no" \"#]);
        check(r#"299 - "one", 299 agent "two""#, &["one", "two"]);
        check(r#"299 - "one" "Mon, 23 Nov 2026 12:00:00 GMT",299 - "two""#, &["one", "two"]);
        check(r#"  199 - "not for people", 299 - "for people""#, &["for people"]);
    }

    #[test]
    fn what_is_no_warning_is_none() {
        for header in [
            "",
            "299",
            "299 -",
            "299 - text",
            "299 - \"open",
            "29 - \"a\"",
            "299  \"a\"",
            "x - \"a\"",
        ] {
            check(header, &[]);
        }
        check(r#"299 - "one" two"#, &[]);
        check(r#"299 - "one", broken"#, &["one"]);
    }
}
