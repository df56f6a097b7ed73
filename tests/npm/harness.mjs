// Runs one program on one target and gives back what it logged, normalized.
//
// A target is `{ name, kafkajs, open() }`: the module in KafkaJS's shape, and `open()` that resolves to
// `{ brokers, close() }`. Three exist: our package with a broker in memory, a fresh one for each program; our package on
// a cluster (`PARTITA_BROKERS=HOST:PORT`), to check our client against a real Kafka; and KafkaJS on a cluster
// (`PARTITA_KAFKA=HOST:PORT`).

import { readFile, readdir } from 'node:fs/promises'
import { createNormalizer } from './normalize.mjs'

/** A program that takes longer than this has failed, in milliseconds. */
const LIMIT = 90_000

const here = new URL('./', import.meta.url)

/** Names of all programs, sorted. */
export const programs = async () =>
  (await readdir(new URL('programs/', here)))
    .filter(file => file.endsWith('.mjs'))
    .map(file => file.slice(0, -'.mjs'.length))
    .sort()

/** Where a program's recorded answers are. */
export const answersFile = program => new URL(`answers/${program}.json`, here)

/** KafkaJS on the cluster at `address`, with the codecs its users install. */
const openKafkaJs = async address => {
  const { default: kafkajs } = await import('kafkajs')
  const { useCodecs } = await import('./codecs.mjs')
  await useCodecs(kafkajs)
  return { name: `KafkaJS on ${address}`, kafkajs, open: async () => ({ brokers: [address], close: async () => {} }) }
}

/** The built package, as its manifest says Node gets it. */
const importPackage = async () => {
  const dist = new URL('../../dist/npm/', here)
  const manifest = JSON.parse(await readFile(new URL('package.json', dist), 'utf8'))
  return import(new URL(manifest.exports['.'].node, dist))
}

/** Our package on the cluster at `address`. */
const openClient = async address => ({
  name: `the package partita on ${address}`,
  kafkajs: await importPackage(),
  open: async () => ({ brokers: [address], close: async () => {} }),
})

/** Our package with a broker of its own for each program, in memory. */
const openPackage = async () => {
  const partita = await importPackage()
  return {
    name: 'the package partita',
    kafkajs: partita,
    open: async program => {
      const broker = await partita.Broker.open(`contract-${program}`, { storage: 'memory' })
      return { brokers: [broker], close: () => broker.close() }
    },
  }
}

/** The target that the environment asks for. */
export const target = () => {
  process.env.KAFKAJS_NO_PARTITIONER_WARNING ??= '1'
  const { PARTITA_KAFKA, PARTITA_BROKERS } = process.env
  if (PARTITA_KAFKA) return openKafkaJs(PARTITA_KAFKA)
  return PARTITA_BROKERS ? openClient(PARTITA_BROKERS) : openPackage()
}

/** `Kafka` that keeps quiet unless told otherwise and remembers its clients, so that a failed program leaves none. */
const tracked = (Kafka, NOTHING, clients) => {
  const remember = client => {
    clients.push(client)
    return client
  }
  return class extends Kafka {
    constructor(config) {
      super({ logLevel: NOTHING, ...config })
    }
    producer(...args) {
      return remember(super.producer(...args))
    }
    consumer(...args) {
      return remember(super.consumer(...args))
    }
    admin(...args) {
      return remember(super.admin(...args))
    }
  }
}

/** Runs the program; resolves to `[{ label, value }]` in the order logged. */
export const run = async (program, { kafkajs, open }) => {
  const { default: main } = await import(new URL(`programs/${program}.mjs`, here))
  const id = Math.random().toString(36).slice(2, 10).padEnd(8, '0')
  const suffix = `-${id}`
  const normalize = createNormalizer({ suffix, kafkajs })
  const logged = []
  const log = (label, value) => {
    if (logged.some(entry => entry.label === label)) throw new Error(`logged twice: ${label}`)
    logged.push({ label, value: normalize(value) })
  }
  const clients = []
  const Kafka = tracked(kafkajs.Kafka, kafkajs.logLevel.NOTHING, clients)
  const { brokers, close } = await open(program)
  let timer
  const late = new Promise((_, reject) => {
    const last = () => logged.at(-1)?.label ?? 'the start'
    timer = setTimeout(() => reject(new Error(`${program} hangs after "${last()}"`)), LIMIT)
  })
  try {
    const context = { Kafka, brokers, kafkajs: { ...kafkajs, Kafka }, uniq: name => name + suffix, log }
    await Promise.race([main(context), late])
  } finally {
    clearTimeout(timer)
    await Promise.allSettled(clients.map(client => client.disconnect()))
    await close()
  }
  return logged
}
