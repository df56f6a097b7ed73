/**
 * The package `buffer` as one file for a page, as bundlers give it to programs that name `Buffer`: it
 * makes it global.
 */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The file's text. */
export async function buffer() {
  const contents = 'import { Buffer } from "buffer"; globalThis.Buffer = Buffer;';
  const stdin = { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) };
  // Programs look at the name, which bundling else changes.
  const options = { bundle: true, format: "esm", keepNames: true, write: false };
  const { outputFiles } = await build({ stdin, ...options });
  return outputFiles[0].text;
}
