// Consumers, producers and admins of one broker whose methods are called in any order, many at once, also by handlers
// and listeners, while the broker stops, starts and closes. Every call settles, with an error of KafkaJS's if with one;
// who was disconnected last stays so, and leaves nothing behind; and who comes again works as ever.
//
// `PARTITA_SEED=N` replays one course, `PARTITA_SEEDS=N` runs so many.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, test } from 'node:test'
import { random } from './random.mjs'
import { deferred, within } from './support.mjs'

/** How many of the wasm's clients have been made and not freed, by class. */
const held = new Map()
const count = (object, by) => {
  const name = object.constructor.name
  if (name.endsWith('Client')) held.set(name, (held.get(name) ?? 0) + by)
}
// The glue registers what it makes, and takes it back when that is freed.
globalThis.FinalizationRegistry = class extends FinalizationRegistry {
  register(object, ...rest) {
    count(object, 1)
    return super.register(object, ...rest)
  }
  unregister(object) {
    count(object, -1)
    return super.unregister(object)
  }
}

const dist = new URL('../../dist/npm/', import.meta.url)
const manifest = JSON.parse(await readFile(new URL('package.json', dist), 'utf8'))
const { Broker, Kafka, KafkaJSError, logLevel } = await import(new URL(manifest.exports['.'].node, dist))

const unhandled = []
process.on('unhandledRejection', error => unhandled.push(error))
after(() => assert.deepEqual(unhandled, []))

const STEPS = 80
/** Calls that handlers and listeners make. */
const REACTIONS = 40
/** Longer than any restart waits. */
const SILENCE = 80
const TOPIC = 'orders'
const sleep = millis => new Promise(resolve => setTimeout(resolve, millis))
const turn = () => new Promise(resolve => setImmediate(resolve))

