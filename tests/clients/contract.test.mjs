// KafkaJS on the port behaves as on Apache Kafka: the contract's programs (`tests/npm`), with Kafka's recorded answers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Program, partita } from './harness.mjs'

test("KafkaJS gets Apache Kafka's answers to all programs of the contract", async t => {
  const { address } = await partita(t)
  // Without the mark of the runner that runs this file, or it would run nothing.
  const env = { PARTITA_KAFKA: address, NODE_TEST_CONTEXT: undefined }
  const args = ['--test', '--test-reporter=spec', 'tests/npm/contract.test.mjs']
  const program = new Program(process.execPath, args, { input: 'ignore', env })
  t.after(() => program.kill())
  await program.ended
  assert.equal(program.code, 0, program.lines.join('\n'))
  const passed = program.lines.find(line => /^ℹ pass \d+$/.test(line)) ?? ''
  t.diagnostic(passed)
  assert.ok(Number(passed.split(' ').at(-1)) > 60, program.lines.join('\n'))
})
