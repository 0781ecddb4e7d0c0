//! The source as a tree of modules, and where each path in it leads.
//!
//! Paths are resolved as the compiler resolves them: `crate`, `self`, `super`, nested groups, renames, globs and re-exports.
//! Items under `#[cfg(test)]` are left out, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};

use super::folder;

/// A path as its segments: of a module, from the root of the crate; of an item, as written or from the root.
type Segments = Vec<String>;

/// The most re-exports to follow, because they can form a circle.
const DEEPEST: usize = 32;

/// The source of a crate, parsed.
pub struct Tree {
    modules: BTreeMap<Segments, Module>,
    /// The files that only tests use. They are left out.
    pub test_files: BTreeSet<String>,
}

/// The declarations and mentions of one module.
#[derive(Default)]
struct Module {
    file: String,
    items: BTreeSet<String>,
    /// Each imported name with its path as written.
    imports: BTreeMap<String, Segments>,
    globs: Vec<Segments>,
    mentions: Vec<Mention>,
    /// The methods of inherent impls and of traits, each after the name of its type.
    methods: BTreeSet<(String, String)>,
    /// The names of methods that are called on a value of unknown type.
    calls: BTreeSet<String>,
    /// The type of the impl that is being read.
    implementing: Option<Segments>,
    words: Words,
}

/// One path in the source, as written.
struct Mention {
    path: Segments,
    form: Form,
}

/// The form of a mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In a type, an expression, a macro or an attribute.
    Path,
    /// A `use` without `pub`.
    Import,
    /// A `pub use`, or the type behind a `pub type`: other files reach the item by a second path. It makes no edge.
    ReExport,
}

/// The words of a file that the rules check.
#[derive(Default, Clone)]
pub struct Words {
    /// Every identifier.
    pub identifiers: BTreeSet<String>,
    /// Every string literal that is not documentation.
    pub literals: BTreeSet<String>,
    /// The name after each dot of a call.
    pub methods: BTreeSet<String>,
    /// The last name of each path, after the name before it. The name before it is empty in `<Type>::name`.
    pub associated: BTreeSet<(String, String)>,
    /// Macros by their last name.
    pub macros: BTreeSet<String>,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An item of this crate, by the file that defines it.
    Item(String),
    /// A module of this crate.
    Module(Segments),
    /// Another crate, with the whole path.
    Foreign(Segments),
}

/// A path that a file mentions.
pub struct Reference {
    /// The file that mentions it.
    pub from: String,
    /// The path from the root of the crate, before re-exports are followed; as written where it leads out of the crate.
    pub route: Segments,
    /// Where it leads in the end.
    pub place: Place,
    /// The form in which the file mentions it.
    pub form: Form,
}

impl Tree {
    /// Parses the files of a `src/` folder: path below it, and text.
    pub fn parse(files: &BTreeMap<String, String>) -> Tree {
        let mut tree = Tree { modules: BTreeMap::new(), test_files: BTreeSet::new() };
        tree.read(files, "lib.rs", &[], false);
        if files.contains_key("main.rs") {
            tree.read(files, "main.rs", &["main".to_owned()], false);
        }
        tree
    }

    /// Reads the module that a file holds, and the modules declared in it.
    fn read(&mut self, files: &BTreeMap<String, String>, file: &str, path: &[String], for_tests: bool) {
        let text = files.get(file).unwrap_or_else(|| panic!("no file {file}"));
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        if for_tests {
            self.test_files.insert(file.to_owned());
        }
        self.read_items(files, file, path, &parsed.items, for_tests);
    }

