/**
 * Opens the page of wasm-bindgen's test runner, shows what it prints, and exits with its verdict.
 *
 * Started by `cargo xtask test-runner`: node tests/browser/wasm-tests.mjs URL
 */
import { chromium } from "playwright-core";
import { setTimeout as sleep } from "node:timers/promises";
import { executable, FLAGS } from "./harness.mjs";

/** A page that has said nothing for so long has hung. */
const SILENCE_MS = 120_000;

const browser = await chromium.launch({ executablePath: executable(), args: FLAGS });
try {
  const page = await browser.newPage();
  const log = [];
  page.on("console", (message) => log.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => log.push(`uncaught: ${error.stack ?? error}`));
  page.on("crash", () => log.push("the page crashed"));
  await page.goto(process.argv[2]);

  let shown = "";
  let heard = Date.now();
  const verdict = /test result: (\w+)/;
  while (!verdict.test(shown) && Date.now() - heard < SILENCE_MS) {
    const text = await page.locator("#output").textContent();
    if (text !== shown) {
      process.stdout.write(text.startsWith(shown) ? text.slice(shown.length) : `\n${text}`);
      shown = text;
      heard = Date.now();
    }
    await sleep(50);
  }
  if (verdict.exec(shown)?.[1] !== "ok") {
    console.log(verdict.test(shown) ? "" : `\nno verdict within ${SILENCE_MS / 1000} s of silence`);
    console.log(`console of the page:\n${log.join("\n")}`);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
}
