/** The worker that hosts a broker, as a plain file: for a page whose policy forbids blob workers. */
import * as partita from "partita-wasm";
import { serveBroker } from "../broker-worker.js";

serveBroker(partita);
