// kcat, which is librdkafka, on the port: every codec, byte for byte, and what all clients must be able to do.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { storedBatches } from './wire.mjs'
import { Program, find, missing, partita } from './harness.mjs'
import { workflow } from './workflow.mjs'

const kcat = await find('kcat')
const skip = missing(kcat, 'kcat')

/** Records whose bytes are of every kind, with one that is larger than a socket's buffer. */
const payload = () => {
  const records = Array.from({ length: 300 }, (_, index) => Buffer.alloc(index, `${index} `))
  records.push(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter(byte => byte !== 0x0a)))
  records.push(Buffer.alloc(600_000, 'what can be compressed '))
  return Buffer.concat(records.filter(record => record.length > 0).flatMap(record => [record, Buffer.from('\n')]))
}

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`kcat produces and consumes ${codec}, byte for byte`, { skip }, async t => {
    const { address } = await partita(t, '--topic', 'bytes:1')
    const sent = payload()
    const producer = new Program(kcat, ['-P', '-b', address, '-t', 'bytes', '-z', codec, '-X', 'linger.ms=100'])
    producer.finish(sent)
    await producer.done()
    // A client that finds a broker too old for its codec leaves it out without a word. So it does where the codec would
    // make a batch larger: on a busy machine a few small records are one.
    const stored = await storedBatches(address, 'bytes')
    assert.ok(stored.some(batch => batch.codec === codec))
    assert.deepEqual(stored.filter(batch => batch.codec !== codec && (batch.codec !== 'none' || batch.bytes > 1000)), [])
    const consume = ['-C', '-b', address, '-t', 'bytes', '-p', '0', '-o', 'beginning', '-e', '-q']
    const { stdout } = await promisify(execFile)(kcat, consume, { encoding: 'buffer', maxBuffer: 1 << 30 })
    assert.ok(sent.equals(stdout), `${stdout.length} bytes came back for ${sent.length}`)
  })
}

test('kcat produces, shares, takes over, commits, resumes, finds by time', { skip }, t => {
  const format = '{"event":"record","partition":%p,"offset":%o,"key":"%k","value":"%s"}\\n'
  const settings = [
    'session.timeout.ms=6000', 'heartbeat.interval.ms=500', 'auto.commit.interval.ms=200', 'auto.offset.reset=earliest',
  ].flatMap(setting => ['-X', setting])
  return workflow(t, {
    produce: (address, topic) => [kcat, ['-P', '-b', address, '-t', topic, '-K', '=']],
    input: numbers => numbers.map(number => `key-${number}=value-${number}\n`).join(''),
    member: (address, topic, group) => [kcat, ['-b', address, '-u', ...settings, '-f', format, '-G', group, topic]],
    leave: 'SIGINT',
    since: (address, topic, then) => [kcat, ['-C', '-b', address, '-t', topic, '-o', `s@${then}`, '-e', '-u', '-f', format]],
    // Which partitions it has got, it says on stderr.
    events: ({ lines, errors }) => [
      ...lines.map(line => JSON.parse(line)),
      ...[...errors.matchAll(/rebalanced .*: assigned: (.*)\n/g)].map(([, list]) => ({
        event: 'assigned',
        partitions: [...list.matchAll(/\[(\d+)\]/g)].map(([, partition]) => Number(partition)),
      })),
    ],
  })
})
