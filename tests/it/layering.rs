//! Who may use whom: one direction through the modules, and no way around it.
//!
//! Every path in the source is looked at, in `use` lines, expressions, types and macros alike.
//! Re-exports and aliases of foreign types are refused, since they would carry a crate across.

use std::{collections::BTreeSet, fs, path::Path};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Item, ItemMacro, ItemType, ItemUse, Macro, UseTree, Visibility, visit::Visit,
};

/// Module, modules of this crate it may use, and crates (or parts of std) it may use.
const RULES: [(&str, &[&str], &[&str]); 9] = [
    ("main", &[], &["kubia", "std"]),
    ("lib", &["cli", "cluster", "commands", "error", "view"], &["clap", "jiff", "std", "tokio"]),
    ("cli", &["cluster", "commands", "view"], &["clap", "std"]),
    (
        "commands",
        &["cluster", "commands", "domain", "error", "traffic", "view"],
        &["clap", "futures_util", "jiff", "secrecy", "serde_json", "std", "tokio"],
    ),
    (
        "cluster",
        &["cluster", "domain"],
        &[
            "base64",
            "futures_util",
            "h2",
            "http",
            "http_body_util",
            "hyper",
            "hyper_rustls",
            "hyper_util",
            "ipnet",
            "jiff",
            "json_patch",
            "k8s_openapi",
            "kube",
            "rustls",
            "rustls_native_certs",
            "secrecy",
            "serde",
            "serde_json",
            "serde_saphyr",
            "std",
            "thiserror",
            "tokio",
            "tower",
        ],
    ),
    (
        "domain",
        &["domain"],
        &[
            "jiff",
            "json_patch",
            "serde",
            "serde_json",
            "serde_saphyr",
            "std::cmp",
            "std::collections",
            "std::fmt",
            "std::iter",
            "std::mem",
            "std::net::IpAddr",
            "std::net::SocketAddr",
            "std::ptr",
            "std::slice",
            "std::str",
            "thiserror",
        ],
    ),
    (
        "view",
        &["domain", "view"],
        &["comfy_table", "jiff", "serde", "serde_json", "serde_saphyr", "std::error", "std::io"],
    ),
    ("traffic", &["domain"], &["http", "hyper", "hyper_util", "std", "thiserror", "tokio"]),
    ("error", &["cluster", "domain"], &["std", "thiserror"]),
];

/// Returns the crates a path may begin with: those of Cargo.toml, our own, and std.
fn crates() -> BTreeSet<String> {
    let manifest = include_str!("../../Cargo.toml");
    let dependencies =
        manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names = dependencies.lines().filter_map(|line| line.split_once(" = "));
    let names = names.map(|(name, _)| name.replace('-', "_"));
    names.chain(["kubia", "std", "core", "alloc"].map(str::to_owned)).collect()
}

#[derive(Default)]
struct Paths {
    used: BTreeSet<Vec<String>>,
    exported: BTreeSet<Vec<String>>,
}

impl Paths {
    fn add_tree(&mut self, prefix: &[String], tree: &UseTree, exported: bool) {
        let with = |name: String| [prefix, &[name]].concat();
        match tree {
            UseTree::Path(path) => {
                self.add_tree(&with(path.ident.to_string()), &path.tree, exported);
            }
            UseTree::Name(name) => self.add(with(name.ident.to_string()), exported),
            UseTree::Rename(rename) => self.add(with(rename.ident.to_string()), exported),
            UseTree::Glob(_) => self.add(prefix.to_vec(), exported),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(prefix, tree, exported));
            }
        }
    }

    fn add(&mut self, path: Vec<String>, exported: bool) {
        if exported {
            self.exported.insert(path.clone());
        }
        self.used.insert(path);
    }

    /// Finds `a::b::c` in the tokens of a macro, which syn does not parse.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons < 2 {
                        self.used.insert(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.used.insert(std::mem::take(&mut path));
                    colons = 0;
                }
            }
        }
        self.used.insert(path);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Mod(module) if is_test(&module.attrs) => {}
            item => syn::visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&[], &item.tree, !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        if let (Visibility::Public(_), syn::Type::Path(path)) = (&item.vis, &*item.ty) {
            self.exported
                .insert(path.path.segments.iter().map(|each| each.ident.to_string()).collect());
        }
        syn::visit::visit_item_type(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() == 1 {
            // A variable or a type in scope; a crate is never used by its name alone.
            return syn::visit::visit_path(self, path);
        }
        self.used.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.add_tokens(item.tokens.clone());
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        self.visit_macro(&item.mac);
    }
}

