//! .krew.yaml, rendered as krew-release-bot renders it.

use super::{
    manifest::parse,
    support::{VERSION, read},
};

/// Renders the two actions that the template uses; any other is an error, as it is for the bot.
fn render(template: &str, tag: &str, checksum: &dyn Fn(&str) -> String) -> String {
    let mut rendered = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        rendered.push_str(before);
        let (text, after) = action(after.trim_start(), tag, checksum);
        rendered.push_str(&text);
        rest = after.trim_start().strip_prefix("}}").expect("an action ends with }}");
    }
    rendered + rest
}

/// Returns what an action prints, and the template behind it.
fn action<'a>(source: &'a str, tag: &str, checksum: &dyn Fn(&str) -> String) -> (String, &'a str) {
    if let Some(after) = source.strip_prefix(".TagName") {
        return (tag.to_owned(), after);
    }
    let call = source.strip_prefix("addURIAndSha \"").unwrap_or_else(|| panic!("{source}"));
    let (uri, after) = call.split_once('"').expect("the address ends with a quote");
    let after = after.trim_start().strip_prefix(".TagName").expect("the second argument");
    // The address is a template of its own, which knows the tag and no function.
    let uri = render(uri, tag, &|_| panic!("a function within an address"));
    // The bot always indents the second line by four.
    (format!("uri: {uri}\n    sha256: {}", checksum(&uri)), after)
}

#[test]
fn renders_to_plugin_yaml() {
    let plugin = parse(&read("plugin.yaml"));
    let checksum = |uri: &str| {
        let mut platforms = plugin.spec.platforms.iter();
        let platform = platforms.find(|platform| platform.uri == uri);
        platform.unwrap_or_else(|| panic!("plugin.yaml lacks {uri}")).sha256.clone()
    };
    let rendered = render(&read(".krew.yaml"), &format!("v{VERSION}"), &checksum);
    assert_eq!(parse(&rendered), plugin);

    // The bot's pull request is merged unseen only if nothing but version, uri and sha256 changed.
    let without_comments = |text: &str| {
        text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_comments(&rendered), without_comments(&read("plugin.yaml")));
}

#[test]
#[should_panic(expected = "trimPrefix")]
fn a_function_that_the_bot_lacks_is_refused() {
    render("{{ trimPrefix .TagName }}", "v1.2.3", &|_| String::new());
}
