/** Programs for KafkaJS, unchanged, must answer in Firefox as KafkaJS does on Apache Kafka. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { buffer } from "../browser/buffer.mjs";
import { serve } from "../browser/harness.mjs";
import { inAPage, withDifferences } from "../npm/differences.mjs";
import { answersFile, programs } from "../npm/harness.mjs";
import { executable, startFirefox } from "./firefox.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const options = { skip: executable() ? false : "no Firefox is installed (or named in FIREFOX)" };

test("programs for KafkaJS run in Firefox", options, async (t) => {
  const { url } = await serve(t, { folder: ROOT, files: { "buffer.js": await buffer() } });
  const firefox = await startFirefox(t);
  const tab = await firefox.open(`${url}tests/browser/blank.html`);
  await tab.evaluate(async () => {
    await import("/buffer.js");
    const [partita, { run }] = await Promise.all([
      import("/dist/npm/index.js"),
      import("/tests/npm/run.mjs"),
    ]);
    const open = async (program) => {
      const broker = await partita.Broker.open(`contract-${program}`, { storage: "memory" });
      return { brokers: [broker], close: () => broker.close() };
    };
    window.runProgram = (program) => run(program, { name: "Firefox", kafkajs: partita, open });
  });
  const wanted = (process.env.PROGRAMS ?? "").split(",");
  const chosen = (await programs()).filter((name) => wanted.some((start) => name.startsWith(start)));
  for (const program of chosen) {
    await t.test(program, async () => {
      const answers = await tab.evaluate((name) => window.runProgram(name), program);
      const recorded = JSON.parse(await readFile(answersFile(program), "utf8"));
      assert.deepEqual(answers, withDifferences(program, recorded, inAPage));
    });
  }
});
