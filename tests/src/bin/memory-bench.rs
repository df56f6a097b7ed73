//! The engine natively, in memory: `memory-bench ROUNDS REQUESTS` prints one line of JSON per round,
//! `{ "append", "fetch", "baseline" }` in MB/s.

use std::time::Instant;

use partita_tests::memory::MemoryBench;

#[allow(clippy::print_stdout, reason = "a program for a terminal")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse());
    let mut number = || numbers.next().ok_or("memory-bench ROUNDS REQUESTS");
    let (rounds, requests): (u32, u32) = (number()??, number()??);
    let mut bench = MemoryBench::new();
    for _ in 0..rounds {
        bench.clear();
        let baseline = rate(|| (0..requests).map(|_| bench.baseline()).sum());
        let append = rate(|| (0..requests).map(|_| bench.append()).sum());
        let fetch = rate(|| bench.fetch());
        println!(r#"{{ "append": {append}, "fetch": {fetch}, "baseline": {baseline} }}"#);
    }
    Ok(())
}

/// MB/s of something that returns how many bytes it went through.
fn rate(act: impl FnOnce() -> usize) -> f64 {
    let begun = Instant::now();
    let bytes = u32::try_from(act()).map_or(f64::INFINITY, f64::from);
    bytes / begun.elapsed().as_secs_f64() / 1e6
}
