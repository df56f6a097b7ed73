/**
 * Durable append through the package's client in Chromium (acks=all, IndexedDB, strict), over what
 * hand-written IndexedDB reaches for the same bytes and durability in the same page.
 */
import { openProgram } from "../browser/pages.mjs";
import { medians, note, quick, ROUNDS, run, wanted } from "./_bench.mjs";

const KIB = 1024;

/** Bytes of values that each line sends in a round. */
const BYTES = (quick ? 2 : 32) * KIB * KIB;

const line = (name, valueBytes, perSend, unanswered) => ({
  name,
  topic: name,
  valueBytes,
  perSend,
  unanswered,
  sends: Math.ceil(BYTES / (valueBytes * perSend)),
});

/** With as many sends unanswered as are 4 MiB, unless their number is what is tried. */
const LINES = [
  line("append-durable-1k", KIB, 1000, 5),
  line("append-durable-100b", 100, 1000, 42),
  line("append-durable-1k-16k-requests", KIB, 16, 256),
  line("append-durable-1k-256k-requests", KIB, 256, 16),
  line("append-durable-1k-1m-requests", KIB, 1000, 8),
  line("append-durable-1k-one-unanswered", KIB, 1000, 1),
].filter(({ name }) => wanted(name));

await run(async (t) => {
  const { page } = await openProgram(t);
  await page.evaluate(async (topics) => {
    window.bench = await import("/tests/bench/_append-page.mjs");
    await window.bench.open(topics);
  }, LINES.map(({ topic }) => topic));
  const append = async (what) => {
    const bytes = what.sends * what.perSend * what.valueBytes;
    return bytes / (await page.evaluate((line) => window.bench.append(line), what)) / 1000;
  };
  const limit = async () => BYTES / (await page.evaluate((n) => window.bench.limit(n), BYTES)) / 1000;

  // Nothing is warm in the first round.
  const first = { ...LINES[0], sends: 4 };
  await append(first);
  await limit();
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = { limit: await limit() };
    for (const what of LINES) found[what.name] = await append(what);
    note(Object.entries(found).map(([name, rate]) => `${name} ${rate.toFixed(1)}`).join(", "));
    rounds.push(found);
  }
  const rates = medians(rounds);
  return LINES.map(({ name, valueBytes, perSend, unanswered }) => ({
    name,
    ours: rates[name],
    baseline: rates.limit,
    unit: "MB/s",
    what: `values of ${valueBytes} B in sends of ${perSend}, ${unanswered} unanswered, over raw IndexedDB`,
  }));
});
