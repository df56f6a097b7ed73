// KafkaJS's contract: every program must log what it logs with KafkaJS on Apache Kafka.
//
// By default our package (`dist/npm`) runs them with a broker in memory, once through the `Broker` and once through its
// port. With PARTITA_BROKERS=HOST:PORT our package runs them on that cluster; with PARTITA_KAFKA=HOST:PORT KafkaJS does:
// on a real Kafka, to check the recording, or on a `partita` port, to check our broker with a foreign client.
// PROGRAMS=NAME,… runs those whose names begin so.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import differences, { withDifferences } from './differences.mjs'
import { answersFile, programs, run, targets } from './harness.mjs'

const names = await programs()
const wanted = (process.env.PROGRAMS ?? '').split(',')

test('differences name programs that exist', () => {
  assert.deepEqual(Object.keys(differences).filter(name => !names.includes(name)), [])
})

for (const on of await targets()) {
  for (const program of names.filter(name => wanted.some(start => name.startsWith(start)))) {
    test(`${program} on ${on.name}`, async () => {
      const recorded = JSON.parse(await readFile(answersFile(program), 'utf8'))
      const answers = process.env.PARTITA_KAFKA ? recorded : withDifferences(program, recorded)
      assert.deepEqual(await run(program, on), answers)
    })
  }
}
