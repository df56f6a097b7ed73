/** The names that the build gave its files, beside the bundle that reads them. */
declare const PARTITA_FILES: { wasm: string; worker: string };
