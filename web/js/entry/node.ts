/** The package in Node: the wasm is read from the file beside this one. */
import { readFile } from "node:fs/promises";

/** Compiles the package's wasm; every thread instantiates this one module. */
export async function loadModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL("./partita.wasm", import.meta.url)));
}
