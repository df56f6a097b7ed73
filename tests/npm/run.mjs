// Runs one program on one target and gives back what it logged, normalized. Runs in Node and in pages.
//
// A target is `{ name, kafkajs, open(program) }`: the module in KafkaJS's shape, and `open` that resolves to
// `{ brokers, close() }`.

import { createNormalizer } from './normalize.mjs'

/** A program that takes longer than this has failed, in milliseconds. */
const LIMIT = 240_000

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
  const { default: main } = await import(new URL(`programs/${program}.mjs`, import.meta.url))
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
