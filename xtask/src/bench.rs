//! `cargo xtask bench [NAME…]`: each benchmark as a ratio to a baseline of the same run.
//!
//! A benchmark is either a function here or a script `tests/bench/NAME.mjs`. A script is run by
//! Node with `dist` built, and prints as its last line one JSON object
//! `{ "ours", "baseline", "unit", "what" }`: two numbers in the same unit, and what they are.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::build::{Mode, Product, wasm_file};
use crate::dist::{self, brotli_size};
use crate::process::{node, output, root, target};
use crate::setup;

/// The aim for broker and client together, in KB after brotli.
const SIZE_AIM: f64 = 300.0;

/// What is measured, and how.
struct Bench {
    name: String,
    measure: Box<dyn Fn() -> Result<Measurement>>,
}

/// One result.
#[derive(Debug)]
struct Measurement {
    ours: f64,
    baseline: f64,
    unit: String,
    what: String,
}

/// Runs the benchmarks named, or all.
///
/// # Errors
/// When a name is unknown, a build fails, or a benchmark does.
pub fn run(args: &[String]) -> Result<()> {
    let mut benches = registered()?;
    let names: Vec<String> = benches.iter().map(|bench| bench.name.clone()).collect();
    if let Some(unknown) = args.iter().find(|name| !names.contains(name)) {
        bail!("no benchmark {unknown:?}; there are: {}", names.join(", "));
    }
    benches.retain(|bench| args.is_empty() || args.contains(&bench.name));

    setup::run()?;
    dist::build(Mode::Dist)?;
    let mut results = Vec::new();
    println!(
        "{:<22} {:>12} {:>12} {:>8}  unit",
        "benchmark", "ours", "baseline", "ratio"
    );
    for bench in &benches {
        let measured = (bench.measure)().with_context(|| bench.name.clone())?;
        let Measurement {
            ours,
            baseline,
            unit,
            what,
        } = measured;
        let ratio = ours / baseline;
        println!(
            "{:<22} {ours:>12.3} {baseline:>12.3} {ratio:>8.3}  {unit}: {what}",
            bench.name
        );
        results.push(json!({
            "name": bench.name,
            "ours": ours,
            "baseline": baseline,
            "ratio": ratio,
            "unit": unit,
            "what": what,
        }));
    }
    let file = target().join("bench.json");
    std::fs::write(&file, serde_json::to_string_pretty(&results)? + "\n")?;
    println!(
        "written to {}",
        file.strip_prefix(root()).unwrap_or(&file).display()
    );
    Ok(())
}

fn registered() -> Result<Vec<Bench>> {
    let mut benches: Vec<Bench> = [
        ("size-play", Product::Playground),
        ("size-npm", Product::Npm),
    ]
    .into_iter()
    .map(|(name, product)| Bench {
        name: name.into(),
        measure: Box::new(move || size(product)),
    })
    .collect();
    let scripts = root().join("tests/bench");
    if scripts.is_dir() {
        for entry in std::fs::read_dir(scripts)? {
            let file = entry?.path();
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            // `_NAME.mjs` is shared code.
            if let Some(name) = name.strip_suffix(".mjs")
                && !name.starts_with('_')
            {
                let name = name.to_owned();
                benches.push(Bench {
                    name,
                    measure: Box::new(move || script(&file)),
                });
            }
        }
    }
    benches.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(benches)
}

fn size(product: Product) -> Result<Measurement> {
    let bytes = u32::try_from(brotli_size(&wasm_file(product))?)?;
    Ok(Measurement {
        ours: f64::from(bytes) / 1000.0,
        baseline: SIZE_AIM,
        unit: "KB".into(),
        what: format!(
            "{} wasm after brotli over the aim for broker and client",
            product.name()
        ),
    })
}

fn script(file: &std::path::Path) -> Result<Measurement> {
    // What it says on its way goes to its standard error, straight to the terminal.
    let printed = output(node(file).stderr(Stdio::inherit()))?;
    let last = printed.lines().next_back().context("it printed nothing")?;
    let result: Value = serde_json::from_str(last).with_context(|| format!("it printed {last}"))?;
    let number = |field| {
        result[field]
            .as_f64()
            .with_context(|| format!("no number {field:?}"))
    };
    let text = |field| {
        result[field]
            .as_str()
            .with_context(|| format!("no text {field:?}"))
    };
    Ok(Measurement {
        ours: number("ours")?,
        baseline: number("baseline")?,
        unit: text("unit")?.into(),
        what: text("what")?.into(),
    })
}
