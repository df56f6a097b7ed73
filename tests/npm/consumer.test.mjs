// The package's consumer where KafkaJS's programs do not lead: brokers that stop and are replaced, slow handlers in the
// middle of a rebalance, ends in every order. Nothing comes twice without need, nothing is lost, nothing hangs.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { byPosition, deferred, inbox, listen, next, settled, within } from './support.mjs'

const dist = new URL('../../dist/npm/', import.meta.url)
const manifest = JSON.parse(await readFile(new URL('package.json', dist), 'utf8'))
const partita = await import(new URL(manifest.exports['.'].node, dist))
const { Broker, Kafka, KafkaJSNonRetriableError, logLevel } = partita

const unhandled = []
process.on('unhandledRejection', error => unhandled.push(error))
after(() => assert.deepEqual(unhandled, []))

/** Goes on over any outage, however long a busy machine makes it. */
const PATIENT = { retries: 10_000, initialRetryTime: 20, maxRetryTime: 50 }
/** Lets sessions end soon; but not so soon that a busy machine keeps a member from its heartbeats for as long. */
const QUICK = { 'group.min.session.timeout.ms': '100' }
const SHORT = { sessionTimeout: 3_000, heartbeatInterval: 100 }
let count = 0

/** A broker with the topic `orders` of two partitions, a producer, and consumers that end with the test. */
const open = async (test, { retry = PATIENT, config = {}, partitions = 2 } = {}) => {
  const broker = await Broker.open(`consumer-${(count += 1)}`, { storage: 'memory', config })
  test.after(() => broker.close().catch(() => {}))
  const kafka = new Kafka({ clientId: 'shop', brokers: [broker], retry, logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: partitions }] })
  const producer = kafka.producer()
  await producer.connect()
  const send = (values, partition = 0) =>
    producer.send({ topic: 'orders', messages: values.map(value => ({ value: `${value}`, partition })) })
  const committed = async (groupId = 'g') => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: ['orders'] })
    return byPosition(partitions).map(({ offset }) => Number(offset))
  }
  const consume = async (run, { fromBeginning = true, ...config } = {}) => {
    const consumer = kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 50, heartbeatInterval: 20, ...config })
    test.after(() => consumer.disconnect())
    await consumer.connect()
    await consumer.subscribe({ topics: ['orders'], fromBeginning })
    await consumer.run(run)
    return consumer
  }
  return { broker, kafka, admin, producer, send, committed, consume }
}

