//! From Rust to a wasm file and its JavaScript glue.
//!
//! cargo compiles, wasm-bindgen (a library of this program: no global tool) writes the glue, and
//! for a release wasm-opt shrinks the result. `target/bindgen/PRODUCT/` then holds `partita.js`,
//! `partita.d.ts` and `partita_bg.wasm`; tsconfig.json points there.

use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::process::{self, cargo, node, root, target};
use crate::setup::WASM_TARGET;

/// What is built. Each is one wasm that serves every thread of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// The playground: the binary of partita-www, which contains partita-web.
    Playground,
    /// The npm package: partita-web alone.
    Npm,
}

impl Product {
    /// The folder of its glue in `target/bindgen`, and of its files in `dist`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Playground => "playground",
            Self::Npm => "npm",
        }
    }
}

/// How much the build optimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Quick to build; function names stay.
    Debug,
    /// Fast code, quick enough to build to wait for: what `play` serves.
    Play,
    /// Small: link-time optimisation and wasm-opt.
    Dist,
}

impl Mode {
    fn profile(self) -> &'static str {
        match self {
            Self::Debug => "wasm-dev",
            Self::Play => "release",
            Self::Dist => "wasm-dist",
        }
    }
}

/// The folder of a product's glue.
pub fn bindgen_dir(product: Product) -> PathBuf {
    // Not CARGO_TARGET_DIR: tsconfig.json names this folder.
    root().join("target/bindgen").join(product.name())
}

/// A product's wasm, as it is shipped.
pub fn wasm_file(product: Product) -> PathBuf {
    bindgen_dir(product).join("partita_bg.wasm")
}

/// Builds a product's wasm and glue into [`bindgen_dir`].
///
/// # Errors
/// When a tool fails; its output has been shown.
pub fn wasm(product: Product, mode: Mode) -> Result<()> {
    let input = compile(product, mode)?;
    let dir = bindgen_dir(product);
    let stamp = dir.join("stamp");
    // The tools' versions are those of the two lock files; wasm-bindgen's is in the wasm too.
    let tools = std::fs::read(root().join("package-lock.json"))?;
    let digest = format!(
        "{mode:?} {} {}",
        digest(&std::fs::read(&input)?),
        digest(&tools)
    );
    if std::fs::read_to_string(&stamp).is_ok_and(|built| built == digest) {
        return Ok(());
    }
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    bindgen(&input, &dir, mode)?;
    if mode == Mode::Dist {
        optimise(&wasm_file(product))?;
    }
    std::fs::write(&stamp, digest).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Sixteen hexadecimal digits that change when the content does: for file names and stamps.
pub fn digest(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn compile(product: Product, mode: Mode) -> Result<PathBuf> {
    let mut command = cargo("rustc");
    command.args(["--target", WASM_TARGET, "--profile", mode.profile()]);
    let file = match product {
        Product::Playground => {
            command.args(["-p", "partita-www", "--bin", "partita-www"]);
            "partita-www.wasm"
        }
        // partita-web is an rlib: a crate that is cdylib and rlib gets no LTO, silently.
        Product::Npm => {
            command.args(["-p", "partita-web", "--lib", "--crate-type", "cdylib"]);
            "partita_web.wasm"
        }
    };
    command.env("CARGO_ENCODED_RUSTFLAGS", without_paths()?);
    process::run(&mut command)?;
    Ok(target().join(WASM_TARGET).join(mode.profile()).join(file))
}

/// Flags for rustc by which nothing says where the machine keeps its crates: a panic names the file
/// in which it happened, and that name is in the wasm.
fn without_paths() -> Result<OsString> {
    let mut flags: Vec<OsString> = std::env::var("RUSTFLAGS")
        .iter()
        .flat_map(|flags| flags.split_whitespace().map(Into::into))
        .collect();
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let home = home.context("no home directory, and no CARGO_HOME")?;
    let registries = std::fs::read_dir(home.join("registry/src"));
    for registry in registries.into_iter().flatten() {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(registry?.path());
        flag.push("=crates");
        flags.push(flag);
    }
    Ok(flags.join(OsStr::new("\u{1f}")))
}

fn bindgen(input: &Path, dir: &Path, mode: Mode) -> Result<()> {
    println!(
        "$ wasm-bindgen {}",
        input.strip_prefix(root()).unwrap_or(input).display()
    );
    let mut args = vec![
        "wasm-bindgen".into(),
        input.as_os_str().to_owned(),
        "--out-dir".into(),
        dir.as_os_str().to_owned(),
    ];
    // No default path to the wasm: the bootstrap compiles the module and hands it over.
    let options = [
        "--target",
        "web",
        "--out-name",
        "partita",
        "--omit-default-module-path",
    ];
    args.extend(options.map(Into::into));
    args.push("--remove-producers-section".into());
    if mode != Mode::Debug {
        args.push("--remove-name-section".into());
    }
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(args)
}

fn optimise(wasm: &Path) -> Result<()> {
    let smaller = wasm.with_extension("opt.wasm");
    // No feature flags: the wasm names its features, and a browser rejects what more would allow.
    let wasm_opt = root().join("node_modules/binaryen/bin/wasm-opt");
    process::run(node(wasm_opt).arg(wasm).arg("-O").arg("-o").arg(&smaller))?;
    std::fs::rename(&smaller, wasm)?;
    Ok(())
}
