/** The package where there is a browser or a bundler: the wasm lies beside this file. */
import { compile } from "../compile.js";

/** Compiles the package's wasm; every thread instantiates this one module. */
export function loadModule(): Promise<WebAssembly.Module> {
  return compile(new URL("./partita.wasm", import.meta.url));
}
