/**
 * The page's bootstrap: compiles the wasm, starts the broker's worker, then the page itself, and
 * leaves `window.partita` for whoever opens the console.
 *
 * Nothing else runs by itself in the wasm; page and worker instantiate the same module.
 */
import * as partita from "partita-playground-wasm";
import { compile } from "../../web/js/compile.js";
import { Supervisor } from "../../web/js/worker/supervisor.js";
import { PageBroker } from "./page/broker.js";
import { createPageKafka } from "./page/kafka.js";
import type { PageKafka } from "./page/kafka.js";
import { download, showNotice } from "./page/notice.js";
import { Traps } from "./page/trap.js";

declare global {
  interface Window {
    /** A `Kafka` in KafkaJS's shape, connected to the page's broker. */
    partita?: PageKafka;
    /** Traps on purpose, in the broker's worker or in the page: for tests. */
    partitaTrap?: (where: "broker" | "page") => void;
  }
}

const NAME = "playground";

/** The colours that were chosen, else those of the system. */
function dress(): void {
  const light = matchMedia("(prefers-color-scheme: light)").matches;
  let theme: string | null = null;
  try {
    theme = localStorage.getItem("partita.theme");
  } catch {
    // A page without storage of its own follows the system.
  }
  document.documentElement.dataset.theme = theme ?? (light ? "light" : "dark");
}

async function boot(): Promise<void> {
  dress();
  const module = await compile(new URL(PARTITA_FILES.wasm, import.meta.url));
  const url = new URL(PARTITA_FILES.worker, import.meta.url);
  partita.initSync({ module });
  const traps = new Traps();
  const broker = new PageBroker(NAME);
  let link: partita.PortLink | undefined;
  let trapped = false;
  new Supervisor({
    module,
    host: { name: NAME, clock: true },
    spawn: () => new Worker(url, { type: "module", name: "broker" }),
    onPort: (port) => {
      broker.follow(port);
      if (trapped) return;
      if (link) link.reset(port);
      else link = new partita.PortLink(port);
    },
    onRefused: showFailure,
  });
  traps.onTrap((error) => {
    trapped = true;
    delete window.partita;
    showTrap(error, broker);
  });
  if (!link) return;
  window.partita = createPageKafka(broker, { ready: () => Promise.resolve(), ...traps });
  const ours = link;
  const trap = (where: "broker" | "page"): void =>
    where === "broker" ? ours.say({ type: "trap" }) : void setTimeout(partita.trap);
  Object.defineProperty(window, "partitaTrap", { value: trap });
  const exported = (): void => {
    broker.export().then(
      (file) => download(file, `${NAME}.tar`),
      (error: unknown) => showNotice({ title: "The data could not be exported.", text: String(error) }),
    );
  };
  partita.run_page(link, exported);
}

/** The page is gone: its clients vanish as a crashed program's do. The broker is as it was. */
function showTrap(error: Error, broker: PageBroker): void {
  broker.abandon();
  // Its elements would call the wasm.
  document.getElementById("app")?.remove();
  showNotice({
    title: "The page has stopped after an internal error.",
    text:
      "The broker lives on in its worker. Acknowledged records and committed offsets are safe in " +
      "this browser. The page's producers and consumers have stopped; load the page again to go on.",
    details: error.stack ?? String(error),
    actions: [
      { label: "Load the page again", act: () => location.reload() },
      {
        label: "Download the data",
        act: async () => download(await broker.export(), `${NAME}.tar`),
      },
    ],
  });
}

/** Says what happened, above whatever the page shows. */
function showFailure(error: unknown): void {
  showNotice({ title: "Partita could not start.", text: String(error) });
}

boot().catch(showFailure);