/** A port of its own to the broker's host, to stop and start it. */
const control = async (test, broker) => {
  const port = broker.connect(() => {})
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

const numbers = length => Array.from({ length }, (_, i) => i)
const values = box => box.items.map(({ value }) => Number(value))
const into = box => async ({ partition, message: { offset, value } }) => box.push({ partition, offset, value: value.toString() })

test('a consumer goes on over an outage at the next record', async t => {
  const { broker, send, consume, committed } = await open(t)
  const box = inbox()
  await send(numbers(10))
  const consumer = await consume({ eachMessage: into(box) })
  const crashes = listen(consumer, 'CRASH')
  await box.count(10)
  const host = await control(t, broker)
  await host('stop', 'stopped')
  const sent = send(numbers(20).slice(10))
  await host('start', 'running')
  await sent
  await box.count(20)
  assert.deepEqual(values(box), numbers(20))
  assert.deepEqual(crashes.items, [])
  await consumer.disconnect()
  assert.deepEqual(await committed(), [20, -1])
})

test('a consumer that gave up over an outage starts again and goes on', async t => {
  const { broker, kafka, send, consume, committed } = await open(t, { config: QUICK })
  const box = inbox()
  await send(numbers(10))
  // It cannot leave the group, which waits for it until its session ends.
  const consumer = await consume(
    { eachMessage: into(box) },
    { retry: { retries: 1, initialRetryTime: 20 }, ...SHORT }
  )
  await box.count(10)
  // What is not committed yet comes again.
  assert.deepEqual(await settled(committed, [10, -1]), [10, -1])
  const crashed = next(consumer, 'CRASH')
  const host = await control(t, broker)
  await host('stop', 'stopped')
  const { error, restart } = await crashed
  assert.equal(error.name, 'KafkaJSNumberOfRetriesExceeded')
  assert.equal(restart, true)
  await host('start', 'running')
  const late = kafka.producer({ retry: PATIENT })
  await late.connect()
  await late.send({ topic: 'orders', messages: [{ value: '10', partition: 0 }] })
  await box.count(11)
  assert.deepEqual(values(box), numbers(11))
  await late.disconnect()
})

test('a host that is replaced by another: connections are made anew on its port', async t => {
  const { broker, send, consume } = await open(t)
  let replace
  const wrapped = {
    name: broker.name,
    connect: onPort => {
      const port = broker.connect()
      replace = () => {
        port.close()
        onPort(broker.connect())
      }
      return port
    },
  }
  const kafka = new Kafka({ brokers: [wrapped], retry: PATIENT, logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: 'replaced', maxWaitTimeInMs: 50 })
  t.after(() => consumer.disconnect())
  const box = inbox()
  await consumer.connect()
  await consumer.subscribe({ topics: ['orders'], fromBeginning: true })
  await consumer.run({ eachMessage: into(box) })
  await send(numbers(5))
  await box.count(5)
  replace()
  await send(numbers(10).slice(5))
  await box.count(10)
  assert.deepEqual(values(box), numbers(10))
})

test('a rebalance in the middle of a slow handler: it may end, heartbeats go on, the rest is the next owner\'s', async t => {
  const { send, consume, committed } = await open(t)
  await send(numbers(10), 0)
  await send(numbers(10), 1)
  const slow = deferred()
  const box = inbox()
  const handle = owner => async ({ partition, message: { offset } }) => box.push({ owner, partition, offset })
  const a = await consume({
    eachMessage: async payload => {
      await handle('a')(payload)
      if (box.items.length === 3) await slow.promise
    },
  })
  const [requests, joins] = [listen(a, 'REQUEST'), listen(a, 'GROUP_JOIN')]
  const beats = all => all.filter(({ payload }) => payload.apiName === 'Heartbeat').length
  await box.count(3)
  const b = consume({ eachMessage: handle('b') })
  await next(a, 'REBALANCING')
  const before = beats(requests.items)
  await requests.until(all => beats(all) >= before + 3, 'three more heartbeats')
  assert.equal(box.items.length, 3, 'nothing more is delivered while partitions are given up')
  slow.resolve()
  await joins.count(1)
  await b
  const [mine] = Object.values(joins.items[0].payload.memberAssignment)
  await box.count(20)
  const all = box.items.map(({ partition, offset }) => `${partition} ${offset}`)
  assert.equal(new Set(all).size, 20, 'what was handled before the rebalance was committed in it')
  assert.equal(all.length, 20)
  for (const { owner, partition } of box.items.slice(3)) assert.equal(owner === 'a', mine.includes(partition))
  await a.disconnect()
  assert.ok((await committed()).includes(10))
})

test('partitions of a member that was thrown out: its records are not delivered on, and not committed', async t => {
  const { admin, send, consume, committed } = await open(t, { config: QUICK, partitions: 1 })
  await send(numbers(5))
  const box = inbox()
  let block = true
  const consumer = await consume(
    {
      eachMessage: async payload => {
        await into(box)(payload)
        if (box.items.length !== 2 || !block) return
        block = false
        // The whole thread: no heartbeat is sent until the coordinator has given the member up.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * SHORT.sessionTimeout)
      },
    },
    SHORT
  )
  const commits = listen(consumer, 'COMMIT_OFFSETS')
  await next(consumer, 'REBALANCING')
  await box.count(7)
  // The first two were handled by a member that could not say so any more.
  assert.deepEqual(values(box), [0, 1, 0, 1, 2, 3, 4])
  await commits.count(1)
  const { groups } = await admin.describeGroups(['g'])
  const present = groups[0].members.map(({ memberId }) => memberId)
  assert.ok(commits.items.every(({ payload }) => present.includes(payload.memberId)))
  assert.deepEqual(await committed(), [5])
})

test('stop and disconnect wait for the handler, and nothing more is delivered', async t => {
  for (const end of ['stop', 'disconnect']) {
    const { send, consume, committed } = await open(t)
    await send(numbers(10))
    const [slow, box] = [deferred(), inbox()]
    let over = false
    const consumer = await consume({
      eachMessage: async payload => {
        await into(box)(payload)
        await slow.promise
        over = true
      },
    })
    await box.count(1)
    const ended = consumer[end]().then(() => assert.ok(over, 'the handler is over'))
    await next(consumer, 'HEARTBEAT')
    slow.resolve()
    await ended
    assert.equal(box.items.length, 1)
    assert.deepEqual(await committed(), [1, -1])
  }
})

test('what a handler holds on to after the end does no harm', async t => {
  const { send, consume } = await open(t)
  await send(numbers(3))
  const kept = inbox()
  const consumer = await consume({ eachBatch: async payload => void kept.push(payload) })
  await kept.count(1)
  await consumer.disconnect()
  const [payload] = kept.items
  payload.resolveOffset('2')
  payload.pause()()
  await payload.heartbeat()
  await payload.commitOffsetsIfNecessary({ topics: [{ topic: 'orders', partitions: [{ partition: 0, offset: '1' }] }] })
  assert.deepEqual(payload.uncommittedOffsets(), { topics: [] })
  assert.equal(payload.isRunning(), false)
  assert.equal(payload.isStale(), true)
})

test('stop and disconnect right after run, without waiting for it', async t => {
  const { kafka } = await open(t)
  for (const end of ['stop', 'disconnect']) {
    const consumer = kafka.consumer({ groupId: 'early' })
    const events = listen(consumer, 'GROUP_JOIN', 'CRASH')
    await consumer.subscribe({ topics: ['orders'] })
    const running = consumer.run({ eachMessage: async () => {} })
    await within(consumer[end](), end)
    await within(running, 'run')
    assert.deepEqual(events.items, [])
    // It can start again.
    await consumer.run({ eachMessage: async () => {} })
    await events.count(1)
    await consumer.disconnect()
  }
})

test('a broker that has closed: everything ends', async t => {
  const { broker, kafka, consume } = await open(t, { retry: { retries: 1, initialRetryTime: 10 } })
  const consumer = await consume({ eachMessage: async () => {} }, { retry: { retries: 1, initialRetryTime: 10, restartOnFailure: async () => false } })
  const crashed = next(consumer, 'CRASH')
  await broker.close()
  assert.equal((await crashed).restart, false)
  await within(consumer.disconnect(), 'disconnect')
  await assert.rejects(consumer.connect())
  await assert.rejects(kafka.consumer({ groupId: 'late' }).connect())
})

test('who disconnects when it crashes is not started again', async t => {
  for (const where of ['STOP', 'restartOnFailure', 'CRASH']) {
    const { kafka, send } = await open(t)
    await send([0])
    const ended = deferred()
    const consumer = kafka.consumer({
      groupId: where,
      maxWaitTimeInMs: 50,
      retry: {
        retries: 0,
        initialRetryTime: 5,
        restartOnFailure: async () => {
          if (where === 'restartOnFailure') await consumer.disconnect().then(ended.resolve)
          return true
        },
      },
    })
    // One that comes back must not keep the process from ending.
    t.after(() => consumer.disconnect())
    const events = listen(consumer, 'CONNECT', 'CRASH')
    // STOP comes while the crash itself disconnects.
    if (where in consumer.events) {
      const forget = consumer.on(consumer.events[where], () => {
        forget()
        consumer.disconnect().then(ended.resolve)
      })
    }
    await consumer.connect()
    await consumer.subscribe({ topics: ['orders'], fromBeginning: true })
    await consumer.run({ eachMessage: async () => { throw new Error('broken') } })
    await within(ended.promise, 'disconnect')
    await events.until(all => all.at(-1).type === 'consumer.crash', 'a crash')
    // Nothing may come: the wait only gives what would be wrong a chance.
    await new Promise(resolve => setTimeout(resolve, 100))
    assert.deepEqual(events.items.map(({ type }) => type), ['consumer.connect', 'consumer.connect', 'consumer.crash'])
    assert.equal(events.items.at(-1).payload.restart, where === 'CRASH')
  }
})

test('the last call counts: stop, run and disconnect in one breath', async t => {
  const { kafka } = await open(t)
  const consumer = kafka.consumer({ groupId: 'last' })
  t.after(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topics: ['orders'] })
  const events = listen(consumer, 'CONNECT', 'GROUP_JOIN', 'CRASH')
  const calls = [consumer.stop(), consumer.run({ eachMessage: async () => {} }), consumer.disconnect()]
  await within(Promise.all(calls), 'all three')
  // Longer than a restart waits: it only gives what would be wrong a chance.
  await new Promise(resolve => setTimeout(resolve, 100))
  assert.deepEqual(events.items, [])
  // And the other way round.
  const ended = consumer.disconnect()
  await within(consumer.run({ eachMessage: async () => {} }), 'run')
  await ended
  assert.deepEqual(events.items.map(({ type }) => type), ['consumer.connect', 'consumer.group_join'])
})

