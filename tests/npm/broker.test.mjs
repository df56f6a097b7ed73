// `Broker` of the built package in Node: opening, listening, failing, closing, and letting the process end.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { promisify } from 'node:util'

const entry = new URL('../../dist/npm/node.js', import.meta.url)
const { Broker, Kafka, KafkaJSError, PartitaError, logLevel } = await import(entry)

/** A broker in memory that is closed after the test. */
const open = async (t, options = {}) => {
  const broker = await Broker.open('test', { storage: 'memory', ...options })
  t.after(() => broker.close())
  return broker
}

/** Checks that the promise is rejected with a `PartitaError` of that kind that says something to that effect. */
const refused = (promise, failure, words) =>
  assert.rejects(promise, error => {
    assert.ok(error instanceof PartitaError, `${error}`)
    assert.equal(error.failure, failure)
    assert.match(error.message, words)
    return true
  })

/** Runs a program in a process of its own, and resolves to what it prints. It must end by itself. */
const program = async text => {
  const script = `import { Broker, Kafka } from ${JSON.stringify(entry.href)}\n${text}`
  const args = ['--input-type=module', '--eval', script]
  return (await promisify(execFile)(process.execPath, args, { timeout: 60_000 })).stdout
}

/** Resolves to what has come by the time that the socket is closed, in whatever way. */
const whenClosed = socket =>
  new Promise(resolve => {
    const chunks = []
    socket.on('data', chunk => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks)))
  })

const frame = (...bytes) => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, Buffer.from(bytes)])
}

/** ApiVersions 0, correlation id 7, no client id. */
const API_VERSIONS = frame(0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff)

test('options that make no sense are refused, with what to do', async () => {
  await refused(Broker.open(''), 'invalidOptions', /needs a name/)
  await refused(Broker.open('x'), 'unsupported', /no IndexedDB in Node.*memory/)
  await refused(Broker.open('x', { storage: 'disk' }), 'invalidOptions', /"disk"/)
  await refused(Broker.open('x', { storage: { directory: 'd' } }), 'unsupported', /not there yet/)
  await refused(Broker.open('x', { storage: 'memory', durability: 'some' }), 'invalidOptions', /"some"/)
  await refused(Broker.open('x', { storage: 'memory', topics: 3 }), 'invalidOptions', /"topics"/)
  const config = { 'num.partitons': 3 }
  await refused(Broker.open('x', { storage: 'memory', config }), 'invalidOptions', /num\.partitons/)
  const wrong = { 'num.partitions': 'many' }
  await refused(Broker.open('x', { storage: 'memory', config: wrong }), 'invalidOptions', /many/)
  const signal = AbortSignal.abort(new Error('no longer wanted'))
  await assert.rejects(Broker.open('x', { storage: 'memory', signal }), /no longer wanted/)
})

test('in memory, each broker is one of its own, whatever its name', async t => {
  const [one, other] = [await open(t), await open(t)]
  const topics = async broker => {
    const admin = new Kafka({ brokers: [broker] }).admin()
    await admin.connect()
    const topics = await admin.listTopics()
    if (topics.length === 0) await admin.createTopics({ topics: [{ topic: 'orders' }] })
    await admin.disconnect()
    return topics
  }
  assert.deepEqual(await topics(one), [])
  assert.deepEqual(await topics(one), ['orders'])
  assert.deepEqual(await topics(other), [])
  await one.close()
  assert.deepEqual(await topics(other), ['orders'])
})

test('a broker serves, tells what it does, and closes more than once', async t => {
  const heard = []
  const broker = await open(t, { config: { 'num.partitions': 3 }, onStatus: ({ state }) => heard.push(state) })
  assert.deepEqual(heard, ['starting', 'running'])
  assert.equal(broker.status.state, 'running')
  broker.on('status', ({ state }) => heard.push(state))
  const admin = new Kafka({ brokers: [broker] }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'three' }] })
  const [{ partitions }] = (await admin.fetchTopicMetadata({ topics: ['three'] })).topics
  assert.equal(partitions.length, 3)
  await admin.disconnect()
  await Promise.all([broker.close(), broker.close()])
  await broker.close()
  assert.equal(heard.at(-1), 'stopped')
  assert.throws(() => broker.connect(), { failure: 'closed' })
  await refused(broker.listen(), 'closed', /closed/)
})

test('brokers of one name in memory have nothing in common', async t => {
  const [one, two] = await Promise.all([open(t), open(t)])
  const admins = [one, two].map(broker => new Kafka({ brokers: [broker] }).admin())
  await Promise.all(admins.map(admin => admin.connect()))
  await admins[0].createTopics({ topics: [{ topic: 'here' }] })
  assert.deepEqual(await Promise.all(admins.map(admin => admin.listTopics())), [['here'], []])
  await Promise.all(admins.map(admin => admin.disconnect()))
})

