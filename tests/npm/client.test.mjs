// The package's clients where KafkaJS's programs do not lead: brokers that stop, close and come again, full buffers,
// several clients at once. Nothing hangs, nothing is lost in silence, and every rejection reaches who waits for it.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { within } from './support.mjs'

const dist = new URL('../../dist/npm/', import.meta.url)
const manifest = JSON.parse(await readFile(new URL('package.json', dist), 'utf8'))
const partita = await import(new URL(manifest.exports['.'].node, dist))
const { Broker, Kafka, KafkaJSError, KafkaJSNumberOfRetriesExceeded, KafkaJSTimeout, logLevel } = partita

const unhandled = []
process.on('unhandledRejection', error => unhandled.push(error))
after(() => assert.deepEqual(unhandled, []))

let count = 0
const open = async (test, config = {}) => {
  const broker = await Broker.open(`client-${(count += 1)}`, { storage: 'memory' })
  test.after(() => broker.close().catch(() => {}))
  const retry = { retries: 2, initialRetryTime: 20 }
  const kafka = new Kafka({ clientId: 'shop', brokers: [broker], retry, logLevel: logLevel.NOTHING, ...config })
  const admin = kafka.admin()
  await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }] })
  const high = async () => Number((await admin.fetchTopicOffsets('orders'))[0].high)
  return { broker, kafka, admin, high }
}

/** A port of its own to the broker's host, to stop and start it. */
const control = async (test, broker) => {
  const port = await broker.connect(() => {})
  test.after(() => port.close())
  const waiting = new Map()
  port.onmessage = ({ data }) => data.type === 'status' && waiting.get(data.state)?.()
  return async (type, state) => {
    // Ports keep the process alive for clients only.
    const alive = setInterval(() => {}, 1000)
    const reached = new Promise(resolve => waiting.set(state, resolve))
    port.postMessage({ type })
    await within(reached, state).finally(() => clearInterval(alive))
  }
}

test('sends go on over an outage, each written once', async t => {
  const { broker, kafka, high } = await open(t, { retry: { retries: 10_000, initialRetryTime: 20, maxRetryTime: 50 } })
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  const host = await control(t, broker)
  const send = i => producer.send({ topic: 'orders', messages: [{ value: `${i}` }] })
  const first = Array.from({ length: 50 }, (_, i) => send(i))
  await host('stop', 'stopped')
  const second = Array.from({ length: 50 }, (_, i) => send(50 + i))
  await host('start', 'running')
  const results = await Promise.all([...first, ...second])
  assert.deepEqual(results.map(([{ baseOffset }]) => Number(baseOffset)), Array.from({ length: 100 }, (_, i) => i))
  assert.equal(await high(), 100)
  await producer.disconnect()
})

test('after the broker has closed, sends fail with a typed error and do not hang', async t => {
  const { broker, kafka } = await open(t)
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: 'a' }] })
  await broker.close()
  await assert.rejects(producer.send({ topic: 'orders', messages: [{ value: 'b' }] }), error => {
    assert.ok(error instanceof KafkaJSNumberOfRetriesExceeded, error)
    assert.equal(error.cause.code, 'ECONNREFUSED')
    assert.match(error.help, /broker/)
    return true
  })
  await assert.rejects(kafka.admin().listTopics(), KafkaJSError)
  await assert.rejects(kafka.producer().connect(), KafkaJSError)
  await producer.disconnect()
})

test('disconnect waits for the sends under way', async t => {
  const { kafka, high } = await open(t)
  const producer = kafka.producer()
  await producer.connect()
  const sends = Array.from({ length: 100 }, () => producer.send({ topic: 'orders', messages: [{ value: 'x' }] }))
  const late = producer.disconnect()
  await assert.rejects(producer.send({ topic: 'orders', messages: [{ value: 'late' }] }), /disconnecting/)
  await late
  assert.equal((await Promise.all(sends)).length, 100)
  assert.equal(await high(), 100)
})

test('disconnect ends though the broker is gone and sends would be repeated for ever', async t => {
  const retry = { retries: Number.MAX_SAFE_INTEGER, initialRetryTime: 20, maxRetryTime: 50 }
  const { broker, kafka } = await open(t, { retry, requestTimeout: 300 })
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  await broker.close()
  const send = producer.send({ topic: 'orders', messages: [{ value: 'x' }] })
  await Promise.all([producer.disconnect(), assert.rejects(send, /disconnected/)])
})

