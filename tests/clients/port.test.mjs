// The port itself: many connections, those that do not read, those that send more than the broker takes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { partita } from './harness.mjs'
import { Connection, apiVersions, batches, fetch } from './wire.mjs'

const MIB = 1 << 20

/** Writes records of that size, one by one. */
const produce = async (address, topic, count, bytes) => {
  const producer = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  const messages = [{ value: Buffer.alloc(bytes, 'record ') }]
  for (let index = 0; index < count; index += 1) await producer.send({ topic, messages })
  await producer.disconnect()
}

test('300 connections at once are served, each in order', async t => {
  const { address } = await partita(t)
  const connections = await Promise.all(Array.from({ length: 300 }, () => Connection.open(address)))
  t.after(() => connections.forEach(connection => connection.close()))
  for (const connection of connections) connection.send(apiVersions(1), apiVersions(2), apiVersions(3))
  const answers = connections.map(async connection => {
    const ids = []
    for (let count = 0; count < 3; count += 1) ids.push((await connection.receive()).readInt32BE(0))
    return ids
  })
  for (const ids of await Promise.all(answers)) assert.deepEqual(ids, [1, 2, 3])
})

test('a client that does not read holds up nobody but itself, and gets everything once it reads', async t => {
  const { address } = await partita(t, '--topic', 'large:1')
  await produce(address, 'large', 4, 900_000)
  const slow = await Connection.open(address)
  t.after(() => slow.close())
  // 60 times 3.4 MiB: more than any buffer on the way holds.
  const count = 60
  for (let id = 1; id <= count; id += 1) slow.send(fetch(id, 'large'))
  const other = await Connection.open(address)
  other.send(apiVersions(1))
  await other.receive()
  other.send(fetch(2, 'large'))
  const wanted = batches(await other.receive(), 'large')
  other.close()
  assert.ok(wanted.length > 4 * 900_000)
  for (let id = 1; id <= count; id += 1) {
    const response = await slow.receive()
    assert.equal(response.readInt32BE(0), id)
    assert.ok(batches(response, 'large').equals(wanted), `response ${id}`)
  }
})

test('a client that sends more than its window waits, and is answered in order', async t => {
  const { address } = await partita(t, '--topic', 'parked:1')
  const eager = await Connection.open(address)
  t.after(() => eager.close())
  // The first waits for records; whatever is behind it on its connection waits too: 40 MiB, five times the window.
  const padding = fetch(0, 'x'.repeat(32_000)).length
  const behind = Math.ceil((40 * MIB) / padding)
  eager.send(fetch(1, 'parked', { maxWait: 60_000 }))
  for (let id = 2; id < 2 + behind; id += 1) eager.send(fetch(id, 'x'.repeat(32_000)))
  // Others come by meanwhile.
  const other = await Connection.open(address)
  other.send(apiVersions(1))
  await other.receive()
  other.close()
  await produce(address, 'parked', 1, 10)
  for (let id = 1; id < 2 + behind; id += 1) assert.equal((await eager.receive()).readInt32BE(0), id)
})
