/**
 * The simulation as wasm: each seed must give the digest that it gives natively, or a width of
 * usize, a float or the order of a map decides something. `wasm.mjs NATIVE WASM SEEDS`: the program
 * `tests/src/bin/sim.rs`, the wasm of `partita-tests`, and a range as that program takes it.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const [native, wasm, seeds] = process.argv.slice(2);
const lines = execFileSync(native, [seeds], { encoding: "utf8" }).trim().split("\n");
const { instance } = await WebAssembly.instantiate(readFileSync(wasm), {});
for (const line of lines) {
  const [seed, expected] = line.split(" ");
  let digest;
  try {
    digest = BigInt.asUintN(64, instance.exports.simulate(BigInt(seed)));
  } catch (error) {
    throw new Error(`seed ${seed} fails as wasm and not natively`, { cause: error });
  }
  if (digest !== BigInt(`0x${expected}`)) {
    throw new Error(`seed ${seed}: natively ${expected}, as wasm ${digest.toString(16)}`);
  }
}
console.log(`${lines.length} seeds give the same steps natively and as wasm`);