test('sends beyond the buffer wait their turn, in order', async t => {
  const { kafka, high } = await open(t)
  const producer = kafka.producer({ bufferMemory: 100_000 })
  await producer.connect()
  const value = 'x'.repeat(30_000)
  const sends = Array.from({ length: 40 }, () => producer.send({ topic: 'orders', messages: [{ value }] }))
  const offsets = (await Promise.all(sends)).map(([{ baseOffset }]) => Number(baseOffset))
  assert.deepEqual(offsets, Array.from({ length: 40 }, (_, i) => i))
  assert.equal(await high(), 40)
  await producer.disconnect()
})

test('a send that finds no room in time fails with KafkaJSTimeout, and those behind it too', async t => {
  const { broker, kafka } = await open(t, { retry: { retries: 3, initialRetryTime: 400, factor: 0 } })
  const producer = kafka.producer({ bufferMemory: 100_000, maxBlock: 50 })
  await producer.connect()
  const host = await control(t, broker)
  await host('stop', 'stopped')
  const value = 'x'.repeat(90_000)
  const sends = Array.from({ length: 4 }, () => producer.send({ topic: 'orders', messages: [{ value }] }))
  const results = await Promise.allSettled(sends)
  const [first, ...rest] = results.map(({ reason }) => reason)
  assert.ok(first instanceof KafkaJSNumberOfRetriesExceeded, first)
  for (const error of rest) assert.ok(error instanceof KafkaJSTimeout, error)
  await host('start', 'running')
  assert.equal((await producer.send({ topic: 'orders', messages: [{ value: 'after' }] })).length, 1)
  await producer.disconnect()
})

test('a send larger than the buffer and than a request goes alone', async t => {
  const { kafka, high } = await open(t)
  const producer = kafka.producer({ bufferMemory: 100_000 })
  await producer.connect()
  const messages = Array.from({ length: 5_000 }, (_, i) => ({ value: `${i} `.padEnd(1024, 'x') }))
  const [{ baseOffset }] = await producer.send({ topic: 'orders', messages })
  assert.equal(baseOffset, '0')
  assert.equal(await high(), 5_000)
  await producer.disconnect()
})

test('timestamps and offsets keep all of their bits', async t => {
  const { kafka, admin } = await open(t)
  await admin.createTopics({
    topics: [{ topic: 'old', configEntries: [{ name: 'message.timestamp.after.max.ms', value: '9223372036854775807' }] }],
  })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'old', messages: [{ value: 'x', timestamp: '9007199254740993' }] })
  const found = await admin.fetchTopicOffsetsByTimestamp('old', 9007199254740992)
  assert.deepEqual(found, [{ partition: 0, offset: '0' }])
  await assert.rejects(producer.send({ topic: 'old', messages: [{ value: 'x', timestamp: 'soon' }] }), SyntaxError)
  await admin.setOffsets({ groupId: 'g', topic: 'orders', partitions: [{ partition: 0, offset: '9223372036854775807' }] })
  const committed = await admin.fetchOffsets({ groupId: 'g', topics: ['orders'] })
  assert.equal(committed[0].partitions[0].offset, '9223372036854775807')
  await producer.disconnect()
})

test('connections that fail are logged, with what can be done', async t => {
  const entries = []
  const { broker, kafka } = await open(t, { logLevel: logLevel.ERROR, logCreator: () => entry => entries.push(entry) })
  const producer = kafka.producer()
  await producer.connect()
  await broker.close()
  await assert.rejects(producer.send({ topic: 'orders', messages: [{ value: 'b' }] }))
  const refused = entries.find(({ log }) => /ECONNREFUSED/.test(log.message))
  assert.equal(refused.namespace, 'Connection')
  assert.equal(refused.log.clientId, 'shop')
  assert.match(refused.log.help, /broker runs/)
  await producer.disconnect()
})

test('what is not supported is refused with what to do instead', async () => {
  assert.throws(() => new Kafka({ brokers: ['b:1'], ssl: true }), error => /`ssl`/.test(error.message) && /without TLS/.test(error.help))
  assert.throws(() => new Kafka({ brokers: ['b:1'], sasl: { mechanism: 'plain', username: 'u', password: 'p' } }), /`sasl`/)
  const kafka = new Kafka({ brokers: ['nowhere'], logLevel: logLevel.NOTHING })
  await assert.rejects(kafka.admin().connect(), /host:port/)
  await assert.rejects(kafka.producer({ transactionalId: 't' }).transaction(), { name: 'KafkaJSNotImplemented' })
})

