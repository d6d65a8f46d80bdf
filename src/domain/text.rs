//! Strings that came from outside, made safe for a terminal.
//!
//! A route name or an annotation may hold escape sequences, newlines and characters that reverse the
//! direction of writing; the API server and Istio's webhook accept them all. Nothing of that kind
//! reaches a terminal: every human face and every error goes through [`Printable`].

use std::fmt;

/// Shows a string with control and bidirectional characters made visible, on one line.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for character in self.0.chars() {
            match character {
                // kubectl's table printer writes ESC like this.
                '\u{1b}' => formatter.write_str("^[")?,
                _ if is_hidden(character) => {
                    for escaped in character.escape_default() {
                        formatter.write_char(escaped)?;
                    }
                }
                _ => formatter.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Characters that move the cursor, end the line, or change the direction or visibility of others.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Returns strings one after the other, each as [`Printable`].
pub fn listed(texts: impl IntoIterator<Item: AsRef<str>>, separator: &str) -> String {
    let texts = texts.into_iter().map(|text| Printable(text.as_ref()).to_string());
    texts.collect::<Vec<_>>().join(separator)
}

/// Returns at most `limit` bytes of `text`, cut at a character boundary, with `…` where it was cut.
#[must_use]
pub fn shorten(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit);
    format!("{}…", &text[..end])
}

/// Returns `text` as one word of a POSIX shell, in single quotes.
///
/// Inside them nothing has a meaning but the quote itself; control characters, which could still
/// move a terminal's cursor, are left out.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain: String = text.chars().filter(|character| !is_hidden(*character)).collect();
    format!("'{}'", plain.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidi_characters_become_visible() {
        let hostile = "a\u{1b}[2Jb\r\nc\u{202e}d\u{7}\u{200b}";
        assert_eq!(Printable(hostile).to_string(), "a^[[2Jb\\r\\nc\\u{202e}d\\u{7}\\u{200b}");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert_eq!(Printable("grüße, 世界 \"quoted\"").to_string(), "grüße, 世界 \"quoted\"");
    }

    #[test]
    fn a_quoted_word_is_one_word_to_a_shell() {
        assert_eq!(quoted("$(id) `id` \"a\" \\"), "'$(id) `id` \"a\" \\'");
        assert_eq!(quoted("it's\u{1b}[2J\n"), r"'it'\''s[2J'");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shorten("äää", 3), "ä…");
        assert_eq!(shorten("abc", 3), "abc");
    }
}
