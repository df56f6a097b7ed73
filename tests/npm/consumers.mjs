// A broker, its clients and what they get, for the tests of the package's consumer.

import { readFile } from 'node:fs/promises'
import { byPosition, within } from './support.mjs'

const dist = new URL('../../dist/npm/', import.meta.url)
const manifest = JSON.parse(await readFile(new URL('package.json', dist), 'utf8'))
/** The package's entry for Node. */
export const entry = new URL(manifest.exports['.'].node, dist).href
export const partita = await import(entry)
const { Broker, Kafka, logLevel } = partita

/** Goes on over any outage, however long a busy machine makes it. */
export const PATIENT = { retries: 10_000, initialRetryTime: 20, maxRetryTime: 50 }
/** Lets sessions end soon; but not so soon that a busy machine keeps a member from its heartbeats for as long. */
export const QUICK = { 'group.min.session.timeout.ms': '100' }
export const SHORT = { sessionTimeout: 3_000, heartbeatInterval: 100 }
let count = 0

/** A broker with the topic `orders` of two partitions, a producer, and consumers that end with the test. */
export const open = async (test, { retry = PATIENT, config = {}, partitions = 2 } = {}) => {
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
export const control = async (test, broker) => {
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

export const numbers = length => Array.from({ length }, (_, i) => i)
export const values = box => box.items.map(({ value }) => Number(value))
export const into = box => async ({ partition, message: { offset, value } }) => box.push({ partition, offset, value: value.toString() })
