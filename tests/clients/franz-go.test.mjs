// franz-go's own tests, against the port: all of them pass but what is listed here, each with its reason.
//
// They come with the module, whose hash Go checks. They run where there is Go; nothing else needs it.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Program, find, partita } from './harness.mjs'

const MODULE = 'github.com/twmb/franz-go@v1.22.2'
const PACKAGE = './pkg/kgo'

/** What is not run, by name: it would only fail, slowly. */
const EXCLUDED = {
  TestTxnEtl: 'transactions are not there yet',
}

const SHARE = 'share groups are not served: the broker does not say that it has them'
const KIP_848 = "the group protocol of KIP-848 is not served: the broker does not say that it has it"
const SCRAM = 'SASL: there is no authentication yet, and these ask for an address that has it'

/** What skips itself, on seeing what the broker serves. */
const SKIPPED = {
  TestShareGroup: SHARE,
  TestShareGroupAckOnClose: SHARE,
  TestShareGroupETL: SHARE,
  TestShareGroupOffsetsAdmin: SHARE,
  TestConsumeRegexShareSkipsInternal: SHARE,
  Test848RegexBrokerResolves: KIP_848,
  'TestGroupETL/range/848': KIP_848,
  'TestGroupETL/sticky/848': KIP_848,
  'TestGroupETL/sticky/848/static': KIP_848,
  'TestGroupSimple/848': KIP_848,
  TestSCRAMAuth: SCRAM,
  TestSCRAMAuthBadCredentials: SCRAM,
  TestIssueProduceBrokerTooOldFailsRecords: 'for brokers that do not advertise old versions of Produce; Apache Kafka does, as ours',
}

/** As many pass, or more: a run that finds no tests is none. */
const AT_LEAST = 142

const go = await find('go')
const skip = go ? false : 'go is not on the PATH'

test("franz-go's tests pass", { skip }, async t => {
  const { stdout } = await promisify(execFile)(go, ['mod', 'download', '-json', MODULE])
  const folder = JSON.parse(stdout).Dir
  const { address } = await partita(t)
  const env = { KGO_SEEDS: address, KGO_TEST_RF: '1', KGO_TEST_RECORDS: '10000' }
  const leaveOut = `^(${Object.keys(EXCLUDED).join('|')})$`
  const args = ['-C', folder, 'test', PACKAGE, '-json', '-count=1', '-timeout=9m', `-skip=${leaveOut}`]
  const program = new Program(go, args, { input: 'ignore', env })
  t.after(() => program.kill())
  await program.ended

  const events = program.lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line))
  const named = action => events.filter(({ Action, Test }) => Action === action && Test).map(({ Test }) => Test)
  const output = name => events.filter(({ Test }) => Test === name).map(({ Output }) => Output ?? '').join('')
  const failed = named('fail')
  assert.deepEqual(failed, [], `${program.errors}\n${failed.map(output).join('\n')}`)
  assert.deepEqual(named('skip').sort(), Object.keys(SKIPPED).sort())
  const passed = named('pass').filter(name => !name.includes('/'))
  t.diagnostic(`${passed.length} pass, ${Object.keys(SKIPPED).length} skip, ${Object.keys(EXCLUDED).length} left out`)
  assert.ok(passed.length >= AT_LEAST, `${passed.length} pass`)
  assert.equal(program.code, 0, program.errors)
})
