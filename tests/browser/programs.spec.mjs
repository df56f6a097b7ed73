/**
 * Programs for KafkaJS, unchanged, must answer in a page as KafkaJS does on Apache Kafka
 * (`tests/npm`): with the package and the `buffer` that such programs bring, each on a broker of its
 * own in memory, and with what the playground gives, all on the page's broker.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { answersFile, programs } from "../npm/harness.mjs";
import { inAPage, inThePlayground, withDifferences } from "../npm/differences.mjs";
import { buffer } from "./buffer.mjs";
import { serve, startBrowser } from "./harness.mjs";
import { openPlayground } from "./pages.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs the programs with the page's `runProgram(name)`. */
async function runAll(t, page, differences) {
  const wanted = (process.env.PROGRAMS ?? "").split(",");
  const chosen = (await programs()).filter((name) => wanted.some((start) => name.startsWith(start)));
  for (const program of chosen) {
    await t.test(program, async () => {
      const answers = await page.evaluate((name) => window.runProgram(name), program);
      const recorded = JSON.parse(await readFile(answersFile(program), "utf8"));
      assert.deepEqual(answers, withDifferences(program, recorded, differences));
    });
  }
}

test("programs for KafkaJS run in a page", async (t) => {
  const { url } = await serve(t, { folder: ROOT, files: { "buffer.js": await buffer() } });
  const browser = await startBrowser(t);
  const page = await browser.open(`${url}tests/browser/blank.html`);
  await page.evaluate(async () => {
    await import("/buffer.js");
    const [partita, { run }] = await Promise.all([
      import("/dist/npm/index.js"),
      import("/tests/npm/run.mjs"),
    ]);
    const open = async (program) => {
      const broker = await partita.Broker.open(`contract-${program}`, { storage: "memory" });
      return { brokers: [broker], close: () => broker.close() };
    };
    window.runProgram = (program) => run(program, { name: "a page", kafkajs: partita, open });
  });
  await runAll(t, page, inAPage);
});

test("programs for KafkaJS run on window.partita", async (t) => {
  const { page } = await openPlayground(t);
  assert.equal(await page.evaluate(() => Buffer.from("f09f8e89", "hex").constructor.name), "Buffer");
  await page.evaluate(async () => {
    const { run } = await import("/tests/npm/run.mjs");
    const { kafkajs, brokers } = window.partita;
    if (!(window.partita instanceof kafkajs.Kafka)) throw new Error("it is no Kafka");
    const open = async () => ({ brokers: [...brokers], close: async () => {} });
    window.runProgram = (program) => run(program, { name: "the playground", kafkajs, open });
  });
  await runAll(t, page, inThePlayground);
});
