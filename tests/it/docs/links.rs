//! Every link, path and name in the documents exists, and so does every document that the sources cite.

use std::collections::BTreeSet;

use super::page::{Page, files, root};

/// Returns the anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

/// Returns the targets of `[…](target)`.
fn targets(prose: &str) -> Vec<&str> {
    prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).collect()
}

/// Returns the broken links of a page.
fn broken_links(page: &Page) -> Vec<String> {
    let folder = root().join(page.path.parent().unwrap());
    let leads = |target: &str| {
        let (path, heading) = target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
        let file = if path.is_empty() { root().join(&page.path) } else { folder.join(path) };
        let Some(heading) = heading else { return file.exists() };
        let text = if path.is_empty() { Some(page.text.clone()) } else { std::fs::read_to_string(file).ok() };
        text.is_some_and(|text| {
            let target = Page { path: path.into(), text };
            target.headings().iter().any(|known| anchor(known) == heading)
        })
    };
    let prose = page.prose();
    let ours = targets(&prose).into_iter().filter(|target| !target.starts_with("http"));
    ours.filter(|target| !leads(target)).map(|target| format!("{}: {target}", page.path.display())).collect()
}

/// Returns the missing paths that a page names in its prose.
fn missing_paths(page: &Page) -> Vec<String> {
    let top: BTreeSet<String> =
        std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let spans = page.code_spans();
    let words = spans.iter().flat_map(|span| span.split([' ', ',']));
    let mut missing = Vec::new();
    for word in words {
        // Cuts a path before its first placeholder: `fixtures/replay/*/`, `src/remote/NAME`.
        let is_placeholder =
            |part: &str| part.contains(['*', '…', '<']) || (part.len() > 1 && part == part.to_uppercase());
        let known: Vec<&str> = word.split('/').take_while(|part| !is_placeholder(part)).collect();
        let is_path = word.contains('/') && known.first().is_some_and(|first| top.contains(*first));
        let is_page = word.ends_with(".md");
        let there =
            |path: &str| root().join(path).exists() || root().join(page.path.parent().unwrap()).join(path).exists();
        if (is_path && !there(&known.join("/"))) || (is_page && !is_path && !there(word)) {
            missing.push(format!("{}: {word}", page.path.display()));
        }
    }
    missing
}

