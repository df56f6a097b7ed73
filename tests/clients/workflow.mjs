// What every client must be able to do on the port: produce, share a topic in a group, take over from a member that
// was killed, commit, resume where the group left off, find records by time.
//
// A client is a program with three commands (`programs/kafkajs.mjs` describes them), given as
// `{ produce, member, since }`, each a function from arguments to `[file, args]`. One that does not speak as they do has
// `events`, from a `Program` to what it has told; `input`, from numbers to what `produce` reads; `leave`, the signal
// upon which a member leaves in peace.

import assert from 'node:assert/strict'
import { Kafka, logLevel } from 'kafkajs'
import { Program, eventually, partita, until } from './harness.mjs'

const PARTITIONS = 4
const GROUP = 'group'

/** A client at work, which tells what happens to it. */
class Client extends Program {
  #events
  /** The signal upon which it leaves, if it is not the end of its input. */
  leave

  /** Starts `command` of the client; it ends with the test. */
  constructor(t, client, command, ...args) {
    super(...client[command](...args))
    this.leave = client.leave
    this.#events = client.events ?? (({ lines }) => lines.map(line => JSON.parse(line)))
    t.after(() => this.kill())
  }

  told(kind) {
    return this.#events(this).filter(({ event }) => event === kind)
  }

  /** The partitions that it was given last. */
  get assigned() {
    return this.told('assigned').at(-1)?.partitions ?? []
  }

  /** The numbers of the records that it has received. */
  get received() {
    return this.told('record').map(({ key }) => Number(key.slice('key-'.length)))
  }
}

/** Resolves once these members share all partitions equally, and none has two owners. */
const share = (...members) => {
  const fair = PARTITIONS / members.length
  const settled = () => {
    const owned = members.map(member => member.assigned)
    return (new Set(owned.flat()).size === PARTITIONS && owned.every(({ length }) => length === fair)) || undefined
  }
  return until(members, settled, `an equal share for ${members.length}`)
}

const numbers = (first, count) => Array.from({ length: count }, (_, index) => first + index)

/** Resolves once the members together have received these records. */
const receive = (members, first, count) => {
  const all = () => {
    const have = new Set(members.flatMap(({ received }) => received))
    return numbers(first, count).every(number => have.has(number)) || undefined
  }
  return until(members, all, `the records ${first} to ${first + count - 1}`)
}

/** Resolves once the group's committed offsets are the ends of all partitions, as another client sees them. */
const commit = (admin, topic) =>
  eventually(async () => {
    const ends = await admin.fetchTopicOffsets(topic)
    const [{ partitions }] = await admin.fetchOffsets({ groupId: GROUP, topics: [topic] })
    const offset = wanted => partitions.find(({ partition }) => partition === wanted).offset
    return ends.every(({ partition, high }) => high === '0' || offset(partition) === high) || undefined
  }, 'committed offsets at the end of each partition')

/** A broker with a topic, and what is done with it by clients. */
const onBroker = async t => {
  const topic = 'orders'
  const { address } = await partita(t, '--topic', `${topic}:${PARTITIONS}`)
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.ERROR }).admin()
  await admin.connect()
  t.after(() => admin.disconnect())
  const start = (client, command, ...args) => new Client(t, client, command, address, topic, ...args)
  return {
    start,
    join: client => start(client, 'member', GROUP),
    leave(member) {
      member.finish()
      if (member.leave) member.kill(member.leave)
      return member.done()
    },
    async produce(client, count, first) {
      const program = start(client, 'produce', count, first)
      program.finish(client.input?.(numbers(first, count)))
      await program.done()
    },
    committed: () => commit(admin, topic),
  }
}

/** Goes through all of it with that client, on a broker of its own. */
export const workflow = async (t, client) => {
  const { start, join, leave, produce, committed } = await onBroker(t)
  await produce(client, 200, 0)
  const [first, second] = [join(client), join(client)]
  await share(first, second)
  await receive([first, second], 0, 200)

  // A member that is killed says nothing: its session must run out.
  first.kill('SIGKILL')
  await produce(client, 40, 200)
  await share(second)
  await receive([second], 200, 40)
  await committed()
  await leave(second)

  // What comes now is later than all before, by the clock that all share.
  const then = Date.now() + 1
  await eventually(() => Date.now() > then || undefined, 'the next millisecond')
  await produce(client, 20, 240)
  const third = join(client)
  await receive([third], 240, 20)
  assert.deepEqual(third.received.filter(number => number < 240), [], 'what was committed comes again')
  await leave(third)

  const reader = start(client, 'since', then, 20)
  reader.finish()
  await reader.done()
  assert.deepEqual(reader.received.sort((a, b) => a - b), numbers(240, 20))
}

/** Two clients in one group, one after the other; the first is killed in the end. */
export const mixed = async (t, one, other) => {
  const { join, leave, produce, committed } = await onBroker(t)
  const first = join(one)
  await share(first)
  const second = join(other)
  await share(first, second)
  await produce(one, 100, 0)
  await produce(other, 100, 100)
  await receive([first, second], 0, 200)
  first.kill('SIGKILL')
  await share(second)
  await produce(one, 40, 200)
  await receive([second], 200, 40)
  await committed()
  await leave(second)
}
