// Records what the cluster at PARTITA_KAFKA answers: `PARTITA_KAFKA=HOST:PORT node record.mjs [PROGRAM…]`.
//
// Each program runs three times (`RUNS=N`), and is written only when all runs agree: an answer that changes from run
// to run would be a test that sometimes fails. Record against Apache Kafka 4.3.1 with its built-in defaults and
// `group.initial.rebalance.delay.ms=0` (the value in Kafka's own server.properties, and our default).

import { writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { answersFile, programs, run, targets } from './harness.mjs'

if (!process.env.PARTITA_KAFKA) throw new Error('set PARTITA_KAFKA=HOST:PORT')
const runs = Number(process.env.RUNS ?? 3)
const wanted = process.argv.slice(2)
const [on] = await targets()
let failed = 0
for (const program of wanted.length > 0 ? wanted : await programs()) {
  const began = Date.now()
  try {
    const answers = await run(program, on)
    for (let i = 1; i < runs; i += 1) {
      const again = await run(program, on)
      if (isDeepStrictEqual(again, answers)) continue
      const index = again.findIndex((entry, at) => !isDeepStrictEqual(entry, answers[at]))
      const [a, b] = [answers[index], again[index]].map(entry => JSON.stringify(entry))
      throw new Error(`answers vary from run to run:\n  ${a}\n  ${b}`)
    }
    await writeFile(answersFile(program), `[\n${answers.map(answer => `  ${JSON.stringify(answer)}`).join(',\n')}\n]\n`)
    console.log(`${program}: ${answers.length} answers, ${Math.round((Date.now() - began) / runs)} ms a run`)
  } catch (error) {
    failed += 1
    console.error(`${program}: ${error.stack}`)
  }
}
process.exit(failed > 0 ? 1 : 0)