/// Returns the names that the sources define: functions, types, constants, modules and variants of enumerations.
fn definitions() -> BTreeSet<String> {
    const KEYWORDS: [&str; 8] = ["fn ", "struct ", "enum ", "trait ", "const ", "mod ", "type ", "static "];
    let name =
        |text: &str| text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for file in files(&root().join("src"), "rs") {
        names.extend(file.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        names.extend(file.parent().unwrap().file_name().and_then(|folder| folder.to_str()).map(str::to_owned));
        for line in std::fs::read_to_string(file).unwrap().lines() {
            names.extend(KEYWORDS.iter().filter_map(|keyword| Some(name(line.split_once(keyword)?.1))));
            let variant = name(line.trim_start());
            names.extend(
                Some(variant).filter(|variant| line.starts_with("    ") && variant.starts_with(char::is_uppercase)),
            );
        }
    }
    names
}

/// Returns the Rust paths such as `plan::build` with a part that no source defines.
fn unknown_names(page: &Page, known: &BTreeSet<String>) -> Vec<String> {
    let spans = page.code_spans();
    let paths = spans.iter().flat_map(|span| span.split([' ', ','])).filter(|word| word.contains("::"));
    // Paths of other crates are not checked.
    let paths = paths.filter(|path| path.split("::").next().is_some_and(|first| known.contains(first)));
    let parts = paths.flat_map(|path| path.trim_end_matches("()").split("::"));
    // `decide()` names a function.
    let functions =
        spans.iter().filter_map(|span| span.strip_suffix("()")).filter(|name| !name.contains([':', '.', ' ']));
    let unknown = parts.chain(functions).filter(|part| !part.is_empty() && !known.contains(*part));
    unknown.map(|part| format!("{}: {part}", page.path.display())).collect()
}

#[test]
fn every_link_and_path_in_the_documents_leads_somewhere() {
    let pages = Page::all();
    assert!(pages.len() > 30, "{}", pages.len());
    let broken: Vec<_> = pages.iter().flat_map(|page| [broken_links(page), missing_paths(page)].concat()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_name_of_the_code_in_the_documents_is_one() {
    let known = definitions();
    let pages = Page::all();
    let unknown: Vec<_> = pages.iter().flat_map(|page| unknown_names(page, &known)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn a_broken_link_a_missing_path_and_an_unknown_name_are_found() {
    let page = |text: &str| Page { path: "docs/rules.md".into(), text: text.to_owned() };
    let good =
        "# A page\n[here](#a-page) [there](decisions.md) [out](https://example.com/nowhere) `src/lib.rs` `src/*/x`";
    assert_eq!(broken_links(&page(good)), Vec::<String>::new());
    assert_eq!(missing_paths(&page(good)), Vec::<String>::new());
    assert_eq!(broken_links(&page("[x](nowhere.md)")), ["docs/rules.md: nowhere.md"]);
    assert_eq!(broken_links(&page("# A page\n[x](#another-page)")), ["docs/rules.md: #another-page"]);
    assert_eq!(broken_links(&page("[x](decisions.md#nowhere)")), ["docs/rules.md: decisions.md#nowhere"]);
    assert_eq!(missing_paths(&page("see `src/nowhere.rs`")), ["docs/rules.md: src/nowhere.rs"]);
    assert_eq!(missing_paths(&page("see `docs/nowhere/*.md`")), ["docs/rules.md: docs/nowhere/*.md"]);
    assert_eq!(missing_paths(&page("see `nowhere.md`")), ["docs/rules.md: nowhere.md"]);
    let known = definitions();
    assert_eq!(unknown_names(&page("`plan::build`, `Exit::Done`"), &known), Vec::<String>::new());
    assert_eq!(unknown_names(&page("`plan::build_nothing`"), &known), ["docs/rules.md: build_nothing"]);
    assert_eq!(unknown_names(&page("`build()`, `build_nothing()`"), &known), ["docs/rules.md: build_nothing"]);
}

/// Returns the missing documents that a source cites: `docs/rules.md`, or `docs/rules.md, "Levels"` with a heading.
fn broken_citations(name: &str, source: &str) -> Vec<String> {
    // A citation can continue on the next line of a comment.
    let lines = source.lines().map(|line| line.trim_start().trim_start_matches(['/', '!', '#']).trim());
    let text = lines.collect::<Vec<_>>().join(" ");
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '/' | '-' | '_' | '.');
    let mut broken = Vec::new();
    for (at, _) in text.match_indices(".md") {
        let (before, after) = text.split_at(at + ".md".len());
        let start = before.rfind(|letter: char| !is_part(letter)).map_or(0, |place| place + 1);
        let path = before.get(start..).unwrap();
        // `….md` in a pattern, `"README.md"` as an ending.
        if after.starts_with(is_part) && !after.starts_with(['.', '/']) || path == ".md" {
            continue;
        }
        let path = path.trim_start_matches('/');
        let near = std::path::Path::new(name).parent().unwrap().join(path);
        let Some(file) = [root().join(path), root().join(near)].into_iter().find(|file| file.exists()) else {
            broken.push(format!("{name}: {path}"));
            continue;
        };
        let page = Page { path: path.into(), text: std::fs::read_to_string(file).unwrap() };
        let mut rest = after;
        while let Some((heading, more)) = rest.strip_prefix(", \"").and_then(|rest| rest.split_once('"')) {
            if !page.headings().iter().any(|known| known == heading) {
                broken.push(format!("{name}: {path}, {heading:?}"));
            }
            rest = more;
        }
    }
    broken
}

#[test]
fn every_document_that_the_sources_cite_is_there() {
    let folders = ["src", "tests/it", "benches"].map(|folder| files(&root().join(folder), "rs"));
    let others =
        ["Cargo.toml", "fixtures/usage-signals.toml", "crontab.example", ".ci/run"].map(|file| root().join(file));
    let mut broken = Vec::new();
    let mut outside = Vec::new();
    for file in folders.into_iter().flatten().chain(others) {
        let name = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        // This file names missing things on purpose.
        if name == "tests/it/docs/links.rs" {
            continue;
        }
        let source = std::fs::read_to_string(file).unwrap();
        broken.extend(broken_citations(&name, &source));
        let elsewhere =
            ["../shared", "SPEC", "ARCHITECTURE", "(reference:"].iter().filter(|word| source.contains(**word));
        outside.extend(elsewhere.map(|word| format!("{name}: {word}")));
    }
    assert!(broken.is_empty() && outside.is_empty(), "{broken:#?} {outside:#?}");
}

#[test]
fn a_citation_that_leads_nowhere_is_found() {
    let broken = |source: &str| broken_citations("src/lib.rs", source);
    assert_eq!(broken("//! See docs/services/zoho.md, \"COQL\", and `README.md`."), Vec::<String>::new());
    assert_eq!(broken("//! (docs/services/zoho.md,\n//! \"Access tokens\", \"COQL\")"), Vec::<String>::new());
    assert_eq!(broken("// see docs/nowhere.md"), ["src/lib.rs: docs/nowhere.md"]);
    assert_eq!(broken("// zoho-crm-api.md section 2"), ["src/lib.rs: zoho-crm-api.md"]);
    assert_eq!(broken("// (docs/services/zoho.md, \"Nowhere\")"), ["src/lib.rs: docs/services/zoho.md, \"Nowhere\""]);
}
