//! From TypeScript and wasm to the two products' folders.
//!
//! esbuild bundles, tsc checks types and writes declarations. All file names of the playground but
//! `index.html` carry a hash of their content, and every reference is relative, so the folder can
//! be served from any path and its files kept for ever. The npm package keeps plain names.
//!
//! Conventions: `www/boot/page.ts` is the page's bootstrap, every other `www/boot/*.ts` a worker
//! whose file name the page finds as `PARTITA_FILES.NAME`; every `web/js/entry/*.ts` becomes a file
//! of that name in the package, and `web/js/entry/node.ts` a `.cjs` besides, for programs that say
//! `require`; `www/static` is copied as it is.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use crate::build::{Mode, Product, digest, wasm_file};
use crate::process::{self, command, node, root};

/// Writes the playground's static files into `out`, which is replaced.
///
/// # Errors
/// When a tool fails or a file is missing.
pub fn playground(out: &Path, mode: Mode) -> Result<()> {
    let staging = staging(out)?;
    let mut files = Map::new();

    let wasm = std::fs::read(wasm_file(Product::Playground))?;
    let wasm_name = format!("partita-{}.wasm", digest(&wasm));
    std::fs::write(staging.join(&wasm_name), wasm)?;
    files.insert("wasm".into(), wasm_name.into());

    let (pages, workers): (Vec<_>, Vec<_>) = sources("www/boot", "ts")?
        .into_iter()
        .partition(|path| path.file_stem() == Some(OsStr::new("page")));
    let mut workers = esbuild(&workers, &staging, mode, &json!({}))?;
    files.append(&mut workers);

    let define = json!({ "PARTITA_FILES": Value::Object(files.clone()).to_string() });
    let styles = sources("www", "css")?;
    let mut page = esbuild(&[pages, styles].concat(), &staging, mode, &define)?;
    files.append(&mut page);

    let html = std::fs::read_to_string(root().join("www/index.html"))?;
    std::fs::write(staging.join("index.html"), fill(&html, &files)?)?;
    copy_dir(&root().join("www/static"), &staging)?;
    replace(&staging, out)
}

/// Writes the npm package into `out`, which is replaced.
///
/// # Errors
/// When a tool fails, or package.json names a file that is not there.
pub fn npm(out: &Path) -> Result<()> {
    let staging = staging(out)?;
    std::fs::copy(wasm_file(Product::Npm), staging.join("partita.wasm"))?;

    let mut bundle = command(bin("esbuild"));
    bundle.args(sources("web/js/entry", "ts")?);
    bundle.args(["--bundle", "--splitting", "--format=esm", "--target=es2022"]);
    // What a bundler or a browser resolves stays as it is: Node's modules, `new URL(…)`.
    bundle.args([
        "--platform=neutral",
        "--external:node:*",
        "--log-level=warning",
    ]);
    bundle.args(["--entry-names=[name]", "--chunk-names=[name]-[hash]"]);
    process::run(bundle.arg(option("--outdir=", &staging)))?;
    commonjs(&staging)?;

    let mut declarations = tsc();
    declarations.args(["-p", "web/js/tsconfig.json", "--outDir"]);
    process::run(declarations.arg(staging.join("types")))?;
    prune(&staging.join("types"), "entry/index.d.ts")?;
    commonjs_types(&staging.join("types"))?;

    // Edited as text: the order in `exports` has a meaning.
    let manifest = std::fs::read_to_string(root().join("web/js/package.json"))?;
    let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
    let manifest = manifest.replacen("\"version\": \"0.0.0\"", version, 1);
    let fields: Value = serde_json::from_str(&manifest).context("web/js/package.json")?;
    if fields["version"] != env!("CARGO_PKG_VERSION") {
        bail!("web/js/package.json: the version must be 0.0.0, which the build replaces");
    }
    for field in ["exports", "bin", "main", "types"] {
        check_files(&fields[field], &staging)?;
    }
    std::fs::write(staging.join("package.json"), manifest)?;
    std::fs::copy(root().join("LICENSE"), staging.join("LICENSE"))?;
    std::fs::copy(root().join("web/README.md"), staging.join("README.md"))?;
    replace(&staging, out)
}

/// Bundles Node's entry for `require`, beside the modules: it finds the same wasm and the same
/// worker there, by its own address.
fn commonjs(package: &Path) -> Result<()> {
    let mut bundle = command(bin("esbuild"));
    bundle.arg("web/js/entry/node.ts");
    bundle.args(["--bundle", "--format=cjs", "--target=es2022"]);
    bundle.args(["--platform=node", "--log-level=warning"]);
    bundle.args([
        "--define:import.meta.url=PARTITA_URL",
        "--banner:js=const PARTITA_URL = require(\"node:url\").pathToFileURL(__filename).href;",
    ]);
    process::run(bundle.arg(option("--outfile=", &package.join("node.cjs"))))
}

/// Writes each declaration of `dir` a second time, as one of a CommonJS module: to TypeScript the
/// file's ending tells how it is loaded.
fn commonjs_types(dir: &Path) -> Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            commonjs_types(&path)?;
        } else if let Some(module) = path.to_string_lossy().strip_suffix(".d.ts") {
            let text = std::fs::read_to_string(&path)?;
            // Only names of modules end so.
            let text = text.replace(".js\"", ".cjs\"");
            std::fs::write(format!("{module}.d.cts"), text)?;
        }
    }
    Ok(())
}

