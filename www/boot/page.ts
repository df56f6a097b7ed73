/**
 * The page's bootstrap: compiles the wasm, starts the broker's worker, then the page itself.
 *
 * Nothing else runs by itself in the wasm; page and worker instantiate the same module.
 */
import * as partita from "partita-playground-wasm";
import { startBroker } from "../../web/js/broker-worker.js";
import { compile } from "../../web/js/compile.js";

async function boot(): Promise<void> {
  const module = await compile(new URL(PARTITA_FILES.wasm, import.meta.url));
  const url = new URL(PARTITA_FILES.worker, import.meta.url);
  const worker = new Worker(url, { type: "module", name: "broker" });
  const port = startBroker(worker, module, { name: "playground" }, showFailure);
  partita.initSync({ module });
  partita.run_page(port);
}

/** Says what happened, above whatever the page shows. */
function showFailure(error: unknown): void {
  const notice = document.createElement("p");
  notice.setAttribute("role", "alert");
  notice.textContent = `Partita could not start. ${String(error)}`;
  document.body.prepend(notice);
}

boot().catch(showFailure);
