/**
 * The page's bootstrap: compiles the wasm, starts the broker's worker, then the page itself.
 *
 * Nothing else runs by itself in the wasm; page and worker instantiate the same module.
 */
import * as partita from "partita-playground-wasm";
import { compile } from "../../web/js/compile.js";
import { Supervisor } from "../../web/js/worker/supervisor.js";

async function boot(): Promise<void> {
  const module = await compile(new URL(PARTITA_FILES.wasm, import.meta.url));
  const url = new URL(PARTITA_FILES.worker, import.meta.url);
  partita.initSync({ module });
  let link: partita.PortLink | undefined;
  new Supervisor({
    module,
    host: { name: "playground", clock: true },
    spawn: () => new Worker(url, { type: "module", name: "broker" }),
    onPort: (port) => {
      if (link) link.reset(port);
      else link = new partita.PortLink(port);
    },
    onRefused: showFailure,
  });
  if (link) partita.run_page(link);
}

/** Says what happened, above whatever the page shows. */
function showFailure(error: unknown): void {
  const notice = document.createElement("p");
  notice.setAttribute("role", "alert");
  notice.textContent = `Partita could not start. ${String(error)}`;
  document.body.prepend(notice);
}

boot().catch(showFailure);
