//! The tutorial as a reader types it: each command with its real output, and the requests counted.

use std::process::Command;

use crate::support::{
    binomial::{ALPHA, p_value},
    kubectl::Kubectl,
    process,
    proxies::Proxies,
};

const REQUESTS: u32 = 300;

/// A command with its `$ ` prompt and what it printed, by the name README has for it.
pub(crate) struct Block {
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

/// Where the tutorial is walked.
pub(crate) struct Walk<'a> {
    /// Makes `sh` with the environment that the reader's terminal would have.
    pub(crate) shell: &'a dyn Fn() -> Command,
    /// For reading what the gateway's proxies run.
    pub(crate) kubectl: &'a Kubectl,
    pub(crate) namespace: &'a str,
    /// A host of one's own; none is the tutorial's `*`.
    pub(crate) host: Option<&'a str>,
    /// Flags of every `kubectl kubia`, each after a space.
    pub(crate) flags: &'a str,
    /// Receives each block as soon as it is known.
    pub(crate) show: &'a dyn Fn(&str),
    /// Whether the reader has had enough.
    pub(crate) interrupted: &'a dyn Fn() -> bool,
}

impl Walk<'_> {
    /// Walks, and returns what README shows of it.
    ///
    /// # Errors
    ///
    /// Says which command failed, or which counts do not follow the weights.
    pub(crate) fn run(&self) -> Result<Vec<Block>, String> {
        let Self { flags, .. } = self;
        let host = self.host.map(|host| format!(" --host {host}")).unwrap_or_default();
        let mut blocks = Vec::new();
        blocks.push(self.command("deploy", &format!("kubectl kubia deploy{flags}{host}"))?);
        blocks.push(self.command("gateway-url", &format!("kubectl kubia gateway-url{flags}"))?);
        let proxies = Proxies::open_with(self.kubectl);
        blocks.push(self.count("count-before", &proxies, 50)?);
        blocks.push(self.command("shift", &format!("kubectl kubia shift --v2 30{flags}"))?);
        blocks.push(self.count("count-after", &proxies, 30)?);
        blocks.push(self.command("status", &format!("kubectl kubia status{flags}"))?);
        blocks.push(self.command("undo", &format!("kubectl kubia undo{flags}"))?);
        blocks.push(self.command("history", &format!("kubectl kubia history{flags}"))?);
        Ok(blocks)
    }

    fn command(&self, name: &'static str, command: &str) -> Result<Block, String> {
        if (self.interrupted)() {
            return Err("interrupted".to_owned());
        }
        let output = process::run((self.shell)().args(["-c", &format!("{command} 2>&1")]));
        let text = format!("$ {command}\n{}", output.stdout);
        (self.show)(&text);
        match output.code {
            Some(0) => Ok(Block { name, text }),
            code => Err(format!("`{command}` ended with exit code {code:?}")),
        }
    }

    /// Counts requests once every proxy has the weights, and compares.
    fn count(
        &self,
        name: &'static str,
        proxies: &Proxies,
        v2_percent: u32,
    ) -> Result<Block, String> {
        proxies.wait_live(self.namespace, &[("dr-v1", 100 - v2_percent), ("dr-v2", v2_percent)]);
        let header = self.host.map(|host| format!(" -H 'Host: {host}'")).unwrap_or_default();
        let url = format!("http://$(kubectl kubia gateway-url{})/?[1-{REQUESTS}]", self.flags);
        let count = "cut -d' ' -f3 | sort | uniq -c";
        let block = self.command(name, &format!("curl -s{header} \"{url}\" | {count}"))?;
        let v2 = judge(&block.text, v2_percent)?;
        (self.show)(&v2);
        Ok(block)
    }
}

/// Says how well the lines of `uniq -c` follow the weight.
fn judge(text: &str, v2_percent: u32) -> Result<String, String> {
    let counted: Vec<(u32, &str)> = text.lines().skip(1).filter_map(counted).collect();
    let of =
        |version: &str| counted.iter().filter(|(_, name)| *name == version).map(|(n, _)| n).sum();
    let (v1, v2): (u32, u32) = (of("v1"), of("v2"));
    if v1 + v2 != REQUESTS {
        return Err(format!(
            "{REQUESTS} requests were sent, {v1} + {v2} answers came from v1 and v2"
        ));
    }
    let p = p_value(v2, REQUESTS, f64::from(v2_percent) / 100.0);
    let verdict = format!("v2 answered {v2} of {REQUESTS} at {v2_percent} %: p = {p:.2}\n");
    if p < ALPHA {
        return Err(format!("the counts do not follow the weights: {verdict}"));
    }
    Ok(format!("# {verdict}"))
}

/// `    152 v1`.
fn counted(line: &str) -> Option<(u32, &str)> {
    let (count, name) = line.trim().split_once(' ')?;
    Some((count.parse().ok()?, name))
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn counts_are_judged_by_their_weight() {
        assert!(judge("$ curl\n    146 v1\n    154 v2\n", 50).is_ok());
        assert!(judge("$ curl\n    211 v1\n     89 v2\n", 30).is_ok());
    }

    #[test]
    fn counts_that_contradict_the_weight_or_miss_answers_fail() {
        assert!(judge("$ curl\n    146 v1\n    154 v2\n", 30).is_err());
        assert!(judge("$ curl\n    146 v1\n    153 v2\n", 50).is_err());
        assert!(judge("$ curl\n    146 v1\n    153 v2\n      1 no\n", 50).is_err());
        assert!(judge("$ curl\n    300 v1\n", 30).is_err());
    }
}
