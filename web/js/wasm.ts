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
    this.#module ??= this.#compile().catch((error: unknown) => {
      // The next call may find it.
      this.#module = undefined;
      throw error;
    });
    return this.#module;
  }

  /**
   * Instantiates it here, if that was not done; from `source`, if that is given. Rejects if it was
   * compiled from elsewhere before.
   */
  ready(source?: WasmSource): Promise<void> {
    if (source) {
      if (this.#module) return Promise.reject(new Error("The wasm has been loaded before"));
      const compiled = source instanceof WebAssembly.Module;
      this.#module = compiled ? Promise.resolve(source) : WebAssembly.compile(source);
    }
    this.#ready ??= this.module().then(
      (module) => void this.#glue.initSync({ module }),
      (error: unknown) => {
        this.#ready = undefined;
        this.#module = undefined;
        throw error;
      },
    );
    return this.#ready;
  }
}
