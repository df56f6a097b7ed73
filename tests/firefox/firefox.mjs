/**
 * A Firefox that is told what to do through WebDriver BiDi, which it speaks by itself: no driver is
 * installed for it. Only what the tests here need.
 *
 *     const firefox = await startFirefox(t);
 *     const tab = await firefox.open(url);
 *     await tab.evaluate((name) => document.title + name, "…");
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { LIMIT } from "../browser/harness.mjs";

/** Nothing that reaches out, and no questions. */
const PREFERENCES = {
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "dom.storageManager.prompt.testing": true,
  "dom.storageManager.prompt.testing.allow": true,
  "extensions.getAddons.cache.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,",
  "toolkit.telemetry.enabled": false,
};

/** The Firefox to test with: `FIREFOX`, or the first one that is installed; undefined if none is. */
export function executable() {
  if (process.env.FIREFOX) return process.env.FIREFOX;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const names = ["firefox", "firefox-esr"];
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  paths.push("/Applications/Firefox.app/Contents/MacOS/firefox");
  return paths.find((path) => existsSync(path));
}

/** Starts a Firefox with a new profile, which ends with the test. */
export async function startFirefox(t) {
  const profile = await mkdtemp(join(tmpdir(), "partita-firefox-"));
  const lines = Object.entries(PREFERENCES).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  );
  await writeFile(join(profile, "user.js"), lines.join("\n"));
  const firefox = new Firefox(profile);
  t.after(async () => {
    await firefox.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  await firefox.start();
  return firefox;
}

class Firefox {
  #profile;
  #process;
  #socket;
  #next = 0;
  #pending = new Map();

  constructor(profile) {
    this.#profile = profile;
  }

  /** Starts it on its profile. */
  async start() {
    const options = ["--headless", "--remote-debugging-port=0", "--profile", this.#profile];
    this.#process = spawn(executable(), options, { stdio: ["ignore", "ignore", "pipe"] });
    const firefox = this.#process;
    process.once("exit", () => firefox.kill("SIGKILL"));
    const address = await this.#address();
    this.#socket = new WebSocket(`${address}/session`);
    this.#socket.onmessage = ({ data }) => this.#heard(JSON.parse(data));
    await new Promise((resolve, reject) => {
      this.#socket.onopen = resolve;
      this.#socket.onerror = reject;
    });
    await this.send("session.new", { capabilities: {} });
  }

  /** Where it says that it listens. */
  #address() {
    return new Promise((resolve, reject) => {
      let said = "";
      this.#process.stderr.on("data", (data) => {
        said += data;
        const found = /WebDriver BiDi listening on (ws:\S+)/.exec(said);
        if (found) resolve(found[1]);
      });
      this.#process.once("exit", (code) => reject(new Error(`Firefox ended (${code}):\n${said}`)));
    });
  }

  #heard({ type, id, result, error, message }) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    if (type === "success") pending.resolve(result);
    else pending.reject(new Error(`${error}: ${message}`));
  }

  /** One command of WebDriver BiDi; resolves to its result. */
  send(method, params) {
    return new Promise((resolve, reject) => {
      this.#pending.set(++this.#next, { resolve, reject });
      this.#socket.send(JSON.stringify({ id: this.#next, method, params }));
    });
  }

  /** Opens a tab. */
  async open(url) {
    const { context } = await this.send("browsingContext.create", { type: "tab" });
    await this.send("browsingContext.navigate", { context, url, wait: "complete" });
    return new Tab(this, context);
  }

  /** Ends it at once, as a crash does; the profile stays. */
  async kill() {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#socket?.close();
    if (this.#process.kill("SIGKILL")) await ended;
    this.#process = undefined;
  }

  async close() {
    if (this.#process) await this.kill();
  }
}

class Tab {
  #firefox;
  #context;

  constructor(firefox, context) {
    this.#firefox = firefox;
    this.#context = context;
  }

  async reload() {
    await this.#firefox.send("browsingContext.reload", { context: this.#context, wait: "complete" });
  }

  async close() {
    await this.#firefox.send("browsingContext.close", { context: this.#context });
  }

  /** Runs a function in the page; the argument and what it resolves to are plain values. */
  async evaluate(act, argument = null) {
    const { type, result, exceptionDetails } = await this.#firefox.send("script.callFunction", {
      functionDeclaration: `async (given) => JSON.stringify(await (${act})(JSON.parse(given)))`,
      arguments: [{ type: "string", value: JSON.stringify(argument) }],
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (type !== "success") throw new Error(exceptionDetails.text);
    return result.value === undefined ? undefined : JSON.parse(result.value);
  }

  /** Waits until a function of the page gives something true; resolves to it. */
  async until(act, argument, limit = LIMIT) {
    const deadline = Date.now() + limit;
    for (;;) {
      const value = await this.evaluate(act, argument);
      if (value) return value;
      if (Date.now() > deadline) throw new Error(`not in time: ${act}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