    fn read_items(
        &mut self,
        files: &BTreeMap<String, String>,
        file: &str,
        path: &[String],
        items: &[syn::Item],
        for_tests: bool,
    ) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items {
            if let syn::Item::Mod(declared) = item {
                let inner: Segments = path.iter().cloned().chain([name(&declared.ident)]).collect();
                let for_tests = for_tests || is_test(&declared.attrs);
                match &declared.content {
                    Some((_, items)) => self.read_items(files, file, &inner, items, for_tests),
                    None => self.read(files, &file_of(files, &inner), &inner, for_tests),
                }
            } else if !for_tests {
                module.items.extend(defined(item));
                module.visit_item(item);
            }
        }
        if !for_tests {
            self.modules.insert(path.to_vec(), module);
        }
    }

    /// Returns the files without those of tests.
    pub fn files(&self) -> BTreeSet<&str> {
        self.modules.values().map(|module| module.file.as_str()).collect()
    }

    /// Returns the words of each file.
    pub fn words(&self) -> BTreeMap<&str, Words> {
        let mut words: BTreeMap<&str, Words> = BTreeMap::new();
        for module in self.modules.values() {
            let of_file = words.entry(module.file.as_str()).or_default();
            of_file.identifiers.extend(module.words.identifiers.iter().cloned());
            of_file.literals.extend(module.words.literals.iter().cloned());
            of_file.methods.extend(module.words.methods.iter().cloned());
            of_file.associated.extend(module.words.associated.iter().cloned());
            of_file.macros.extend(module.words.macros.iter().cloned());
        }
        words
    }

    /// Returns every mentioned path, resolved.
    pub fn references(&self) -> Vec<Reference> {
        let mut references = Vec::new();
        for (path, module) in &self.modules {
            for mention in &module.mentions {
                let (route, ours) = self.absolute(path, &mention.path, 0);
                let place = if ours { self.follow(&route, 0) } else { Some(Place::Foreign(route.clone())) };
                let Some(place) = place else { continue };
                references.push(Reference { from: module.file.clone(), route, place, form: mention.form });
            }
        }
        references
    }

    /// Returns a path from the root of the crate and true, or a path out of the crate and false.
    fn absolute(&self, module: &[String], path: &[String], depth: usize) -> (Segments, bool) {
        let Some((first, rest)) = path.split_first() else { return (Vec::new(), false) };
        let below = |base: &[String]| (base.iter().chain(rest).cloned().collect(), true);
        match first.as_str() {
            "crate" | "usage_signals" => return below(&[]),
            "::" if rest.first().is_some_and(|name| name == "usage_signals") => return (rest[1..].to_vec(), true),
            "::" => return (rest.to_vec(), false),
            "self" | "super" => {
                let steps = path.iter().take_while(|step| matches!(step.as_str(), "self" | "super"));
                let up = steps.clone().filter(|step| *step == "super").count();
                let base = &module[..module.len() - up];
                return (base.iter().chain(&path[steps.count()..]).cloned().collect(), true);
            }
            _ => {}
        }
        let own: Segments = module.iter().cloned().chain([first.clone()]).collect();
        let scope = &self.modules[module];
        if scope.items.contains(first) || self.modules.contains_key(&own) {
            return below(&own);
        }
        if depth < DEEPEST {
            // An import such as `use chrono;` names itself.
            if let Some(target) = scope.imports.get(first).filter(|target| target[..] != [first.clone()]) {
                let (base, ours) = self.absolute(module, target, depth + 1);
                return (base.iter().chain(rest).cloned().collect(), ours);
            }
            for glob in &scope.globs {
                let (base, ours) = self.absolute(module, glob, depth + 1);
                let inner: Segments = base.iter().cloned().chain([first.clone()]).collect();
                if ours && self.follow(&inner, depth + 1).is_some() {
                    return below(&inner);
                }
            }
        }
        (path.to_vec(), false)
    }

    /// Follows a path from the root through re-exports. `None` if the crate has no item of this path.
    fn follow(&self, route: &[String], depth: usize) -> Option<Place> {
        if depth > DEEPEST {
            return None;
        }
        let mut at = Segments::new();
        let mut rest = route;
        loop {
            let Some((next, after)) = rest.split_first() else { return Some(Place::Module(at)) };
            let module = self.modules.get(&at)?;
            let child: Segments = at.iter().cloned().chain([next.clone()]).collect();
            let is_module = self.modules.contains_key(&child);
            if module.items.contains(next) && (!is_module || after.is_empty()) {
                return Some(Place::Item(module.file.clone()));
            }
            if is_module && !after.is_empty() {
                at = child;
                rest = after;
                continue;
            }
            // A name can be a re-export and a module. The module is then the folder of the re-exported item.
            let targets = module.imports.get(next).cloned().into_iter();
            let globbed = module.globs.iter().map(|glob| glob.iter().cloned().chain([next.clone()]).collect());
            let passed_on = targets.chain(globbed).find_map(|target: Segments| {
                let (base, ours) = self.absolute(&at, &target, depth + 1);
                let full: Segments = base.iter().chain(after).cloned().collect();
                if ours { self.follow(&full, depth + 1) } else { Some(Place::Foreign(full)) }
            });
            return if is_module { passed_on.or(Some(Place::Module(child))) } else { passed_on };
        }
    }

    /// Returns an edge for each item that a file uses and another file defines.
    ///
    /// A method can stand in another file than its type. `self.method()`, `Self::method()` and `Type::method()` lead to the
    /// file of the method. In `value.method()` the type of the value is unknown. This call leads to the file of the method
    /// if no second file of the folder defines a method of this name, and if the calling file mentions the method's type.
    /// Otherwise there is no edge, because most names are methods of the standard library too.
    pub fn edges(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut by_name: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        let mut by_type: BTreeMap<(&str, &str, &str), BTreeSet<&str>> = BTreeMap::new();
        let mut calls: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for module in self.modules.values() {
            calls.entry(&module.file).or_default().extend(module.calls.iter().map(String::as_str));
            for (of, method) in &module.methods {
                by_name.entry((folder(&module.file), method)).or_default().insert(&module.file);
                by_type.entry((folder(&module.file), of, method)).or_default().insert(&module.file);
            }
        }
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut add = |from: &str, to: &str| {
            if from != to {
                edges.entry(from.to_owned()).or_default().insert(to.to_owned());
            }
        };
        for reference in self.references().iter().filter(|reference| reference.form != Form::ReExport) {
            let (from, Place::Item(to)) = (&reference.from, &reference.place) else { continue };
            add(from, to);
            let method_of = |of: &str, method: &str| by_type.get(&(folder(to), of, method)).and_then(only);
            if let [.., of, method] = &reference.route[..]
                && let Some(to) = method_of(of, method)
            {
                add(from, to);
            }
            let Some(of) = reference.route.last() else { continue };
            for call in &calls[from.as_str()] {
                let named = by_name.get(&(folder(from), call)).and_then(only);
                if let Some(to) = named.filter(|_| named == method_of(of, call)) {
                    add(from, to);
                }
            }
        }
        edges
    }
}

