/**
 * What every browser test stands on: a real Chromium, a static server, and ways to end both badly.
 *
 * Everything a helper starts belongs to the test it is given (`t` of node:test) and is ended with
 * it. A page's uncaught errors and logged errors fail its test, unless the test says that it
 * expects some (`site.expectErrors()`), for a test that only looks at the page would miss them.
 *
 *     test("a record survives", async (t) => {
 *       const { url } = await serve(t);
 *       const browser = await startBrowser(t);
 *       const page = await browser.open(url);
 *       …
 *       await browser.kill();            // SIGKILL, this browser's processes only
 *       await browser.start();           // the same profile again
 *     });
 */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, extname, join, normalize, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The playground as it is shipped. */
export const PLAYGROUND = join(ROOT, "dist/playground");

/** The package as it is published. */
export const PACKAGE = join(ROOT, "dist/npm");

/** A wait that takes longer than this has failed, in milliseconds: only what hangs takes as long. */
export const LIMIT = 120_000;

const TESTS = join(ROOT, "tests");
const TESTS_PATH = "/tests/";

/** Nothing that reaches out; no sandbox, for it cannot be had as root. */
export const FLAGS = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];

/** The Chromium to test with: `CHROMIUM`, or the first one that is installed. */
export function executable() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  paths.push("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
  const found = paths.find((path) => existsSync(path));
  if (!found) throw new Error("no Chromium found: install one, or name it in CHROMIUM");
  return found;
}

// A file that hangs is ended with SIGTERM, which playwright takes for a wish to close its browsers: the file, which may
// still listen, would go on for ever.
process.once("SIGTERM", () => process.exit(1));

/** Starts a Chromium with a new profile; `options` are playwright's, `args` are added to ours. */
export async function startBrowser(t, { args = [], ...options } = {}) {
  const profile = await mkdtemp(join(tmpdir(), "partita-profile-"));
  const browser = new TestBrowser(profile, { ...options, args: [...FLAGS, ...args] });
  t.after(() => browser.dispose());
  await browser.start();
  return browser;
}

/** One browser with one profile, which outlives the browser's processes. */
class TestBrowser {
  #profile;
  #options;
  #errors = [];
  #expected;
  /** Processes that stand still: the browser would wait for them when it is closed. */
  #stopped = new Set();

  constructor(profile, options) {
    this.#profile = profile;
    this.#options = options;
  }

  /** Starts the browser on its profile. */
  async start() {
    this.context = await chromium.launchPersistentContext(this.#profile, {
      executablePath: executable(),
      headless: true,
      ...this.#options,
    });
    this.context.setDefaultTimeout(LIMIT);
    this.context.on("weberror", (error) => this.#errors.push(String(error.error())));
    this.context.on("console", (message) => {
      if (message.type() === "error") this.#errors.push(message.text());
    });
  }

  /** Opens a tab. */
  async open(url) {
    const page = await this.context.newPage();
    await page.goto(url);
    return page;
  }

  /** Errors in pages, or those that match, are part of what is tested. */
  expectErrors(like = /(?:)/) {
    this.#expected = like;
  }

