//! README's blocks of the demo: `<!-- demo:NAME -->`, then a fenced `console` block.

use std::{fmt::Write, fs, ops::Range, path::PathBuf};

use crate::walk::Block;

const FENCE: &str = "```console\n";

/// Where README is.
pub(crate) fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// README as it is.
pub(crate) fn read() -> String {
    fs::read_to_string(path()).unwrap_or_else(|error| panic!("{}: {error}", path().display()))
}

/// Where the text of a block is in README, if it has one of this name.
fn find(readme: &str, name: &str) -> Option<Range<usize>> {
    let marker = format!("<!-- demo:{name} -->\n{FENCE}");
    let start = readme.find(&marker)? + marker.len();
    let length = readme[start..].find("```")?;
    Some(start..start + length)
}

/// README with each block's text replaced.
///
/// # Errors
///
/// Names the first block that README has no place for.
pub(crate) fn rewritten(readme: &str, blocks: &[Block]) -> Result<String, String> {
    let mut text = readme.to_owned();
    for block in blocks {
        let range = find(&text, block.name)
            .ok_or_else(|| format!("README.md has no block <!-- demo:{} -->", block.name))?;
        text.replace_range(range, &block.text);
    }
    Ok(text)
}

/// Where README shows something else than the blocks, once what is random is normalised.
pub(crate) fn differences(readme: &str, blocks: &[Block]) -> String {
    let mut differences = String::new();
    for block in blocks {
        let shown = find(readme, block.name).map_or("", |range| &readme[range]);
        let (shown, printed) = (normalised(shown), normalised(&block.text));
        if shown != printed {
            let name = block.name;
            write!(differences, "--- README, demo:{name}\n{shown}--- printed\n{printed}")
                .expect("a String can be written to");
        }
    }
    differences
}

/// The text with names for what differs from run to run, and without the progress of waiting.
fn normalised(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("waiting for "));
    lines.map(|line| normalised_line(line) + "\n").collect()
}

fn normalised_line(line: &str) -> String {
    if let Some((count, version)) = line.trim().split_once(' ')
        && count.bytes().all(|byte| byte.is_ascii_digit())
        && ["v1", "v2"].contains(&version)
    {
        return format!("COUNT {version}");
    }
    if let Some((proxy, _)) = line.split_once(" live after ") {
        return normalised_line(proxy) + " live after DURATION";
    }
    // Columns are as wide as what stands in them: one space is enough to compare.
    line.split_whitespace().map(normalised_word).collect::<Vec<_>>().join(" ")
}

fn normalised_word(word: &str) -> String {
    let mut rest = word;
    let mut result = String::new();
    // Words are joined by punctuation, as in `127.7.0.2:32440` or `(12s)`.
    let part = |character: char| character.is_ascii_alphanumeric() || ".-".contains(character);
    while let Some(start) = rest.find(part) {
        result.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|character| !part(character)).unwrap_or(rest.len());
        let after_address = result.ends_with("ADDRESS:");
        result.push_str(&normalised_part(&rest[..end], after_address));
        rest = &rest[end..];
    }
    result + rest
}

fn normalised_part(part: &str, after_address: bool) -> String {
    let numbers: Vec<_> = part.split('.').collect();
    if numbers.len() == 4 && numbers.iter().all(|number| number.parse::<u8>().is_ok()) {
        "ADDRESS".to_owned()
    } else if after_address && part.parse::<u16>().is_ok() {
        "PORT".to_owned()
    } else if is_duration(part) {
        "DURATION".to_owned()
    } else {
        without_pod_hash(part)
    }
}

/// `12s`, `3m20s`, `1.5s`, `2h`, `34ms`.
fn is_duration(part: &str) -> bool {
    let units = part.trim_start_matches(|character: char| "0123456789.".contains(character));
    let names = ["ms", "d", "h", "m", "s"];
    let Some(rest) = names.iter().find_map(|unit| units.strip_prefix(unit)) else { return false };
    let number = &part[..part.len() - units.len()];
    number.starts_with(|digit: char| digit.is_ascii_digit())
        && (rest.is_empty() || is_duration(rest))
}

/// `kubia-server-77b8dfb768-jxlcw` is `kubia-server-HASH`: what a Deployment appends to a pod's
/// name are ten characters and five, without vowels.
fn without_pod_hash(part: &str) -> String {
    let hash = |text: &str, lengths: Range<usize>| {
        lengths.contains(&text.len())
            && text.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte))
    };
    let words: Vec<&str> = part.rsplitn(3, '-').collect();
    match words.as_slice() {
        [pod, set, name] if hash(pod, 5..6) && hash(set, 8..11) => format!("{name}-HASH"),
        _ => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{differences, normalised, rewritten};
    use crate::walk::Block;

    fn check(text: &str, expected: &str) {
        assert_eq!(normalised(text), format!("{expected}\n"), "{text}");
    }

    #[test]
    fn what_is_random_gets_a_name() {
        check("127.7.0.2:32440", "ADDRESS:PORT");
        check("URL  http://127.70.0.3:31001/", "URL http://ADDRESS:PORT/");
        check("    152 v1", "COUNT v1");
        check("v1  dr-v1  70%  3/3  node:22  4m12s", "v1 dr-v1 70% 3/3 node:22 DURATION");
        check("pod/kubia-server-77b8dfb768-jxlcw (0.2s)", "pod/kubia-server-HASH (DURATION)");
        check("istio-ingressgateway-5d9f8c7b6-x2k4z", "istio-ingressgateway-HASH");
        check("  a/b-77b8dfb768-jxlcw live after 0.12 s", "a/b-HASH live after DURATION");
    }

    #[test]
    fn progress_is_not_compared() {
        check("a created\nwaiting for a: 1 of 3 pods ready\nb created", "a created\nb created");
    }

    #[test]
    fn what_is_not_random_stays() {
        for line in [
            "$ kubectl kubia shift --v2 30",
            "v1 50 → 70, v2 50 → 30",
            "deployment.apps/kubia-server-v2 created",
            "virtualservice.networking.istio.io/kubia-vs patched",
        ] {
            check(line, line);
        }
    }

    #[test]
    fn a_block_is_found_compared_and_rewritten() {
        let readme = "a\n<!-- demo:shift -->\n```console\nold\n```\nb\n";
        let blocks = [Block { name: "shift", text: "new\n".to_owned() }];
        assert!(differences(readme, &blocks).contains("new"));
        let rewritten = rewritten(readme, &blocks).expect("it has the block");
        assert_eq!(rewritten, "a\n<!-- demo:shift -->\n```console\nnew\n```\nb\n");
        assert_eq!(differences(&rewritten, &blocks), "");
    }

    #[test]
    fn a_block_without_a_place_is_named() {
        let blocks = [Block { name: "shift", text: String::new() }];
        assert!(rewritten("nothing", &blocks).expect_err("no place").contains("demo:shift"));
    }
}
