/** The worker that hosts a broker, as a plain file: for a page whose policy forbids blob workers. */
import * as partita from "partita-wasm";
import { runShell } from "../worker/shell.js";

runShell(partita);
