// The ends of the package's consumer, in every order: stopped, disconnected or crashed, while it does anything else. Nothing
// is lost, nothing hangs, and who ended it last has the last word.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { entry, into, numbers, open } from './consumers.mjs'
import { deferred, inbox, listen, next, within } from './support.mjs'

const unhandled = []
process.on('unhandledRejection', error => unhandled.push(error))
after(() => assert.deepEqual(unhandled, []))

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
test('a program ends once its consumer has disconnected and its broker closed', async () => {
  const program = `
    import { Broker, Kafka } from ${JSON.stringify(entry)}
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