/** What keeps the process alive, by kind. */
const resources = () => {
  const kinds = new Map()
  for (const kind of process.getActiveResourcesInfo()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  return kinds
}

/** What users throw. */
const FAULTS = [() => new Error('chaos'), () => new TypeError('chaos'), () => new KafkaJSError('chaos'), () => undefined]

class Course {
  constructor(seed) {
    this.below = random(seed)
    this.log = []
    this.wrong = []
    this.pending = new Set()
    this.reactions = REACTIONS
    /** How often listeners do anything, and how many calls there are at a time. */
    this.rate = 2 + this.below(8)
    this.burst = 1 + this.below(8)
    /** The clients that must not be heard of any more. */
    this.silent = new Set()
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  /** Calls something and notes what becomes of it; resolves when it has settled. */
  async call(name, act) {
    const number = this.log.push(name) - 1
    this.pending.add(number)
    try {
      await act()
    } catch (error) {
      this.log[number] += `: ${error}`
      if (!(error instanceof KafkaJSError)) this.wrong.push(`${name} fails with ${error?.stack ?? error}`)
    }
    this.pending.delete(number)
  }

  /** Waits until every call has settled. */
  async settled() {
    const deadline = Date.now() + 30_000
    while (this.pending.size > 0 && Date.now() < deadline) await sleep(5)
    const names = [...this.pending].map(number => `${number} ${this.log[number]}`)
    assert.deepEqual(names, [], 'these calls never settle')
  }

  /** From time to time handlers and listeners fail, or call something. */
  react(one, often) {
    if (this.over || this.below(often) > 0) return
    if (this.below(3) === 0) throw this.pick(FAULTS)()
    if (this.reactions-- > 0) this.any(this.below(2) ? one : this.pick(this.clients), 'from within: ')
  }

  /** Makes any call of that client. */
  any(one, from = '') {
    const { kind, name, client } = one
    const what = this.pick(CALLS[kind])
    if (what === 'disconnect') return void this.disconnect(one, from)
    if (what !== 'stop' && what !== 'paused') {
      one.wanted = this.log.length
      one.idle = false
    }
    void this.call(`${from}${name}.${what}`, () => (ACTS[what] ?? (client => client[what]()))(client, this, one))
  }

  /** Disconnects; unless something else is called meanwhile, nothing may go on after that. */
  async disconnect(one, from = '') {
    const { wanted } = one
    await this.call(`${from}${one.name}.disconnect`, () => one.client.disconnect())
    if (one.wanted === wanted) one.idle = true
  }

  /** Hears all events of a client. */
  listen(one) {
    for (const event of Object.values(one.client.events)) {
      one.client.on(event, async ({ type, payload }) => {
        this.log.push(`${one.name} ${type} ${payload?.error ?? ''}`)
        if (one.idle && !/\.(disconnect|stop|crash)$/.test(type)) this.wrong.push(`${type} of ${one.name}, which is disconnected`)
        // A crash from before may be told still, once restartOnFailure has answered: nothing follows.
        const isOver = type.endsWith('.crash') && !payload.restart
        if (this.silent.has(one) && !isOver) this.wrong.push(`${type} of ${one.name} after it was disconnected for good`)
        const later = this.below(4) === 0
        if (later) await null
        this.react(one, type.includes('network') ? 40 : this.rate)
      })
    }
  }
}

const CALLS = {
  consumer: [
    'connect', 'connect', ...Array(5).fill('disconnect'), 'subscribe', 'subscribe', ...Array(6).fill('run'),
    ...Array(4).fill('stop'), 'seek', 'pause', 'resume', 'paused', 'commitOffsets', 'describeGroup',
  ],
  producer: ['connect', 'connect', 'disconnect', 'disconnect', 'send', 'send', 'sendBatch'],
  admin: ['connect', 'connect', 'disconnect', 'disconnect', 'listTopics', 'fetchTopicOffsets', 'createTopics', 'fetchOffsets', 'describeCluster'],
}

const ACTS = {
  subscribe: (consumer, course) =>
    consumer.subscribe({ topics: [course.pick([TOPIC, 'others', /^ord/])], fromBeginning: true }),
  run: (consumer, course, one) => {
    const handle = async () => {
      if (course.below(4) === 0) await sleep(course.below(20))
      course.react(one, 8)
      one.handled?.()
    }
    return consumer.run(course.below(2)
      ? { eachMessage: handle, autoCommitThreshold: course.below(2) ? 2 : null }
      : {
          eachBatch: async ({ batch, heartbeat, resolveOffset, commitOffsetsIfNecessary }) => {
            for (const { offset } of batch.messages) {
              await handle()
              resolveOffset(offset)
              await heartbeat()
              await commitOffsetsIfNecessary()
            }
          },
        })
  },
  seek: (consumer, course) => consumer.seek({ topic: TOPIC, partition: course.below(2), offset: `${course.below(5)}` }),
  pause: consumer => consumer.pause([{ topic: TOPIC }]),
  resume: consumer => consumer.resume([{ topic: TOPIC }]),
  commitOffsets: (consumer, course) =>
    consumer.commitOffsets([{ topic: TOPIC, partition: course.below(2), offset: `${course.below(5)}` }]),
  send: (producer, course) =>
    producer.send({ topic: TOPIC, messages: Array.from({ length: 1 + course.below(5) }, () => ({ value: 'x'.repeat(300) })) }),
  sendBatch: (producer, course) =>
    producer.sendBatch({
      topicMessages: [{ topic: TOPIC, messages: [{ value: 'x' }] }, { topic: course.pick([TOPIC, 'others']), messages: [{ value: 'y' }] }],
    }),
  fetchTopicOffsets: admin => admin.fetchTopicOffsets(TOPIC),
  createTopics: (admin, course) => admin.createTopics({ topics: [{ topic: `topic-${course.below(5)}` }], waitForLeaders: false }),
  fetchOffsets: admin => admin.fetchOffsets({ groupId: 'g', topics: [TOPIC] }),
}

/** Three kinds of clients, each on its way to the broker; some ways lead nowhere. */
const clientsOf = (course, broker, address) => {
  const { pick, below } = { pick: list => course.pick(list), below: n => course.below(n) }
  const ways = [[broker], [broker], [broker], [address], () => [broker], async () => { await turn(); return [address] }]
  const nowhere = [['127.0.0.1:1'], () => { throw pick(FAULTS)() }, async () => { throw new Error('no brokers') }]
  const kafka = brokers =>
    new Kafka({
      brokers,
      logLevel: logLevel.NOTHING,
      requestTimeout: 1_000,
      connectionTimeout: 500,
      retry: { retries: 1 + below(3), initialRetryTime: 1 + below(10), maxRetryTime: 30 },
    })
  // All members speak of one assigner, or they could not be of one group.
  const assigners = pick([{}, {}, ...['range', 'sticky', 'cooperative-sticky'].map(one => ({ partitionAssigners: [one] }))])
  const make = {
    consumer: kafka =>
      kafka.consumer({
        groupId: 'g', maxWaitTimeInMs: 20, heartbeatInterval: 20, sessionTimeout: 400, rebalanceTimeout: 1_000,
        retry: { retries: below(3), initialRetryTime: 5, maxRetryTime: 30, restartOnFailure: async () => { if (below(4) === 0) await sleep(below(20)); return course.over || below(4) > 0 } },
        ...assigners,
      }),
    producer: kafka => kafka.producer({ idempotent: below(2) === 0, ...(below(2) && { bufferMemory: 2_000, maxBlock: 100 }) }),
    admin: kafka => kafka.admin(),
  }
  const kinds = ['consumer', 'consumer', 'consumer', 'producer', 'admin', 'producer'].slice(below(4))
  return kinds.map((kind, at) => {
    const lost = below(10) === 0
    const one = { kind, lost, name: `${kind} ${at}`, client: make[kind](kafka(lost ? pick(nowhere) : pick(ways))) }
    course.listen(one)
    return one
  })
}

/** Each client does what it is for, after all that has happened. */
const revive = async (course, producers) => {
  for (const one of course.clients.filter(({ lost }) => !lost)) {
    const { kind, client, name } = one
    course.log.push(`${name} comes again`)
    one.idle = false
    await within(client.connect(), `${name} connects again`)
    if (kind === 'producer') await within(ACTS.send(client, course), `${name} sends again`)
    if (kind === 'admin') await within(client.listTopics(), `${name} lists topics again`)
    if (kind === 'consumer') {
      const { promise, resolve } = deferred()
      one.handled = resolve
      await within(client.subscribe({ topics: [TOPIC], fromBeginning: true }), `${name} subscribes again`)
      await within(ACTS.run(client, course, one), `${name} runs again`)
      await within(client.describeGroup(), `${name} asks for its group`)
      await producers.send({ topic: TOPIC, messages: [{ value: 'x', partition: 0 }, { value: 'x', partition: 1 }] })
      await within(promise, `${name} handles again`)
    }
    await within(client.disconnect(), `${name} disconnects again`)
  }
}

const run = async seed => {
  const course = new Course(seed)
  const { below } = course
  const before = resources()
  const heldBefore = new Map(held)
  const broker = await Broker.open('lifecycles', { storage: 'memory', config: { 'group.min.session.timeout.ms': '100', 'num.partitions': '2' } })
  try {
    const { host, port } = await broker.listen()
    const control = broker.connect()
    const reached = async (type, state) => {
      const deadline = Date.now() + 10_000
      control.postMessage({ type })
      while (broker.status.state !== state && Date.now() < deadline) await sleep(5)
      assert.equal(broker.status.state, state)
    }
    const own = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING })
    const admin = own.admin()
    await admin.createTopics({ topics: [{ topic: TOPIC }, { topic: 'others' }] })
    await admin.disconnect()
    course.clients = clientsOf(course, broker, `${host}:${port}`)
    const closes = below(4) === 0 ? below(STEPS) : -1
    let one = course.clients[0]
    for (let step = 0; step < STEPS; step += 1) {
      if (below(course.burst) === 0) await (below(3) ? sleep(below(20)) : turn())
      if (step === closes) {
        course.log.push('broker.close')
        void broker.close()
      } else if (below(20) === 0) {
        const type = course.pick(['stop', 'start', 'start'])
        course.log.push(type)
        control.postMessage({ type })
      } else {
        if (below(2)) one = course.pick(course.clients)
        course.any(one)
      }
    }
    // What is under way may be so still, or not.
    if (below(2)) await course.settled()
    course.over = true
    if (closes < 0 && below(3) === 0) {
      // Who was stopped has left its group, though it is connected.
      await reached('start', 'running')
      const consumers = course.clients.filter(({ kind }) => kind === 'consumer')
      await Promise.all(consumers.map(({ name, client }) => course.call(`${name}.stop at last`, () => client.stop())))
      const members = async () => (await admin.describeGroups(['g'])).groups[0].members
      const deadline = Date.now() + 10_000
      while ((await members()).length > 0 && Date.now() < deadline) await sleep(20)
      assert.deepEqual(await members(), [], 'all consumers have stopped')
      await admin.disconnect()
    }
    await Promise.all(course.clients.map(one => course.disconnect(one, 'at last: ')))
    await course.settled()
    await turn()
    for (const one of course.clients) course.silent.add(one)
    await sleep(SILENCE)
    assert.deepEqual(course.wrong, [])
    course.silent.clear()
    if (closes < 0) {
      await reached('start', 'running')
      const producer = own.producer()
      await producer.connect()
      await revive(course, producer)
      await producer.disconnect()
      for (const one of course.clients) course.silent.add(one)
    }
  } catch (error) {
    console.log(course.log.map((line, at) => `${at} ${line}`).join('\n'))
    throw error
  } finally {
    await within(broker.close(), 'broker.close')
  }
  await sleep(SILENCE)
  assert.deepEqual(course.wrong, [])
  // Whatever this process had before, it has now, and nothing else.
  const left = () => [...resources()].filter(([kind, count]) => count > (before.get(kind) ?? 0))
  const deadline = Date.now() + 5_000
  while (left().length > 0 && Date.now() < deadline) await sleep(5)
  assert.deepEqual(left(), [], 'this keeps the process alive')
  assert.deepEqual([...held].filter(([name, count]) => count > (heldBefore.get(name) ?? 0)), [], 'these clients are in the wasm still')
  assert.deepEqual(unhandled, [])
  return course
}

const { PARTITA_SEED, PARTITA_SEEDS = 12, PARTITA_FROM = 1 } = process.env
const seeds = PARTITA_SEED ? [Number(PARTITA_SEED)] : Array.from({ length: Number(PARTITA_SEEDS) }, (_, at) => at + Number(PARTITA_FROM))
for (const seed of seeds) test(`lifecycles, PARTITA_SEED=${seed}`, () => run(seed))
