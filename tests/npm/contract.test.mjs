// KafkaJS's contract: every program must log what it logs with KafkaJS on Apache Kafka.
//
// Without PARTITA_KAFKA the target is our package (`dist/npm`) with a broker in memory; with it, KafkaJS on that
// address: a real Kafka, to check the recording, or a `partita` port, to check our broker with a foreign client.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import differences from './differences.mjs'
import { answersFile, programs, run, target } from './harness.mjs'

const on = await target()
const names = await programs()

test('differences name programs that exist', () => {
  assert.deepEqual(Object.keys(differences).filter(name => !names.includes(name)), [])
})

// The package is being built up: until its `Kafka` has all clients there is nothing to hold to the contract, and this says so.
const ready = ['producer', 'admin', 'consumer'].every(name => name in (on.kafkajs.Kafka?.prototype ?? {}))
test('the target has all clients of Kafka', { todo: ready ? false : 'the KafkaJS layer' }, () => assert.ok(ready))

for (const program of ready ? names : []) {
  test(`${program} on ${on.name}`, async () => {
    const recorded = JSON.parse(await readFile(answersFile(program), 'utf8'))
    const wanted = process.env.PARTITA_KAFKA ? recorded : withDifferences(program, recorded)
    assert.deepEqual(await run(program, on), wanted)
  })
}

/** The recorded answers with our deliberate differences in their place. */
function withDifferences(program, recorded) {
  const known = Object.entries(differences[program] ?? {})
  for (const [label, { ours, why }] of known) {
    const entry = recorded.find(answer => answer.label === label)
    assert.ok(entry, `${program}: no answer "${label}" to differ from`)
    assert.ok(why, `${program}: "${label}" differs without a reason`)
    assert.notDeepEqual(entry.value, ours, `${program}: "${label}" does not differ`)
  }
  return recorded.map(({ label, value }) => ({ label, value: differences[program]?.[label]?.ours ?? value }))
}
