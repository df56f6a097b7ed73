//! `cargo xtask dist`: `dist/playground` (for any web server) and `dist/npm` (what is published).

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::build::{self, Mode, Product, wasm_file};
use crate::process::{command, output, root};
use crate::{bundle, setup};

/// Runs the command.
///
/// # Errors
/// When an option is wrong or a tool fails.
pub fn run(args: &[String]) -> Result<()> {
    let mut mode = Mode::Dist;
    let mut products = Vec::new();
    for arg in args {
        match arg.as_str() {
            "--debug" => mode = Mode::Debug,
            "playground" => products.push(Product::Playground),
            "npm" => products.push(Product::Npm),
            _ => bail!("dist takes --debug, and the products to build: playground, npm"),
        }
    }
    setup::run()?;
    if products.is_empty() {
        return build(mode);
    }
    build_some(&products, mode)
}

/// Builds both products; for a release, prints how large their wasm is.
///
/// # Errors
/// When a tool fails.
pub fn build(mode: Mode) -> Result<()> {
    build_some(&[Product::Playground, Product::Npm], mode)
}

/// The types of both products are checked in any case: the other's glue must have been built once.
fn build_some(products: &[Product], mode: Mode) -> Result<()> {
    let dist = root().join("dist");
    for &product in products {
        build::wasm(product, mode)?;
    }
    bundle::check_types()?;
    for &product in products {
        let out = dist.join(product.name());
        match product {
            Product::Playground => bundle::playground(&out, mode)?,
            Product::Npm => bundle::npm(&out)?,
        }
    }
    if mode == Mode::Debug {
        return Ok(());
    }
    for &product in products {
        let wasm = wasm_file(product);
        let (raw, brotli) = (std::fs::metadata(&wasm)?.len(), brotli_size(&wasm)?);
        println!(
            "dist/{:<12} wasm {:>5} KB, {:>4} KB brotli",
            product.name(),
            raw.div_ceil(1000),
            brotli.div_ceil(1000)
        );
    }
    Ok(())
}

/// The size of a file as a web server sends it: brotli at its highest quality.
///
/// # Errors
/// When the file cannot be read.
pub fn brotli_size(file: &Path) -> Result<u64> {
    // Node's is native and here already; a debug build of a Rust one takes half a minute.
    let script = "const { readFileSync } = require('fs');\
        console.log(require('zlib').brotliCompressSync(readFileSync(process.argv[1])).length)";
    let size = output(command("node").args(["-e", script]).arg(file))?;
    size.trim().parse().context("node did not print a size")
}