  /** What pages have reported so far. */
  get errors() {
    return [...this.#errors];
  }

  /** Closes the browser as its user would; the profile stays. */
  async close() {
    await this.context?.close();
    this.context = undefined;
  }

  /** Closes the browser and starts it again on the same profile. */
  async restart() {
    await this.close();
    await this.start();
  }

  /** Ends the whole browser with SIGKILL; the profile stays as it lies on the disk. */
  async kill() {
    const closed = new Promise((resolve) => this.context.once("close", resolve));
    const processes = await this.#processes();
    // The browser process first: it would notice and tidy up after its children's deaths.
    const order = processes.sort((a, b) => (b.type === "browser") - (a.type === "browser"));
    await killAll(order.map(({ id }) => id));
    await closed;
    this.context = undefined;
  }

  /** Ends every renderer with SIGKILL, and with them all pages and workers; returns how many. */
  async killRenderers() {
    const renderers = (await this.#processes()).filter(({ type }) => type === "renderer");
    const killed = new Set(renderers.map(({ id }) => id));
    await killAll([...killed]);
    // Until the browser has noticed it would still give the dead, spare ones to new pages.
    while ((await this.#processes()).some(({ id }) => killed.has(id))) await sleep(5);
    return killed.size;
  }

  /** Crashes the renderer of one tab. */
  async crash(page) {
    const crashed = new Promise((resolve) => page.once("crash", resolve));
    const session = await this.context.newCDPSession(page);
    // It never answers: what would answer is what it ends.
    session.send("Page.crash").catch(() => {});
    await crashed;
  }

  /** The process in which that tab runs: the one that works, far more than others, while the tab is made to. */
  async rendererOf(page) {
    const renderers = async () => (await this.#processes()).filter(({ type }) => type === "renderer");
    const before = new Map((await renderers()).map(({ id, cpuTime }) => [id, cpuTime]));
    for (;;) {
      await page.evaluate(() => {
        const begun = performance.now();
        while (performance.now() - begun < 300);
      });
      const worked = (await renderers()).map(({ id, cpuTime }) => [cpuTime - (before.get(id) ?? 0), id]);
      const [[most, busiest], [next] = [0]] = worked.sort(([a], [b]) => b - a);
      // In seconds. On a busy machine the tab gets little of a turn, and others still end what they began.
      if (most > 0.2 && most > 3 * next) return busiest;
    }
  }

  /** Sends a signal to a process of this browser. */
  signal(id, signal) {
    process.kill(id, signal);
    if (signal === "SIGSTOP") this.#stopped.add(id);
    else this.#stopped.delete(id);
  }

  async #processes() {
    const session = await this.context.browser().newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    return processInfo;
  }

  async dispose() {
    for (const id of this.#stopped) process.kill(id, "SIGCONT");
    await this.close();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
    const unexpected = this.#errors.filter((error) => !this.#expected?.test(error));
    if (unexpected.length > 0) {
      throw new Error(`errors in the page:\n${unexpected.join("\n")}`);
    }
  }
}

/** Ends processes that belong to a browser of ours, and waits until they are gone. */
async function killAll(pids) {
  const send = (pid, signal) => {
    try {
      return process.kill(pid, signal);
    } catch (error) {
      if (error.code === "ESRCH") return false;
      throw error;
    }
  };
  for (const pid of pids) send(pid, "SIGKILL");
  for (const pid of pids) {
    while (send(pid, 0) && !(await isZombie(pid))) await sleep(5);
  }
}

/** Whether a process has ended and only waits for its parent to notice (Linux). */
async function isZombie(pid) {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return / Z /.test(status.slice(status.lastIndexOf(")")));
}

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".wasm": "application/wasm",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

/**
 * Serves a folder on a free loopback port, below `path`; returns `{ url, close }`.
 *
 * `types` and `headers` change what a server says about a file; `port` asks for a certain port,
 * for an origin that must come back; `files` are texts by their names, beside those of the folder.
 * The tests' own files are below `/tests/`, for pages that import them.
 */
export async function serve(t, options = {}) {
  const { folder = PLAYGROUND, path = "/", types = {}, headers = {}, port = 0, files = {} } = options;
  if (!existsSync(folder)) throw new Error(`${folder} does not exist: cargo xtask dist`);
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const [at, root] = pathname.startsWith(TESTS_PATH) ? [TESTS_PATH, TESTS] : [path, folder];
    const inside = normalize(decodeURIComponent(pathname.slice(at.length - 1)));
    let file = join(root, inside);
    if (!pathname.startsWith(at) || !file.startsWith(root.replace(/[\\/]$/, "") + sep)) {
      return response.writeHead(404).end();
    }
    if ((await stat(file).catch(() => undefined))?.isDirectory()) file = join(file, "index.html");
    const body = files[inside.slice(1)] ?? (await readFile(file).catch(() => undefined));
    if (body === undefined) return response.writeHead(404).end();
    const type = { ...TYPES, ...types }[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "cache-control": "no-cache", ...headers });
    response.end(body);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  t.after(close);
  return { url: `http://127.0.0.1:${server.address().port}${path}`, close };
}
