/**
 * Append and fetch in memory, natively and as wasm in Chromium: `tests/src/memory.rs`, built by
 * xtask, over memcpy plus CRC-32C of the same bytes. `PARTITA_BENCH_NATIVE` is the program,
 * `PARTITA_BENCH_WASM` the wasm.
 */
import { execFileSync } from "node:child_process";
import { basename, dirname } from "node:path";
import { serve, startBrowser } from "../browser/harness.mjs";
import { medians, note, quick, ROUNDS, run, wanted } from "./_bench.mjs";

/** Requests of 1 MiB in a round. */
const REQUESTS = quick ? 2 : 64;

const { PARTITA_BENCH_NATIVE: native, PARTITA_BENCH_WASM: wasm } = process.env;

function natively() {
  const lines = execFileSync(native, [ROUNDS, REQUESTS].map(String), { encoding: "utf8" });
  return lines.trim().split("\n").map((line) => JSON.parse(line));
}

async function asWasm(t) {
  const files = { "blank.html": '<!doctype html><link rel="icon" href="data:," />' };
  const { url } = await serve(t, { folder: dirname(wasm), files });
  const browser = await startBrowser(t);
  const page = await browser.open(`${url}blank.html`);
  await page.evaluate(async (file) => {
    const { instance } = await WebAssembly.instantiateStreaming(fetch(file));
    const { clear, append, fetch: read, baseline } = instance.exports;
    const rate = (act) => {
      const begun = performance.now();
      return act() / (performance.now() - begun) / 1000;
    };
    const times = (act, count) => {
      let bytes = 0;
      for (let n = 0; n < count; n += 1) bytes += act();
      return bytes;
    };
    window.round = (count) => {
      clear();
      return {
        baseline: rate(() => times(baseline, count)),
        append: rate(() => times(append, count)),
        fetch: rate(read),
      };
    };
    // The browser compiles what runs often once more, better.
    window.round(8);
  }, basename(wasm));
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push(await page.evaluate((count) => window.round(count), REQUESTS));
  }
  return rounds;
}

await run(async (t) => {
  const results = [];
  for (const [host, measure] of [["native", natively], ["wasm", asWasm]]) {
    const what = ["append", "fetch"].filter((name) => wanted(`${name}-memory-${host}`));
    if (what.length === 0) continue;
    const rates = medians(await measure(t));
    note(`${host}: ${JSON.stringify(rates)}`);
    for (const name of what) {
      results.push({
        name: `${name}-memory-${host}`,
        ours: rates[name],
        baseline: rates.baseline,
        unit: "MB/s",
        what: `${name} of 1-KiB records in requests of 1 MiB, over memcpy plus CRC-32C`,
      });
    }
  }
  return results;
});
