/**
 * The simulation and the mutated frames as wasm: each seed must give the digest that it gives
 * natively, or a width of usize, a float or the order of a map decides something.
 * `wasm.mjs NATIVE WASM SIMULATED MUTATED`: the program `tests/src/bin/sim.rs`, the wasm of
 * `partita-tests`, and two ranges of seeds as that program takes them.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const [native, wasm, simulated, mutated] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(wasm), {});

function compare(what, run, args) {
  const lines = execFileSync(native, args, { encoding: "utf8" }).trim().split("\n");
  for (const line of lines) {
    const [seed, expected] = line.split(" ");
    let digest;
    try {
      digest = BigInt.asUintN(64, run(BigInt(seed)));
    } catch (error) {
      throw new Error(`${what}, seed ${seed}: fails as wasm and not natively`, { cause: error });
    }
    if (digest !== BigInt(`0x${expected}`)) {
      const own = digest.toString(16);
      throw new Error(`${what}, seed ${seed}: natively ${expected}, as wasm ${own}`);
    }
  }
  console.log(`${what}: ${lines.length} seeds give the same natively and as wasm`);
}

compare("simulation", instance.exports.simulate, [simulated]);
compare("mutated frames", instance.exports.mutated, ["--frames", mutated]);