test('Metadata answers with the address of the listener, or the one advertised', async t => {
  const broker = await open(t)
  const advertised = async (address, options) => {
    const { port } = await broker.listen(options)
    const admin = new Kafka({ brokers: [`${address}:${port}`] }).admin()
    await admin.connect()
    const { brokers } = await admin.describeCluster()
    await admin.disconnect()
    return [brokers.map(({ host, port }) => `${host}:${port}`), port]
  }
  const plain = await advertised('127.0.0.1', {})
  assert.deepEqual(plain[0], [`127.0.0.1:${plain[1]}`])
  const everywhere = await advertised('127.0.0.1', { host: '0.0.0.0' })
  assert.deepEqual(everywhere[0], [`127.0.0.1:${everywhere[1]}`])
})

test('an address that cannot be listened on is refused, with what to do', async t => {
  const broker = await open(t)
  const { port } = await broker.listen()
  await refused(broker.listen({ port }), 'listen', /EADDRINUSE.*another port/)
  await refused(broker.listen({ port: 65_536 }), 'invalidOptions', /65536/)
  await refused(broker.listen({ host: '' }), 'invalidOptions', /no host/)
  await refused(broker.listen({ advertise: 'here' }), 'invalidOptions', /HOST:PORT/)
})

test('closing ends listening and connections', async t => {
  const broker = await open(t)
  const { host, port } = await broker.listen()
  const socket = connect(port, host)
  await once(socket, 'connect')
  const closed = whenClosed(socket)
  await broker.close()
  await closed
  const again = connect(port, host)
  const [error] = await once(again, 'error')
  assert.equal(error.code, 'ECONNREFUSED')
})

test('frames cut anywhere are answered; lengths that no client sends close the connection', async t => {
  const broker = await open(t)
  const { host, port } = await broker.listen()
  const whole = connect(port, host)
  for (const byte of Buffer.concat([API_VERSIONS, API_VERSIONS])) {
    whole.write(Buffer.of(byte))
    await new Promise(resolve => setImmediate(resolve))
  }
  whole.on('data', () => {})
  await once(whole, 'data')
  whole.end()
  await whenClosed(whole)
  for (const length of [[0xff, 0xff, 0xff, 0xff], [0x06, 0x40, 0, 1], [0x7f, 0xff, 0xff, 0xff]]) {
    const socket = connect(port, host)
    const closed = whenClosed(socket)
    socket.write(Buffer.from(length))
    assert.equal((await closed).length, 0)
  }
})

test('socket.request.max.bytes bounds requests, by TCP as by a port: a larger one ends its connection', async t => {
  const broker = await open(t, { config: { 'socket.request.max.bytes': '1000' } })
  const { host, port } = await broker.listen()
  const small = connect(port, host)
  small.write(API_VERSIONS)
  await once(small, 'data')
  small.destroy()
  // The length alone says so, before the bytes have come.
  const large = connect(port, host)
  const closed = whenClosed(large)
  large.write(Buffer.of(0, 0, 0x03, 0xe9))
  assert.equal((await closed).length, 0)
  for (const [at, place] of [broker, `${host}:${port}`].entries()) {
    const retry = { retries: 1, initialRetryTime: 10 }
    const kafka = new Kafka({ brokers: [place], retry, logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    const send = value => producer.send({ topic: 'orders', messages: [{ value }] })
    await send('x'.repeat(500))
    await assert.rejects(send('x'.repeat(2000)), KafkaJSError)
    await producer.disconnect()
    const admin = kafka.admin()
    const [{ high }] = await admin.fetchTopicOffsets('orders')
    await admin.disconnect()
    assert.equal(high, `${at + 1}`)
  }
})

test('a broker in memory whose wasm traps stays failed, and its clients hear of it', async t => {
  const broker = await open(t)
  const { host, port } = await broker.listen()
  const socket = connect(port, host)
  await once(socket, 'connect')
  const closed = whenClosed(socket)
  const failed = new Promise(resolve => broker.on('status', resolve))
  broker.connect().postMessage({ type: 'trap' })
  const status = await failed
  assert.deepEqual([status.state, status.failure], ['failed', 'trapped'])
  assert.match(status.message, /trapped on purpose/)
  await closed
  const admin = new Kafka({ brokers: [broker], retry: { retries: 0 } }).admin()
  await assert.rejects(admin.connect(), KafkaJSError)
  await broker.close()
})

test('a broker that nobody closes lets the process end', async () => {
  const text = `
    const broker = await Broker.open('x', { storage: 'memory' })
    const producer = new Kafka({ brokers: [broker] }).producer()
    await producer.connect()
    await producer.send({ topic: 't', messages: [{ value: 'v' }] })
    await producer.disconnect()
    console.log(broker.status.state)`
  assert.equal(await program(text), 'running\n')
})

test('a broker that was closed lets the process end, though it listened', async () => {
  const text = `
    const broker = await Broker.open('x', { storage: 'memory' })
    await broker.listen()
    await broker.close()
    console.log(broker.status.state)`
  assert.equal(await program(text), 'stopped\n')
})
