/**
 * Opens the page of wasm-bindgen's test runner in Firefox, shows what it prints in the end, and
 * exits with its verdict.
 *
 * Started by `cargo xtask test-runner`: node tests/firefox/wasm-tests.mjs URL
 */
import { startFirefox } from "./firefox.mjs";

const ended = [];
const firefox = await startFirefox({ after: (end) => ended.push(end) });
try {
  const tab = await firefox.open(process.argv[2]);
  const output = () => document.querySelector("#output")?.textContent ?? "";
  const finished = () => /test result: \w+/.test(document.querySelector("#output")?.textContent ?? "");
  await tab.until(finished, undefined, 180_000).catch((error) => console.log(error.message));
  const text = await tab.evaluate(output);
  console.log(text);
  if (!/test result: ok/.test(text)) process.exitCode = 1;
} finally {
  for (const end of ended) await end();
}