/// Deletes the declarations that nobody reaches from `entry`: those of files that only our own
/// code imports.
fn prune(types: &Path, entry: &str) -> Result<()> {
    let mut needed = vec![types.join(entry)];
    let mut next = 0;
    while let Some(file) = needed.get(next).cloned() {
        next += 1;
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("no declaration {}", file.display()))?;
        // Whatever is quoted and relative is the name of a module.
        for name in text.split('"').filter(|word| word.starts_with('.')) {
            let module = file.with_file_name(name).with_extension("d.ts");
            let module = normal(&module);
            if !needed.contains(&module) {
                needed.push(module);
            }
        }
    }
    prune_dir(types, &needed)
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

fn prune_dir(dir: &Path, needed: &[PathBuf]) -> Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            prune_dir(&path, needed)?;
            if std::fs::read_dir(&path)?.next().is_none() {
                std::fs::remove_dir(&path)?;
            }
        } else if !needed.contains(&path) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Checks the types of all TypeScript. The glue's declarations must have been built.
///
/// # Errors
/// When tsc finds a fault.
pub fn check_types() -> Result<()> {
    process::run(tsc().args(["-p", "tsconfig.json"]))
}

fn tsc() -> Command {
    node(root().join("node_modules/typescript/bin/tsc"))
}

/// A program of an npm package.
fn bin(name: &str) -> PathBuf {
    let name = if cfg!(windows) {
        format!("{name}.cmd")
    } else {
        name.into()
    };
    root().join("node_modules/.bin").join(name)
}

/// Bundles `entries` under hashed names; returns, by entry, the name that each got.
fn esbuild(
    entries: &[PathBuf],
    out: &Path,
    mode: Mode,
    define: &Value,
) -> Result<Map<String, Value>> {
    if entries.is_empty() {
        return Ok(Map::new());
    }
    let metafile = out.with_extension("json");
    let mut bundle = command(bin("esbuild"));
    bundle.args(entries);
    bundle.args(["--bundle", "--splitting", "--format=esm", "--target=es2022"]);
    bundle.args(["--entry-names=[name]-[hash]", "--chunk-names=[name]-[hash]"]);
    bundle
        .arg("--log-level=warning")
        .arg(option("--outdir=", out));
    bundle.arg(option("--metafile=", &metafile));
    bundle.arg(if mode == Mode::Debug {
        "--sourcemap"
    } else {
        "--minify"
    });
    for (name, value) in define.as_object().into_iter().flatten() {
        bundle.arg(format!(
            "--define:{name}={}",
            value.as_str().unwrap_or_default()
        ));
    }
    process::run(&mut bundle)?;

    let meta: Value = serde_json::from_str(&std::fs::read_to_string(&metafile)?)?;
    std::fs::remove_file(&metafile)?;
    let mut names = Map::new();
    for (output, facts) in meta["outputs"].as_object().into_iter().flatten() {
        let Some(entry) = facts["entryPoint"].as_str() else {
            continue;
        };
        names.insert(stem(entry), file_name(output).into());
    }
    Ok(names)
}

/// Puts the hashed names into the page: `{{page}}` becomes the name of page.ts's bundle.
fn fill(html: &str, files: &Map<String, Value>) -> Result<String> {
    let mut filled = html.to_owned();
    for (name, file) in files {
        filled = filled.replace(
            &format!("{{{{{name}}}}}"),
            file.as_str().unwrap_or_default(),
        );
    }
    if let Some((_, rest)) = filled.split_once("{{") {
        let name = rest.split("}}").next().unwrap_or(rest);
        bail!("www/index.html refers to {{{{{name}}}}}, which was not built");
    }
    Ok(filled)
}

/// Checks that every path below `value`, a part of package.json, exists.
fn check_files(value: &Value, dir: &Path) -> Result<()> {
    match value {
        Value::String(path) if !dir.join(path).is_file() => {
            bail!("web/js/package.json names {path}, which the build does not make")
        }
        Value::Object(map) => map.values().try_for_each(|value| check_files(value, dir)),
        _ => Ok(()),
    }
}

/// The files of one kind directly in a folder, in order of name.
fn sources(dir: &str, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(dir)).with_context(|| format!("no folder {dir}"))? {
        let name = entry?.file_name();
        let path = Path::new(dir).join(name);
        let declaration = path.to_string_lossy().ends_with(".d.ts");
        if path.extension() == Some(OsStr::new(extension)) && !declaration {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// An empty folder beside `out`, in which the next `out` is made.
fn staging(out: &Path) -> Result<PathBuf> {
    let staging = out.with_extension("new");
    if staging.exists() {
        std::fs::remove_dir_all(&staging)?;
    }
    std::fs::create_dir_all(&staging)?;
    Ok(staging)
}

/// Puts `staging` in the place of `out`: a failed build leaves the last good one.
fn replace(staging: &Path, out: &Path) -> Result<()> {
    if out.exists() {
        std::fs::remove_dir_all(out)?;
    }
    std::fs::rename(staging, out).with_context(|| format!("cannot write {}", out.display()))
}

/// Copies a folder's content; a folder that does not exist has none.
fn copy_dir(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(path);
    option
}

fn stem(path: &str) -> String {
    Path::new(path)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn file_name(path: &str) -> String {
    Path::new(path)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
