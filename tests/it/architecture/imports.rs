//! Import cycles between files and between folders.
//!
//! - At most two files import each other, directly or through other files.
//! - Folders with the same parent import each other in one direction only.
//! - Files of the HTTP server import each other in one direction only.
//!
//! Imports of a parent module from its own children are ignored: the parent composes them, and they
//! may use its items. An import through a re-export is attributed to the file that defines the
//! item. Test code and paths inside macro calls are ignored.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{Item, UseTree, Visibility, visit::Visit};

/// The path of a module below the crate root: `["tool", "context"]`.
type Module = Vec<String>;

/// The modules of a crate, with the names that each one re-exports.
struct Modules {
    /// The parsed file of each module. Modules within a file belong to the module of the file.
    files: BTreeMap<Module, syn::File>,
    /// Re-exported names, with the path behind each.
    reexports: BTreeMap<(Module, String), Vec<String>>,
}

impl Modules {
    /// Parses all files below `source`.
    fn read(source: &Path) -> Self {
        let files: BTreeMap<Module, syn::File> = rust_files(source)
            .into_iter()
            .map(|file| {
                let parsed = syn::parse_file(&fs::read_to_string(&file).unwrap());
                let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                (module_of(file.strip_prefix(source).unwrap()), parsed)
            })
            .collect();
        Self::new(files)
    }

    fn new(files: BTreeMap<Module, syn::File>) -> Self {
        let mut modules = Self { files, reexports: BTreeMap::new() };
        let mut reexports = BTreeMap::new();
        for (module, file) in &modules.files {
            for item in &file.items {
                let Item::Use(item) = item else { continue };
                if matches!(item.vis, Visibility::Inherited) {
                    continue;
                }
                let mut paths = Vec::new();
                flatten(&item.tree, &mut Vec::new(), &mut paths);
                for (path, name) in paths {
                    if let Some(path) = modules.absolute(module, &path) {
                        reexports.insert((module.clone(), name), path);
                    }
                }
            }
        }
        modules.reexports = reexports;
        modules
    }

