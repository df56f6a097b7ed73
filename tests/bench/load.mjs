/**
 * From the start of loading a page on the package until its consumer has the first of the records
 * that IndexedDB keeps, over the load of a page that only compiles the same wasm.
 */
import { PACKAGE, serve, startBrowser } from "../browser/harness.mjs";
import { medians, note, quick, run } from "./_bench.mjs";

const page = (script) => `<!doctype html>
<meta charset="utf-8" />
<link rel="icon" href="data:," />
<script type="module">${script}</script>`;

const files = {
  "write.html": page(`
    import { Broker, Kafka } from "./index.js";
    const broker = await Broker.open("load");
    const producer = new Kafka({ brokers: [broker] }).producer();
    await producer.connect();
    const messages = Array.from({ length: 100 }, (_, n) => ({ value: "record " + n }));
    await producer.send({ topic: "orders", messages });
    await producer.disconnect();
    await broker.close();
    window.took = performance.now();`),
  "consume.html": page(`
    import { Broker, Kafka } from "./index.js";
    const broker = await Broker.open("load");
    const consumer = new Kafka({ brokers: [broker] }).consumer({ groupId: "g" + Math.random() });
    await consumer.connect();
    await consumer.subscribe({ topic: "orders", fromBeginning: true });
    const eachMessage = async () => void (window.took ??= performance.now());
    await consumer.run({ eachMessage });`),
  "bare.html": page(`
    const file = new URL("./partita.wasm", location.href);
    window.wasm = await WebAssembly.compileStreaming(fetch(file));
    window.took = performance.now();`),
};

await run(async (t) => {
  const { url } = await serve(t, { folder: PACKAGE, files });
  const browser = await startBrowser(t);
  const load = async (name) => {
    const tab = await browser.open(`${url}${name}.html`);
    const took = await tab.waitForFunction(() => window.took);
    const milliseconds = await took.jsonValue();
    await tab.close();
    return milliseconds;
  };
  await load("write");
  const rounds = [];
  for (let round = quick ? 8 : 0; round < 9; round += 1) {
    rounds.push({ baseline: await load("bare"), ours: await load("consume") });
  }
  const { ours, baseline } = medians(rounds);
  note(`${ours.toFixed(0)} ms, bare ${baseline.toFixed(0)} ms`);
  const what = "page load to first consumed record, over a bare page that compiles the same wasm";
  return [{ name: "load-to-first-record", ours, baseline, unit: "ms", what }];
});
