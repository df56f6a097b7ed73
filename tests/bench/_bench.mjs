/**
 * What the scripts of `cargo xtask bench` share: `node NAME.mjs [--quick] BENCHMARK…`.
 *
 * A script measures the benchmarks named and prints, as its last line, a JSON array of
 * `{ name, ours, baseline, unit, what }`. Ours and the baseline are medians over rounds in which both
 * take turns, for other work on the machine comes and goes. `--quick` only shows that it works.
 */
const [...args] = process.argv.slice(2);

export const quick = args.includes("--quick");

const names = args.filter((arg) => !arg.startsWith("--"));

/** Whether a benchmark is to be measured: named, or none is. */
export const wanted = (name) => names.length === 0 || names.includes(name);

/** How many rounds. */
export const ROUNDS = quick ? 1 : 5;

/** Runs a script's measurements; `t` is what the browser harness calls its test. */
export async function run(measure) {
  const after = [];
  try {
    const results = await measure({ after: (end) => after.unshift(end) });
    console.log(JSON.stringify(results));
  } finally {
    for (const end of after) await end();
  }
}

/** A line on the terminal while it goes on. */
export const note = (text) => console.error(`  ${text}`);

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Medians of what rounds found: `rounds` are objects of numbers with the same keys. */
export const medians = (rounds) =>
  Object.fromEntries(
    Object.keys(rounds[0]).map((key) => [key, median(rounds.map((round) => round[key]))]),
  );