    /// Returns a path from the crate root, or `None` for a path into another crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        let first = path.first()?;
        let mut base = module.clone();
        let mut rest = path;
        match first.as_str() {
            "crate" => (base, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            _ => {
                let mut child = module.clone();
                child.push(first.clone());
                if !self.files.contains_key(&child) {
                    return None;
                }
            }
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// Returns the module whose file defines the item at `path`, following re-exports.
    fn defining(&self, path: &[String]) -> Module {
        let mut path = path.to_vec();
        // A chain of re-exports is short. The limit ends circular chains.
        for _ in 0..10 {
            let known = (0..=path.len()).rev().find(|end| self.files.contains_key(&path[..*end]));
            let end = known.unwrap_or_default();
            let module = path[..end].to_vec();
            let Some(name) = path.get(end) else { return module };
            let Some(target) = self.reexports.get(&(module.clone(), name.clone())) else {
                return module;
            };
            path = [target.as_slice(), &path[end + 1..]].concat();
        }
        path
    }

    /// Returns the modules that each module imports from, without its own children.
    fn edges(&self) -> BTreeSet<(Module, Module)> {
        let mut edges = BTreeSet::new();
        for (module, file) in &self.files {
            let mut paths = Paths::default();
            paths.visit_file(file);
            for path in paths.found {
                let Some(path) = self.absolute(module, &path) else { continue };
                let target = self.defining(&path);
                // A parent composes its children. The crate root contains only modules.
                if !target.starts_with(module) && !target.is_empty() {
                    edges.insert((module.clone(), target));
                }
            }
        }
        edges
    }
}

/// Collects the paths of a file.
#[derive(Default)]
struct Paths {
    found: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if !attributes.iter().any(is_for_tests) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // A re-export is resolved where it is used.
        if matches!(item.vis, Visibility::Inherited) {
            let mut paths = Vec::new();
            flatten(&item.tree, &mut Vec::new(), &mut paths);
            self.found.extend(paths.into_iter().map(|(path, _)| path));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let path_names: Vec<String> =
            path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if path_names.len() > 1 {
            self.found.push(path_names);
        }
        syn::visit::visit_path(self, path);
    }

    // Visibilities such as `pub(in crate::tool)` import nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let is_test = |path: syn::Path| path.is_ident("test");
    attribute.path().is_ident("cfg") && attribute.parse_args().is_ok_and(is_test)
}

/// Lists the paths of a `use` tree, each with the name that it introduces.
fn flatten(tree: &UseTree, before: &mut Vec<String>, paths: &mut Vec<(Vec<String>, String)>) {
    match tree {
        UseTree::Path(tree) => {
            before.push(tree.ident.to_string());
            flatten(&tree.tree, before, paths);
            before.pop();
        }
        UseTree::Name(tree) if tree.ident == "self" => {
            paths.push((before.clone(), before.last().cloned().unwrap_or_default()));
        }
        UseTree::Name(tree) => {
            let name = tree.ident.to_string();
            paths.push(([before.as_slice(), std::slice::from_ref(&name)].concat(), name));
        }
        UseTree::Rename(tree) => {
            let path = [before.as_slice(), &[tree.ident.to_string()]].concat();
            paths.push((path, tree.rename.to_string()));
        }
        UseTree::Glob(_) => paths.push((before.clone(), "*".to_owned())),
        UseTree::Group(tree) => {
            tree.items.iter().for_each(|tree| flatten(tree, before, paths));
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn module_of(file: &Path) -> Module {
    let path = file.with_extension("");
    let mut parts: Module = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
        parts.pop();
    }
    parts
}

/// Returns the groups of modules in which every module reaches every other one.
fn cycles(edges: &BTreeSet<(Module, Module)>) -> Vec<Vec<String>> {
    let mut imports: BTreeMap<&Module, Vec<&Module>> = BTreeMap::new();
    for (from, to) in edges {
        imports.entry(from).or_default().push(to);
    }
    let reachable = |from| {
        let (mut found, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            let used = imports.get(module).into_iter().flatten().copied();
            next.extend(used.filter(|used| found.insert(*used)));
        }
        found
    };
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        imports.keys().map(|module| (*module, reachable(*module))).collect();
    let mut cycles = BTreeSet::new();
    for (module, others) in &reached {
        let reaches_back = |other: &&&Module| {
            *other == module || reached.get(*other).is_some_and(|back| back.contains(module))
        };
        let group: Vec<String> = others.iter().filter(reaches_back).map(|m| m.join("/")).collect();
        if group.len() > 1 && others.contains(module) {
            cycles.insert(group);
        }
    }
    cycles.into_iter().collect()
}

/// Returns the edges between folders with the same parent. The imports of a file belong to its
/// folder.
fn between_folders(modules: &Modules) -> BTreeSet<(Module, Module)> {
    let folder = |module: &Module| {
        let is_folder =
            modules.files.keys().any(|file| file.len() > module.len() && file.starts_with(module));
        module[..module.len() - usize::from(!is_folder && module.len() > 1)].to_vec()
    };
    let siblings = |(from, to): (Module, Module)| {
        let (from, to) = (folder(&from), folder(&to));
        let common = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
        Some((from.get(..=common)?.to_vec(), to.get(..=common)?.to_vec()))
    };
    modules.edges().into_iter().filter_map(siblings).collect()
}

/// Returns the library and the sample instance, each with its minimum number of imports.
fn crates() -> [(Modules, usize); 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| Modules::read(&root.join(path));
    [(read("src"), 1_500), (read("crates/octopus-sample/src"), 400)]
}

#[test]
fn at_most_two_files_import_each_other() {
    for (modules, least) in crates() {
        let edges = modules.edges();
        assert!(edges.len() > least, "{} imports found", edges.len());
        let long: Vec<_> = cycles(&edges).into_iter().filter(|cycle| cycle.len() > 2).collect();
        assert!(long.is_empty(), "import cycles of more than two files: {long:#?}");
    }
}

#[test]
fn no_folders_import_each_other() {
    for (modules, _) in crates() {
        let cycles = cycles(&between_folders(&modules));
        assert!(cycles.is_empty(), "import cycles between folders: {cycles:#?}");
    }
}

#[test]
fn files_of_the_http_server_import_in_one_direction() {
    let [(modules, _), _] = crates();
    let mut edges = modules.edges();
    edges.retain(|(from, to)| [from, to].iter().all(|module| module[0] == "http"));
    assert!(edges.len() > 80, "{} imports found", edges.len());
    assert!(cycles(&edges).is_empty(), "{:#?}", cycles(&edges));
    // Connections do not depend on the layers above them.
    for (from, to) in &edges {
        let is_folder = modules.files.keys().any(|f| f.len() > from.len() && f.starts_with(from));
        let is_in_http = from.len() == 1 || (from.len() == 2 && !is_folder);
        let is_below = from.get(1).is_some_and(|part| part == "server") || is_in_http;
        let uses_layers = to.get(1).is_some_and(|part| part == "middleware");
        let composes = ["router", "state", "well_known"]
            .iter()
            .any(|file| from.ends_with(&[(*file).to_owned()]));
        assert!(!is_below || !uses_layers || composes, "{} -> {}", from.join("/"), to.join("/"));
    }
}

/// Returns modules with these texts.
fn parsed(files: &[(&str, &str)]) -> Modules {
    let module = |path: &str| path.split('/').map(str::to_owned).collect::<Module>();
    let files = files.iter().map(|(path, text)| (module(path), syn::parse_file(text).unwrap()));
    Modules::new(files.collect())
}

/// Checks that the rules above detect violations.
#[test]
fn finds_a_cycle_through_a_reexport() {
    let modules = parsed(&[
        ("a", "mod one;\nmod two;\npub use one::One;"),
        ("a/one", "use super::two::Two;\nuse crate::b::Four;"),
        ("a/two", "fn f() { crate::b::three(); }"),
        ("b", "use crate::a::One;\n#[cfg(test)]\nuse crate::c::X;\nfn three() {}"),
        ("c", "use crate::b::three;"),
    ]);
    let edges = modules.edges();
    assert_eq!(cycles(&edges), [["a/one", "a/two", "b"]]);
    assert_eq!(cycles(&between_folders(&modules)), [["a", "b"]]);
}

#[test]
fn finds_a_cycle_between_folders_through_different_files() {
    let modules = parsed(&[
        ("a", "mod one;\nmod two;"),
        ("a/one", "use crate::b::three::Three;"),
        ("a/two", "pub struct Two;"),
        ("b", "mod three;\nmod inner;"),
        ("b/three", "pub struct Three;"),
        ("b/inner", "mod four;"),
        ("b/inner/four", "use crate::a::two::Two;"),
    ]);
    assert!(cycles(&modules.edges()).is_empty());
    assert_eq!(cycles(&between_folders(&modules)).len(), 1);
}

#[test]
fn parents_may_import_their_children() {
    let modules = parsed(&[
        ("a", "mod one;\nuse one::One;\npub struct Two;"),
        ("a/one", "use super::Two;\npub struct One;"),
    ]);
    assert_eq!(modules.edges().len(), 1);
    assert!(cycles(&modules.edges()).is_empty());
}