/// Returns the file of a set with one file.
fn only<'a>(files: &BTreeSet<&'a str>) -> Option<&'a str> {
    files.first().copied().filter(|_| files.len() == 1)
}

/// Returns the file of a declared module.
fn file_of(files: &BTreeMap<String, String>, path: &[String]) -> String {
    let flat = format!("{}.rs", path.join("/"));
    if files.contains_key(&flat) { flat } else { format!("{}/mod.rs", path.join("/")) }
}

/// Returns the name without a leading `r#`.
fn name(ident: &syn::Ident) -> String {
    ident.unraw().to_string()
}

/// Returns whether the attributes contain exactly `#[cfg(test)]`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

/// Returns the name that an item defines in its module.
fn defined(item: &syn::Item) -> Option<String> {
    let (ident, attributes) = match item {
        syn::Item::Const(item) => (&item.ident, &item.attrs),
        syn::Item::Enum(item) => (&item.ident, &item.attrs),
        syn::Item::Fn(item) => (&item.sig.ident, &item.attrs),
        syn::Item::Macro(item) => (item.ident.as_ref()?, &item.attrs),
        syn::Item::Static(item) => (&item.ident, &item.attrs),
        syn::Item::Struct(item) => (&item.ident, &item.attrs),
        syn::Item::Trait(item) => (&item.ident, &item.attrs),
        syn::Item::Type(item) => (&item.ident, &item.attrs),
        syn::Item::Union(item) => (&item.ident, &item.attrs),
        _ => return None,
    };
    (!is_test(attributes)).then(|| name(ident))
}

/// Returns the names of a path, as written.
fn segments(path: &syn::Path) -> Segments {
    path.segments.iter().map(|segment| name(&segment.ident)).collect()
}

