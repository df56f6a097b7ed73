/**
 * Opening a broker on a large database, over opening one on a small database with the same topic.
 *
 * The databases are made by real sends and commits, each in an origin of its own, for the databases
 * of one origin share files; the browser starts anew before each round, so that nothing is in its
 * memory.
 */
import assert from "node:assert/strict";
import { PACKAGE, serve, startBrowser } from "../browser/harness.mjs";
import { medians, note, quick, ROUNDS, run, wanted } from "./_bench.mjs";

const PARTITIONS = 50;
const SCALE = quick ? 0.01 : 1;

const SMALL = { name: "small", chunks: PARTITIONS, commits: PARTITIONS };
const LARGE = [
  { name: "open-10k-chunks", chunks: 10_000 * SCALE, commits: PARTITIONS },
  { name: "open-100k-chunks", chunks: 100_000 * SCALE, commits: PARTITIONS },
  { name: "open-100k-commits", chunks: PARTITIONS, commits: 100_000 * SCALE },
].filter(({ name }) => wanted(name));

const files = {
  "open.html": `<!doctype html>
    <meta charset="utf-8" />
    <link rel="icon" href="data:," />
    <script type="module">
      import * as partita from "./index.js";
      await partita.load();
      Object.assign(window, partita, { loaded: true });
    </script>`,
};

/** In the page: sends one record to every partition, and commits for every partition, so often. */
async function fill({ partitions, chunks, commits }) {
  const broker = await Broker.open("bench", { durability: "relaxed" });
  const kafka = new Kafka({ brokers: [broker] });
  const admin = kafka.admin();
  const producer = kafka.producer();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: "orders", numPartitions: partitions }] });
  await producer.connect();
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const messages = all.map((partition) => ({ partition, value: "a record" }));
  // One after the other: what waits together would become one chunk.
  for (let made = 0; made < chunks; made += partitions) {
    await producer.send({ topic: "orders", messages });
  }
  for (let made = 0; made < commits; made += partitions) {
    const offsets = all.map((partition) => ({ partition, offset: "1" }));
    await admin.setOffsets({ groupId: "billing", topic: "orders", partitions: offsets });
  }
  await Promise.all([producer.disconnect(), admin.disconnect()]);
  await broker.close();
}

/** In the page: how many chunks there are. */
async function count() {
  const names = (await indexedDB.databases()).map(({ name }) => name);
  let chunks = 0;
  for (const name of names) {
    const result = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await result(indexedDB.open(name));
    if (database.objectStoreNames.contains("chunks")) {
      chunks += await result(database.transaction("chunks").objectStore("chunks").count());
    }
    database.close();
  }
  return chunks;
}

/** In the page: opens the broker; milliseconds. */
async function open() {
  const begun = performance.now();
  const broker = await Broker.open("bench", { durability: "relaxed" });
  const took = performance.now() - begun;
  await broker.close();
  return took;
}

await run(async (t) => {
  const browser = await startBrowser(t);
  const databases = [];
  for (const what of [SMALL, ...LARGE]) {
    const { url } = await serve(t, { folder: PACKAGE, files });
    databases.push({ ...what, url: `${url}open.html` });
  }
  const scratch = `${(await serve(t, { folder: PACKAGE, files })).url}open.html`;
  const inPage = async (url, act, argument) => {
    const tab = await browser.open(url);
    await tab.waitForFunction(() => window.loaded);
    const result = await tab.evaluate(act, argument);
    await tab.close();
    return result;
  };
  for (const { name, url, chunks, commits } of databases) {
    await inPage(url, fill, { partitions: PARTITIONS, chunks, commits });
    const there = await inPage(url, count);
    note(`${name}: ${there} chunks`);
    assert.ok(there >= chunks, `${name} has ${there} chunks`);
  }
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await browser.restart();
    // What a browser does once, at its first page with a worker and a database, nobody shall pay.
    await inPage(scratch, open);
    const found = {};
    // Each takes every place in turn.
    const turn = round % databases.length;
    const turns = [...databases.slice(turn), ...databases.slice(0, turn)];
    for (const { name, url } of turns) found[name] = await inPage(url, open);
    note(Object.entries(found).map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`).join(", "));
    rounds.push(found);
  }
  const took = medians(rounds);
  return LARGE.map(({ name, chunks, commits }) => ({
    name,
    ours: took[name],
    baseline: took.small,
    unit: "ms",
    what: `open with ${chunks} chunks and ${commits} commits made, over ${SMALL.chunks} and ${SMALL.commits}`,
  }));
});
