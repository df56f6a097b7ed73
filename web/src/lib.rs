//! The wasm host: IndexedDB, workers, tabs, Node.
