/** The worker that hosts the playground's broker. */
import * as partita from "partita-playground-wasm";
import { serveBroker } from "../../web/js/broker-worker.js";

serveBroker(partita);
