/**
 * The package in a page: programs for KafkaJS, unchanged, on a broker in memory in the page's
 * worker, must answer there as KafkaJS does on Apache Kafka (`tests/npm`).
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { answersFile, programs } from "../npm/harness.mjs";
import { withDifferences } from "../npm/differences.mjs";
import { serve, startBrowser } from "./harness.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Programs that name addresses, which a page cannot reach. */
const ADDRESSES = ["connect-errors"];

test("programs for KafkaJS run in a page", async (t) => {
  const { url } = await serve(t, { folder: ROOT });
  const browser = await startBrowser(t);
  const page = await browser.open(`${url}tests/browser/blank.html`);
  await page.evaluate(async () => {
    await import("/tests/npm/buffer.mjs");
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
  const wanted = (process.env.PROGRAMS ?? "").split(",");
  const chosen = (await programs()).filter((name) => wanted.some((start) => name.startsWith(start)));
  for (const program of chosen.filter((name) => !ADDRESSES.includes(name))) {
    await t.test(program, async () => {
      const answers = await page.evaluate((name) => window.runProgram(name), program);
      const recorded = JSON.parse(await readFile(answersFile(program), "utf8"));
      assert.deepEqual(answers, withDifferences(program, recorded));
    });
  }
});
