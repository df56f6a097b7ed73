/** This thread's wasm: instantiated once, from the package's own file or from what is given. */

/** A compiled module, or the bytes of the package's `partita.wasm`. */
export type WasmSource = WebAssembly.Module | BufferSource;

interface Glue {
  initSync(init: { module: WebAssembly.Module }): unknown;
}

export class Wasm {
  #glue: Glue;
  #compile: () => Promise<WebAssembly.Module>;
  #module: Promise<WebAssembly.Module> | undefined;
  #ready: Promise<void> | undefined;

  /** `compile` is the way to the package's own file. */
  constructor(glue: Glue, compile: () => Promise<WebAssembly.Module>) {
    this.#glue = glue;
    this.#compile = compile;
  }

  /** The compiled module, for other threads. */
  module(): Promise<WebAssembly.Module> {
    this.#module ??= this.#compile();
    return this.#module;
  }

  /** Instantiates it here, if that was not done; from `source`, if that is given. */
  ready(source?: WasmSource): Promise<void> {
    if (source && !this.#module) {
      const compiled = source instanceof WebAssembly.Module;
      this.#module = compiled ? Promise.resolve(source) : WebAssembly.compile(source);
    }
    this.#ready ??= this.module().then((module) => void this.#glue.initSync({ module }));
    return this.#ready;
  }
}
