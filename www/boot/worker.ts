/** The worker that hosts the playground's broker. */
import * as partita from "partita-playground-wasm";
import { runShell } from "../../web/js/worker/shell.js";

runShell(partita);
