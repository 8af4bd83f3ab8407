//! The imports between the files of the HTTP server.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::files;

type ModulePath = Vec<String>;

/// Returns the module of a file: `middleware/session.rs` is `crate::http::middleware::session`.
fn module_of(file: &Path) -> ModulePath {
    let mut module: ModulePath = vec!["http".to_owned()];
    module.extend(file.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()));
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// Returns the paths that a `use` declaration names, with its braces expanded.
fn expand(tree: &str) -> Vec<String> {
    let Some((before, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap().trim();
        return if path.is_empty() { Vec::new() } else { vec![path.to_owned()] };
    };
    let inside = rest.strip_suffix('}').unwrap();
    let (mut depth, mut begin, mut parts) = (0, 0, Vec::new());
    for (place, letter) in inside.char_indices() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        if letter == ',' && depth == 0 {
            parts.push(&inside[begin..place]);
            begin = place + 1;
        }
    }
    parts.push(&inside[begin..]);
    let paths = parts.into_iter().flat_map(|part| expand(part.trim()));
    paths.map(|path| format!("{}{path}", before.trim())).collect()
}

/// Returns the declarations of this kind (`use`, `pub use`) in a file, as paths below `crate`.
fn declarations(module: &[String], code: &str, is_public: bool) -> Vec<ModulePath> {
    let mut found = Vec::new();
    for declaration in code.split(';') {
        let declaration = declaration.trim_start_matches(|c: char| c.is_whitespace() || c == '}');
        let Some((visibility, tree)) = declaration.split_once("use ") else { continue };
        let is_declaration = visibility.is_empty() || visibility.starts_with("pub");
        if !is_declaration || visibility.starts_with("pub") != is_public {
            continue;
        }
        let tree = tree.split_whitespace().collect::<Vec<_>>().join(" ").replace(", }", "}");
        for path in expand(&tree) {
            let mut absolute = module.to_vec();
            for segment in path.split("::").map(str::trim) {
                match segment {
                    "crate" => absolute.clear(),
                    "super" => drop(absolute.pop()),
                    "self" => {}
                    segment => absolute.push(segment.to_owned()),
                }
            }
            found.push(absolute);
        }
    }
    found
}

/// The imports between the files of the HTTP server. An import through a `pub use` counts for the file
/// that defines the name.
fn imports() -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
    let files = files();
    let modules: BTreeMap<ModulePath, &PathBuf> =
        files.keys().map(|file| (module_of(file), file)).collect();
    let mut exports = BTreeMap::new();
    for (file, code) in &files {
        let module = module_of(file);
        for path in declarations(&module, code, true) {
            let mut exported = module.clone();
            exported.extend(path.last().cloned());
            exports.insert(exported, path);
        }
    }
    let defining = |mut path: ModulePath| {
        for _ in 0..9 {
            match exports.get(&path) {
                Some(exported) if *exported != path => path.clone_from(exported),
                _ => break,
            }
        }
        let lengths = (1..=path.len()).rev();
        lengths.into_iter().find_map(|length| modules.get(&path[..length]).copied())
    };
    let imports = files.iter().map(|(file, code)| {
        let used = declarations(&module_of(file), code, false).into_iter();
        let used = used.filter(|path| path.first().is_some_and(|first| first == "http"));
        let used: BTreeSet<PathBuf> = used.filter_map(defining).cloned().collect();
        (file.clone(), used.into_iter().filter(|used| used != file).collect())
    });
    imports.collect()
}

/// Returns the pairs of files that import each other, directly or through other files.
fn cycles(imports: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> Vec<(PathBuf, PathBuf)> {
    let mut reached = BTreeMap::new();
    for file in imports.keys() {
        let (mut found, mut next) = (BTreeSet::new(), vec![file.clone()]);
        while let Some(file) = next.pop() {
            let used = imports.get(&file).into_iter().flatten();
            next.extend(used.filter(|used| found.insert((*used).clone())).cloned());
        }
        reached.insert(file.clone(), found);
    }
    let mut cycles = Vec::new();
    for (a, from_a) in &reached {
        let back = from_a.iter().filter(|b| a < *b);
        let back = back.filter(|b| reached.get(*b).is_some_and(|from_b| from_b.contains(a)));
        cycles.extend(back.map(|b| (a.clone(), b.clone())));
    }
    cycles
}

#[test]
fn files_of_the_http_server_import_in_one_direction() {
    let imports = imports();
    let count: usize = imports.values().map(BTreeSet::len).sum();
    assert!(count > 80, "{count} imports found");
    assert!(cycles(&imports).is_empty(), "{:#?}", cycles(&imports));
    // Connections know nothing of the layers above them.
    for (file, used) in &imports {
        let is_below = file.starts_with("server") || file.components().count() == 1;
        let uses_layers = used.iter().any(|used| used.starts_with("middleware"));
        let composes = ["router.rs", "state.rs", "well_known.rs"].iter().any(|f| file.ends_with(f));
        assert!(!is_below || !uses_layers || composes, "{}: {used:?}", file.display());
    }
}

#[test]
fn import_cycles_are_found() {
    let edge = |from: &str, to: &str| (PathBuf::from(from), BTreeSet::from([PathBuf::from(to)]));
    let imports = BTreeMap::from([edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("d", "a")]);
    assert_eq!(cycles(&imports).len(), 3);
    let module = ["http".to_owned(), "middleware".to_owned(), "session".to_owned()];
    let code = "use super::{\n    context::{A, b as c},\n    x::Y,\n};\npub use self::z::Z;";
    let paths = declarations(&module, code, false);
    let paths: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
    let expected = ["context::A", "context::b", "x::Y"].map(|p| format!("http::middleware::{p}"));
    assert_eq!(paths, expected);
}