/// Returns the module of a file as a path: `src/domain/split.rs` is `domain::split`.
fn module_of(file: &Path) -> Vec<String> {
    let path = file.strip_prefix("src").unwrap().with_extension("");
    let mut module: Vec<String> =
        path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    module.pop_if(|last| last == "mod");
    module
}

/// Resolves `crate`, `self` and `super`; `None` for a name that is local.
fn resolve(crates: &BTreeSet<String>, module: &[String], path: &[String]) -> Option<Vec<String>> {
    let first = path.first()?.as_str();
    let is_root = module == ["lib"] || module == ["main"];
    let here: &[String] = if is_root { &[] } else { module };
    let (base, rest) = match first {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (here.to_vec(), &path[1..]),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            (here[..here.len().saturating_sub(ups)].to_vec(), &path[ups..])
        }
        _ if crates.contains(first) => return Some(path.to_vec()),
        _ => return None,
    };
    Some([vec!["crate".to_owned()], base, rest.to_vec()].concat())
}

/// Returns what a file does that its layer may not.
fn violations(module: &[String], source: &str) -> Vec<String> {
    let known = crates();
    let (_, modules, crates) = RULES.iter().find(|(name, ..)| *name == module[0]).unwrap();
    let mut paths = Paths::default();
    paths.visit_file(&syn::parse_file(source).unwrap());
    let mut found = Vec::new();
    for path in paths.used.iter().filter_map(|path| resolve(&known, module, path)) {
        let shown = path.join("::");
        let allowed = match path.as_slice() {
            [first, second, ..] if first == "crate" => {
                second == &module[0] || modules.contains(&second.as_str()) || module == ["lib"]
            }
            _ if path[0] == "crate" => true,
            _ => crates.iter().any(|allowed| {
                shown == *allowed
                    || shown.starts_with(&format!("{allowed}::"))
                    || allowed.starts_with(&format!("{shown}::"))
            }),
        };
        if !allowed {
            found.push(format!("{} uses {shown}", module.join("::")));
        }
    }
    let foreign = paths.exported.iter().filter_map(|path| resolve(&known, module, path));
    for path in foreign.filter(|path| path[0] != "crate") {
        found.push(format!("{} re-exports {}", module.join("::"), path.join("::")));
    }
    found
}

fn sources(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, files),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                files.push(path);
            }
            false => {}
        }
    }
}

#[test]
fn every_module_uses_only_what_its_layer_may() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    assert!(files.len() > 20, "the source is not where this test looks for it");
    let found: Vec<_> = files
        .iter()
        .flat_map(|file| violations(&module_of(file), &fs::read_to_string(file).unwrap()))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn forbidden_paths_are_found_wherever_they_stand() {
    let module = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    let cases = [
        ("domain::split", "use crate::cluster::Cluster;"),
        ("domain::split", "use super::super::view;"),
        ("domain::split", "fn f() { std::fs::read(\"a\"); }"),
        ("domain::split", "fn f() { let _: std::net::TcpStream; }"),
        ("domain::split", "fn f() { println!(\"{:?}\", std::env::args()); }"),
        ("commands::shift", "fn f(_: kube::Client) {}"),
        ("commands::shift", "fn f() { vec![crate::cli::Cli]; }"),
        ("view::change", "use {jiff::Timestamp, tokio::time};"),
        ("cluster::read", "pub use kube::Client;"),
        ("cluster::read", "pub(crate) use kube::Client as Anything;"),
        ("cluster::read", "pub type Anything = kube::Client;"),
        ("cluster::read", "use crate::error::Error;"),
        ("error", "use crate::view;"),
    ];
    for (file, source) in cases {
        assert_ne!(violations(&module(file), source), [""; 0], "{file}: {source}");
    }
    let fine = "use crate::domain::split; #[cfg(test)] mod tests { use crate::view; }";
    assert_eq!(violations(&module("cluster::read"), fine), [""; 0]);
}
