/** Compiles the wasm, once for all threads. */

/**
 * Fetches and compiles a module.
 *
 * Compiles while it downloads if the server names the wasm type, and afterwards if it does not:
 * any static file server will do.
 */
export async function compile(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`${url.href}: ${response.status} ${response.statusText}`);
  }
  const type = response.headers.get("content-type") ?? "";
  return type.startsWith("application/wasm")
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}