test('a wrong acks, compression or timeout is refused, and not taken for another', async t => {
  const { kafka, high } = await open(t)
  const producer = kafka.producer()
  await producer.connect()
  const record = { topic: 'orders', messages: [{ value: 'x' }] }
  for (const wrong of [{ acks: 'all' }, { acks: 65536 }, { compression: 'gzip' }, { compression: 257 }, { timeout: 2 ** 31 }, { timeout: 'soon' }]) {
    await assert.rejects(producer.send({ ...record, ...wrong }), { name: 'KafkaJSNonRetriableError' })
  }
  await assert.rejects(kafka.admin().deleteTopics({ topics: ['orders'], timeout: NaN }), { name: 'KafkaJSNonRetriableError' })
  assert.equal(await high(), 0)
  await producer.disconnect()
})

test('a program ends once its broker has closed', async () => {
  const program = `
    import { Broker, Kafka } from ${JSON.stringify(new URL(manifest.exports['.'].node, dist).href)}
    const broker = await Broker.open('ends', { storage: 'memory' })
    const kafka = new Kafka({ brokers: [broker], logLevel: 0 })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ value: 'x' }] })
    console.log(await kafka.admin().listTopics())
    await broker.close()
  `
  const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 })
  assert.match((await child).stdout, /orders/)
})

test('who connects while it disconnects is connected after that', async t => {
  const { kafka, admin } = await open(t)
  const producer = kafka.producer()
  const consumer = kafka.consumer({ groupId: 'g' })
  for (const client of [producer, consumer, admin]) {
    await client.connect()
    const heard = []
    for (const name of ['CONNECT', 'DISCONNECT']) client.on(client.events[name], () => heard.push(name))
    const ended = client.disconnect()
    await client.connect()
    await ended
    assert.deepEqual(heard, ['DISCONNECT', 'CONNECT'])
  }
  assert.equal((await producer.send({ topic: 'orders', messages: [{ value: 'x' }] })).length, 1)
  // And who disconnects while it connects is not.
  await producer.disconnect()
  const heard = []
  producer.on(producer.events.CONNECT, () => heard.push('CONNECT'))
  await Promise.allSettled([producer.connect(), producer.disconnect()])
  assert.deepEqual(heard, [])
  await assert.rejects(producer.send({ topic: 'orders', messages: [{ value: 'x' }] }), /disconnected/)
  await Promise.all([consumer.disconnect(), admin.disconnect()])
})

test('listeners and brokers functions may throw anything', async t => {
  const { kafka } = await open(t)
  const producer = kafka.producer()
  producer.on(producer.events.CONNECT, () => {
    throw undefined
  })
  producer.on(producer.events.CONNECT, () => Promise.reject())
  await producer.connect()
  await producer.disconnect()
  const brokers = () => Promise.reject()
  const nowhere = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  await assert.rejects(nowhere.connect(), { name: 'KafkaJSConnectionError', message: /"config.brokers" threw: undefined/ })
})

test('clients whose wasm traps all hear of it, and keep no program from ending', async () => {
  // The clock is asked as an answer comes, and what it throws is what a trap throws.
  const program = (brokers, end) => `
    import { Broker, Kafka } from ${JSON.stringify(new URL(manifest.exports['.'].node, dist).href)}
    const broker = await Broker.open('traps', { storage: 'memory' })
    const kafka = new Kafka({ brokers: ${brokers}, logLevel: 0, requestTimeout: 5000 })
    const admin = kafka.admin()
    await admin.createTopics({ topics: [{ topic: 'orders' }] })
    const producer = kafka.producer()
    await producer.connect()
    const send = producer.send({ topic: 'orders', messages: [{ value: 'x' }] })
    await null
    performance.now = () => {
      delete performance.now
      throw new WebAssembly.RuntimeError('on purpose')
    }
    for (const call of [() => send, () => producer.connect(), () => admin.listTopics()]) {
      await call().catch(error => console.log(error.name))
    }
    await producer.disconnect()
    ${end}
  `
  const ways = [['[broker]', ''], ["await broker.listen().then(({ host, port }) => [host + ':' + port])", 'await broker.close()']]
  for (const [brokers, end] of ways) {
    const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program(brokers, end)], { timeout: 60_000 })
    assert.equal((await child).stdout, 'KafkaJSNonRetriableError\n'.repeat(3))
  }
})

test('users may call anything from their own listeners', async t => {
  const { kafka, admin } = await open(t)
  const producer = kafka.producer()
  const names = []
  let again
  producer.on(producer.events.REQUEST, ({ payload }) => {
    names.push(payload.apiName)
    if (payload.apiName === 'Produce') again ??= producer.send({ topic: 'orders', messages: [{ value: 'from a listener' }] })
  })
  producer.on(producer.events.CONNECT, () => {
    throw new Error('a listener that fails')
  })
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: 'x' }] })
  await again
  assert.ok(names.includes('Produce'))
  await Promise.all([producer.disconnect(), producer.disconnect(), admin.disconnect()])
})
