/**
 * The pages that tests open: the playground, and a page of a program's author on the package.
 *
 * In both, `await inPage()` gives in-page.mjs.
 */
import { LIMIT, PACKAGE, serve, startBrowser } from "./harness.mjs";

/** Gives a page `inPage()`. */
export const inPageScript = 'globalThis.inPage = () => import("/tests/browser/in-page.mjs");';

/** As somebody writes it who uses the package: plain files, no bundler. */
export const PROGRAM = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>A program</title><link rel="icon" href="data:," /></head>
  <body>
    <script type="module">
      import * as partita from "./index.js";
      Object.assign(window, partita, { loaded: true });
    </script>
  </body>
</html>`;

/** A page of the same origin that does nothing. */
const BLANK = '<!doctype html><link rel="icon" href="data:," />';

/** A host that the browser takes for another machine. */
const ELSEWHERE = "play.test";

/** Starts a server and a browser. `elsewhere`: the server is another machine's, by plain http. */
async function start(t, { elsewhere = false, ...options }) {
  const { url } = await serve(t, options);
  if (!elsewhere) return { url, browser: await startBrowser(t) };
  const browser = await startBrowser(t, {
    args: [`--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`],
  });
  return { url: url.replace("127.0.0.1", ELSEWHERE), browser };
}

/**
 * Starts a browser and opens the playground in it. `options` are those of `serve` and `start`;
 * `before(page, browser)` gets a page of the same origin first, which stays open beside the
 * playground.
 */
export async function openPlayground(t, { before, ...options } = {}) {
  const { url, browser } = await start(t, { files: { "blank.html": BLANK }, ...options });
  if (before) await before(await browser.open(`${url}blank.html`), browser);
  const open = async () => {
    const page = await browser.context.newPage();
    await page.addInitScript(inPageScript);
    await page.goto(url);
    return page;
  };
  const page = await open();
  await running(page);
  return { browser, page, url, open };
}

/** Starts a browser and opens a page on the package, with `Kafka`, `Broker` and all else in it. */
export async function openProgram(t, options = {}) {
  const files = { "program.html": PROGRAM };
  const { url, browser } = await start(t, { folder: PACKAGE, files, ...options });
  const open = async () => {
    const page = await browser.context.newPage();
    await page.addInitScript(inPageScript);
    await page.goto(`${url}program.html`);
    await page.waitForFunction(() => window.loaded);
    return page;
  };
  return { browser, page: await open(), url, open };
}

/** Waits until the page says that its broker is in that state. */
export const state = (page, word) => page.locator(`[data-broker=${word}]`).waitFor();

/** Waits until the page's broker serves. */
export const running = (page) => state(page, "running");

/** Reads until it gets what is wanted; fails with what was there instead. */
export async function eventually(read, wanted, { limit = LIMIT } = {}) {
  const deadline = Date.now() + limit;
  for (;;) {
    const value = await read();
    if (wanted(value)) return value;
    if (Date.now() > deadline) {
      throw new Error(`not in time: ${wanted}\nlast seen: ${JSON.stringify(value)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
