// Three consumers of one group, each with its own way of handling; handlers that fail, seek and pause; members that come,
// go and crash; a broker that stops and starts. Every record is handled, a partition by one handler at a time, and what
// is committed in the end is everything. `PARTITA_SEED=N` runs another course of events.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, test } from 'node:test'
import { random } from './random.mjs'
import { inbox, settled, within } from './support.mjs'

const dist = new URL('../../dist/npm/', import.meta.url)
const manifest = JSON.parse(await readFile(new URL('package.json', dist), 'utf8'))
const { Broker, Kafka, logLevel } = await import(new URL(manifest.exports['.'].node, dist))

const unhandled = []
process.on('unhandledRejection', error => unhandled.push(error))
after(() => assert.deepEqual(unhandled, []))

const RECORDS = 1500
const PARTITIONS = 4
const ROUNDS = 12
const sleep = millis => new Promise(resolve => setTimeout(resolve, millis))

const chaos = async (test, seed, partitionAssigners) => {
  const below = random(seed)
  const broker = await Broker.open(`chaos-${seed}`, { storage: 'memory', config: { 'group.min.session.timeout.ms': '100' } })
  test.after(() => broker.close())
  // Those that do not crash go on over any outage, however long a busy machine makes it.
  const retry = { retries: 10_000, initialRetryTime: 10, maxRetryTime: 50 }
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry })
  const topic = 'orders'
  const admin = kafka.admin()
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] })
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()

  const port = broker.connect(() => {})
  test.after(() => port.close())
  const waiting = new Map()
  port.onmessage = ({ data }) => data.type === 'status' && waiting.get(data.state)?.()
  const host = (type, state) => {
    const reached = new Promise(resolve => waiting.set(state, resolve))
    port.postMessage({ type })
    return within(reached, state)
  }

  const seen = inbox()
  const handled = new Set()
  const wrong = []
  const ended = new Set()
  const end = async consumer => {
    await consumer.disconnect()
    ended.add(consumer)
  }
  const start = async () => {
    const consumer = kafka.consumer({
      groupId: 'g', maxWaitTimeInMs: 50, heartbeatInterval: 20, sessionTimeout: 1_000, rebalanceTimeout: 2_000,
      ...(partitionAssigners && { partitionAssigners }), retry: { ...retry, retries: below(4) },
    })
    // One that comes back must not keep the process from ending.
    test.after(() => consumer.disconnect())
    consumer.on(consumer.events.CONNECT, () => ended.has(consumer) && wrong.push('a consumer came back'))
    const inside = new Set()
    const handle = async (partition, { offset, value }) => {
      if (inside.has(partition)) wrong.push(`two handlers in ${partition}`)
      inside.add(partition)
      try {
        if (below(20) === 0) await sleep(below(30))
        if (below(20) === 0) throw new Error('chaos')
        const name = `${partition} ${offset}`
        if (value.toString() !== name) wrong.push(`${name} is ${value}`)
        if (!handled.has(name)) seen.push(name)
        handled.add(name)
        if (below(150) === 0) {
          consumer.seek({ topic, partition, offset: `${Math.max(0, Number(offset) - 3)}` })
        }
        if (below(100) === 0) {
          consumer.pause([{ topic, partitions: [partition] }])
          await sleep(20)
          consumer.resume([{ topic, partitions: [partition] }])
        }
      } finally {
        inside.delete(partition)
      }
    }
    const options = {
      partitionsConsumedConcurrently: 1 + below(3),
      autoCommitThreshold: below(2) ? 5 : null,
      autoCommitInterval: below(2) ? 30 : null,
    }
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run(below(2)
      ? { ...options, eachMessage: ({ partition, message }) => handle(partition, message) }
      : {
          ...options,
          eachBatchAutoResolve: false,
          eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale, commitOffsetsIfNecessary }) => {
            for (const message of batch.messages) {
              if (!isRunning() || isStale()) return
              await handle(batch.partition, message)
              resolveOffset(message.offset)
              await heartbeat()
              await commitOffsetsIfNecessary()
            }
          },
        })
    return consumer
  }

  const consumers = await Promise.all([start(), start(), start()])
  const passing = []
  // With few retries, `connect` is refused in an outage: the broker stops when nobody is about to call it.
  let starting
  const ends = Array.from({ length: PARTITIONS }, () => 0)
  const produce = async () => {
    for (let sent = 0; sent < RECORDS; sent += 20) {
      const messages = Array.from({ length: 20 }, () => {
        const partition = below(PARTITIONS)
        return { partition, value: `${partition} ${ends[partition]++}` }
      })
      await producer.send({ topic, messages })
      await sleep(5)
    }
  }
  const producing = produce()
  for (let round = 0; round < ROUNDS; round += 1) {
    await sleep(50 + below(250))
    const which = below(3)
    switch (below(5)) {
      case 0:
        await starting
        await host('stop', 'stopped')
        await sleep(below(200))
        await host('start', 'running')
        break
      case 1:
        await end(consumers[which])
        consumers[which] = await start()
        break
      case 2: {
        const leaving = consumers[which]
        passing.push(leaving.stop().then(() => end(leaving)))
        consumers[which] = await start()
        break
      }
      case 3:
        starting = start()
        passing.push(starting.then(async passing => {
          await sleep(200)
          await end(passing)
        }))
    }
  }
  await producing
  await seen.count(RECORDS, 'all records')
  await Promise.all(passing)
  await Promise.all(consumers.map(end))
  // A seek or a failure just before the end leaves the last ones to the next member.
  const last = await start()
  const committed = async () => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId: 'g', topics: [topic] })
    return partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset))
  }
  assert.deepEqual(await settled(committed, ends), ends)
  await end(last)
  assert.deepEqual(wrong, [])
  await producer.disconnect()
  await admin.disconnect()
}

const seed = Number(process.env.PARTITA_SEED ?? 1)
for (const [i, assigners] of [undefined, ['cooperative-sticky'], ['sticky', 'range']].entries()) {
  test(`chaos, ${assigners ?? "KafkaJS's assigner"}`, t => chaos(t, seed * 3 + i, assigners))
}
