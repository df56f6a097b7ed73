/** The thread of a broker in Node: the shell of its host, and the sockets of its clients. */
import { parentPort } from "node:worker_threads";
import type { HostExports, Thread } from "../../worker/shell.js";
import { runShell } from "../../worker/shell.js";
import { Listeners } from "./listener.js";
import type { FromThread, Request, ToThread } from "./messages.js";
import { LocalPort } from "./port.js";

/** Runs a host with that glue, in a thread that `NodeWorker` has started. */
export function runThread(glue: HostExports): void {
  const parent = parentPort;
  if (!parent) throw new Error("this file is the thread of a broker: it is started by Broker.open");
  const say = (message: FromThread): void => parent.postMessage(message);
  const port = new LocalPort((message) => listeners.heard(message));
  const listeners = new Listeners((message) => port.say(message));
  const thread: Thread = {
    onStart(listener) {
      parent.on("message", (message: ToThread) => {
        if (message.type === "listen" || message.type === "unlisten") serve(message);
        else listener(message);
      });
    },
    onUncaught(listener) {
      // What escapes is a defect. It ends the thread, as a page's worker would end.
      const uncaught = (error: unknown): void => {
        listener(error);
        throw error;
      };
      process.on("uncaughtException", uncaught);
      process.on("unhandledRejection", uncaught);
    },
    say,
    close: () => process.exit(),
  };

  function serve(request: Request): void {
    const { id } = request;
    if (request.type === "unlisten") {
      listeners.unlisten();
      say({ type: "answer", id });
      return;
    }
    listeners.listen(request.options).then(
      (address) => say({ type: "answer", id, address }),
      ({ message, code }: NodeJS.ErrnoException) =>
        say({ type: "answer", id, error: { message, code } }),
    );
  }

  // Sockets are served from within this thread; the process's own port is one more.
  const run: HostExports["run_broker"] = (parentsPort, options, trapped) => {
    glue.run_broker(port as unknown as MessagePort, options, trapped);
    // The broker has checked it.
    const largest = options.config?.["socket.request.max.bytes"];
    if (largest !== undefined) listeners.maxRequestBytes = Number(largest);
    port.say({ type: "attach", port: parentsPort });
  };
  runShell({ ...glue, run_broker: run }, thread);
}