test('who runs it when it has stopped, while it disconnects, has it run', async t => {
  const { kafka, consume } = await open(t)
  const consumer = await consume({ eachMessage: async () => {} })
  const again = deferred()
  const events = listen(consumer, 'CRASH', 'DISCONNECT', 'GROUP_JOIN')
  const forget = consumer.on(consumer.events.STOP, () => {
    forget()
    again.resolve(consumer.run({ eachMessage: async () => {} }))
  })
  await within(consumer.disconnect(), 'disconnect')
  await within(again.promise, 'run')
  assert.deepEqual(events.items.map(({ type }) => type), ['consumer.disconnect', 'consumer.group_join'])
  assert.equal((await kafka.admin().describeGroups(['g'])).groups[0].members.length, 1)
})

test('who stops it as it connects leaves no member behind, and can run it again', async t => {
  const { admin, consume } = await open(t)
  const consumer = await consume(undefined)
  await consumer.stop()
  const events = listen(consumer, 'GROUP_JOIN', 'CRASH')
  const forget = consumer.on(consumer.events.CONNECT, () => {
    forget()
    consumer.stop()
  })
  await within(consumer.run({ eachMessage: async () => {} }), 'run')
  await consumer.stop()
  assert.deepEqual((await admin.describeGroups(['g'])).groups[0].members, [])
  await within(consumer.run({ eachMessage: async () => {} }), 'run again')
  assert.deepEqual(events.items.map(({ type }) => type), ['consumer.group_join'])
})

