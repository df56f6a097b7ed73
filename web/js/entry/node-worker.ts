/** The thread of a broker in Node, as a plain file beside the package's others. */
import * as partita from "partita-wasm";
import { runThread } from "../broker/node/thread.js";

runThread(partita);
