// The package's consumer where KafkaJS's programs do not lead: brokers that stop and are replaced, slow handlers in the
// middle of a rebalance. Nothing comes twice without need, nothing is lost, nothing hangs.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PATIENT, QUICK, SHORT, control, into, numbers, open, partita, values } from './consumers.mjs'
import { byPosition, deferred, inbox, listen, next, settled, within } from './support.mjs'

const { Kafka, KafkaJSNonRetriableError, logLevel } = partita

const unhandled = []
process.on('unhandledRejection', error => unhandled.push(error))
after(() => assert.deepEqual(unhandled, []))

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