test('where a consumer starts is saved at once if asked for: before a record is read, and only where nothing is', async t => {
  const { admin, send, consume, committed } = await open(t)
  await send([0, 1], 0)
  await admin.setOffsets({ groupId: 'g', topic: 'orders', partitions: [{ partition: 0, offset: '1' }] })
  await send([0, 1, 2], 1)
  const box = inbox()
  const held = deferred()
  const eachMessage = async payload => {
    await into(box)(payload)
    await held.promise
  }
  const run = { autoCommit: false, eachMessage, partitionsConsumedConcurrently: 2 }
  const consumer = await consume(run, { commitInitialOffset: true, fromBeginning: false })
  assert.deepEqual(await settled(committed, [1, 3]), [1, 3])
  await send([3], 1)
  await box.count(2)
  assert.deepEqual(byPosition(box.items).map(({ partition, offset }) => [partition, offset]), [[0, '1'], [1, '3']])
  held.resolve()
  await consumer.disconnect()
  assert.deepEqual(await committed(), [1, 3])
})

test('where a consumer starts is not saved unless asked for', async t => {
  const { send, consume, committed } = await open(t)
  await send([0])
  const box = inbox()
  const consumer = await consume({ autoCommit: false, eachMessage: into(box) })
  await box.count(1)
  await consumer.disconnect()
  assert.deepEqual(await committed(), [-1, -1])
})

test('a static member keeps its place over a restart, and its double is fenced', async t => {
  const { send, consume } = await open(t)
  const box = inbox()
  const config = { groupInstanceId: 'one' }
  const first = await consume({ eachMessage: into(box) }, config)
  await first.disconnect()
  const second = await consume({ eachMessage: into(box) }, config)
  await send([0])
  await box.count(1)
  const crashed = next(second, 'CRASH')
  const third = await consume({ eachMessage: into(box) }, config)
  const { error, restart } = await crashed
  assert.deepEqual([error.type ?? error.cause?.type, restart], ['FENCED_INSTANCE_ID', false])
  await send([1], 1)
  await box.count(2)
  const { members } = await third.describeGroup()
  assert.equal(members.length, 1)
})

test('handlers may throw anything', async t => {
  for (const thrown of [undefined, null, 'text', 5, { message: 'an object' }]) {
    const { send, consume } = await open(t)
    await send([0])
    const box = inbox()
    const consumer = await consume({
      eachMessage: async payload => {
        await into(box)(payload)
        if (box.items.length < 3) throw thrown
      },
    })
    await box.count(3)
    assert.deepEqual(values(box), [0, 0, 0])
    await consumer.disconnect()
  }
})