/// Returns the form of an import of this visibility.
fn form(visibility: &syn::Visibility) -> Form {
    if matches!(visibility, syn::Visibility::Inherited) { Form::Import } else { Form::ReExport }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl Module {
    fn mention(&mut self, mut path: Segments, form: Form) {
        if path.len() > 1
            && path[0] == "Self"
            && let Some(of) = &self.implementing
        {
            path.splice(..1, of.iter().cloned());
        }
        if form == Form::Path
            && let [.., of, name] = &path[..]
        {
            self.words.associated.insert((of.clone(), name.clone()));
        }
        self.mentions.push(Mention { path, form });
    }

    /// Takes a `use` apart into its leaves.
    fn import(&mut self, tree: &syn::UseTree, before: &[String], form: Form) {
        let with = |ident: &syn::Ident| -> Segments { before.iter().cloned().chain([name(ident)]).collect() };
        match tree {
            syn::UseTree::Path(path) => self.import(&path.tree, &with(&path.ident), form),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(tree, before, form));
            }
            syn::UseTree::Glob(_) => {
                self.mention(before.to_vec(), form);
                self.globs.push(before.to_vec());
            }
            syn::UseTree::Name(leaf) => self.leaf(&with(&leaf.ident), None, form),
            syn::UseTree::Rename(leaf) => self.leaf(&with(&leaf.ident), Some(&leaf.rename), form),
        }
    }

    /// Adds one imported name. `{self}` means the module before it.
    fn leaf(&mut self, path: &[String], rename: Option<&syn::Ident>, form: Form) {
        let path = match path.split_last() {
            Some((last, before)) if last == "self" && !before.is_empty() => before,
            _ => path,
        };
        self.mention(path.to_vec(), form);
        if let Some(name) = rename.map(name).or_else(|| path.last().cloned()) {
            self.imports.insert(name, path.to_vec());
        }
    }

    /// Reads the arguments of a macro: paths, imports, method calls, literals.
    fn tokens(&mut self, tokens: TokenStream, literals_are_paths: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let token = |at: Option<usize>| at.and_then(|at| tokens.get(at));
        let is_punct = |at: Option<usize>, wanted: char| matches!(token(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
        let is_pub = |at: Option<usize>| matches!(token(at), Some(TokenTree::Ident(ident)) if *ident == "pub");
        let mut form = Form::Path;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let back = |steps: usize| at.checked_sub(steps);
            match token {
                TokenTree::Group(group) => self.tokens(group.stream(), literals_are_paths),
                TokenTree::Literal(literal) => match syn::parse_str(&literal.to_string()) {
                    Ok(syn::Lit::Str(text)) if literals_are_paths => {
                        if let Ok(path) = text.parse::<syn::Path>() {
                            self.visit_path(&path);
                        }
                        self.visit_lit_str(&text);
                    }
                    Ok(literal) => self.visit_lit(&literal),
                    Err(_) => {}
                },
                TokenTree::Ident(ident) if *ident == "use" => {
                    // `pub use`, or `pub(crate) use`.
                    form = if is_pub(back(1)) || is_pub(back(2)) { Form::ReExport } else { Form::Import };
                }
                TokenTree::Ident(ident) => {
                    self.visit_ident(ident);
                    let is_call =
                        matches!(tokens.get(at + 1), Some(TokenTree::Group(_))) || is_punct(Some(at + 1), ':');
                    if is_punct(back(1), '.') && is_call {
                        self.method_call(name(ident));
                    } else if !is_punct(back(1), '.') {
                        let mut path = vec![name(ident)];
                        // The name after `<Type>::`.
                        if is_punct(back(1), ':') && is_punct(back(2), ':') {
                            self.words.associated.insert((String::new(), name(ident)));
                        }
                        while is_punct(Some(at + 1), ':') && is_punct(Some(at + 2), ':') {
                            match tokens.get(at + 3) {
                                Some(TokenTree::Ident(next)) => {
                                    path.push(name(next));
                                    self.visit_ident(next);
                                }
                                Some(TokenTree::Group(group)) if form != Form::Path => {
                                    if let Ok(tree) = syn::parse2(TokenTree::Group(group.clone()).into()) {
                                        self.import(&tree, &path, form);
                                    }
                                }
                                _ => break,
                            }
                            at += 3;
                        }
                        if is_punct(Some(at + 1), '!') {
                            self.words.macros.extend(path.last().cloned());
                        }
                        self.mention(path, form);
                        form = Form::Path;
                    }
                }
                TokenTree::Punct(_) => {}
            }
            at += 1;
        }
    }

    /// Adds a call of a method on a value of unknown type.
    fn method_call(&mut self, method: String) {
        self.calls.insert(method.clone());
        self.words.methods.insert(method);
    }

    /// Adds the methods that a type or a trait declares.
    fn methods_of<'a>(
        &mut self,
        of: &str,
        functions: impl Iterator<Item = (&'a syn::Signature, &'a [syn::Attribute])>,
    ) {
        let declared = functions.filter(|(_, attributes)| !is_test(attributes));
        self.methods.extend(declared.map(|(signature, _)| (of.to_owned(), name(&signature.ident))));
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !is_test(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let before: &[String] = if item.leading_colon.is_some() { &["::".to_owned()] } else { &[] };
        self.import(&item.tree, before, form(&item.vis));
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let target = if item.ident == "self" { "crate".to_owned() } else { name(&item.ident) };
        self.leaf(&[target], item.rename.as_ref().map(|(_, rename)| rename), form(&item.vis));
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if let (Form::ReExport, syn::Type::Path(aliased)) = (form(&item.vis), &*item.ty) {
            self.mention(segments(&aliased.path), Form::ReExport);
        }
        visit::visit_item_type(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let functions = item.items.iter().filter_map(|item| match item {
            syn::TraitItem::Fn(function) => Some((&function.sig, &function.attrs[..])),
            _ => None,
        });
        self.methods_of(&name(&item.ident), functions);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let syn::Type::Path(of) = &*item.self_ty else { return visit::visit_item_impl(self, item) };
        let of = segments(&of.path);
        if let (None, Some(last)) = (&item.trait_, of.last()) {
            let functions = item.items.iter().filter_map(|item| match item {
                syn::ImplItem::Fn(function) => Some((&function.sig, &function.attrs[..])),
                _ => None,
            });
            self.methods_of(last, functions);
        }
        let outer = self.implementing.replace(of);
        visit::visit_item_impl(self, item);
        self.implementing = outer;
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut names = segments(path);
        if path.leading_colon.is_some() {
            names.insert(0, "::".to_owned());
        }
        self.mention(names, Form::Path);
        visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        if let (Some(_), Some(last)) = (&path.qself, path.path.segments.last()) {
            self.words.associated.insert((String::new(), name(&last.ident)));
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.words.macros.extend(called.path.segments.last().map(|segment| name(&segment.ident)));
        self.visit_path(&called.path);
        self.tokens(called.tokens.clone(), false);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        // The names of lints look like paths.
        if ["allow", "deny", "expect", "warn"].iter().any(|level| attribute.path().is_ident(level)) {
            return;
        }
        self.visit_path(attribute.path());
        if let syn::Meta::List(list) = &attribute.meta {
            // serde names functions in strings.
            self.tokens(list.tokens.clone(), attribute.path().is_ident("serde"));
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let is_self = matches!(&*call.receiver, syn::Expr::Path(receiver) if receiver.path.is_ident("self"));
        match &self.implementing {
            Some(of) if is_self => {
                let path = of.iter().cloned().chain([name(&call.method)]).collect();
                self.mention(path, Form::Path);
                self.words.methods.insert(name(&call.method));
            }
            _ => self.method_call(name(&call.method)),
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_ident(&mut self, ident: &'ast syn::Ident) {
        self.words.identifiers.insert(name(ident));
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.words.literals.insert(text.value());
    }

    fn visit_lit_byte_str(&mut self, text: &'ast syn::LitByteStr) {
        self.words.literals.insert(String::from_utf8_lossy(&text.value()).into_owned());
    }

    fn visit_lit_cstr(&mut self, text: &'ast syn::LitCStr) {
        self.words.literals.insert(text.value().to_string_lossy().into_owned());
    }
}