test('an assigner that fails is a crash with its error', async t => {
  const { kafka } = await open(t)
  const failing = where => () => ({
    name: 'Failing',
    version: 1,
    protocol: ({ topics }) => {
      if (where === 'protocol') throw new KafkaJSNonRetriableError(where)
      return { name: 'Failing', metadata: partita.AssignerProtocol.MemberMetadata.encode({ version: 1, topics }) }
    },
    assign: async () => {
      throw new KafkaJSNonRetriableError(where)
    },
  })
  for (const where of ['protocol', 'assign']) {
    const consumer = kafka.consumer({ groupId: where, partitionAssigners: [failing(where)] })
    const crashes = listen(consumer, 'CRASH')
    await consumer.subscribe({ topics: ['orders'] })
    await within(consumer.run({ eachMessage: async () => {} }), 'run')
    assert.deepEqual(crashes.items.map(({ payload: { error, restart } }) => [error.message, restart]), [[where, false]])
  }
})

test("Kafka's assigners by name: two members share, and keep what they have if they can", async t => {
  for (const name of ['range', 'roundrobin', 'sticky', 'cooperative-sticky']) {
    const { kafka, send, consume } = await open(t)
    const box = inbox()
    const config = { partitionAssigners: [name] }
    const a = await consume({ eachMessage: into(box) }, config)
    const joins = listen(a, 'GROUP_JOIN')
    const b = await consume({ eachMessage: into(box) }, config)
    await joins.until(all => all.at(-1)?.payload.memberAssignment.orders?.length === 1, 'one partition each')
    assert.equal(joins.items[0].payload.groupProtocol, name)
    await send([0], 0)
    await send([1], 1)
    await box.count(2)
    assert.deepEqual(values(box).sort(), [0, 1])
    await Promise.all([a.disconnect(), b.disconnect()])
    assert.throws(() => kafka.consumer({ groupId: 'g', partitionAssigners: ['best'] }), /no assigner "best"/)
  }
})

test('headers may be named like anything that objects have', async t => {
  const { producer, consume } = await open(t)
  const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty']
  const headers = Object.fromEntries(names.map(name => [name, 'x']))
  await producer.send({ topic: 'orders', messages: [{ value: null, headers }] })
  const box = inbox()
  await consume({ eachMessage: async ({ message }) => box.push(Object.entries(message.headers)) })
  await box.count(1)
  assert.deepEqual(box.items[0].map(([name, value]) => [name, value.toString()]), names.map(name => [name, 'x']))
})

test('handlers that never wait do not keep the thread from others', async t => {
  const { kafka, producer, consume } = await open(t)
  await kafka.admin().createTopics({ topics: [{ topic: 'many', numPartitions: 1 }] })
  const messages = Array.from({ length: 20_000 }, () => ({ value: 'x' }))
  await producer.send({ topic: 'many', messages })
  const consumer = kafka.consumer({ groupId: 'busy', heartbeatInterval: 10 })
  t.after(() => consumer.disconnect())
  const beats = listen(consumer, 'HEARTBEAT')
  const box = inbox()
  let during = 0
  await consumer.subscribe({ topics: ['many'], fromBeginning: true })
  await consumer.run({
    eachMessage: async () => {
      during += 1
      // Until the first heartbeat has come, which takes a while if the broker's thread gets little of the machine.
      const until = performance.now() + (beats.items.length > 0 ? 0 : 5)
      while (performance.now() < until);
      if (during === 20_000) box.push(beats.items.length)
    },
  })
  await box.count(1)
  assert.ok(box.items[0] > 0, 'heartbeats went on')
})

test('a program ends once its consumer has disconnected and its broker closed', async () => {
  const program = `
    import { Broker, Kafka } from ${JSON.stringify(new URL(manifest.exports['.'].node, dist).href)}
    const broker = await Broker.open('ends', { storage: 'memory' })
    const kafka = new Kafka({ brokers: [broker], logLevel: 0 })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ value: 'x' }] })
    const consumer = kafka.consumer({ groupId: 'g' })
    await consumer.connect()
    await consumer.subscribe({ topics: ['orders'], fromBeginning: true })
    await new Promise(resolve => consumer.run({ eachMessage: async ({ message }) => resolve(console.log(message.value.toString())) }))
    await consumer.disconnect()
    await broker.close()
  `
  const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 })
  assert.equal((await child).stdout, 'x\n')
})
