// The programs, their answers, and the targets that Node can run them on (`run.mjs`).
//
// There are: our package with a broker in memory, a fresh one for each program, reached by the
// `Broker` itself or by its address; our package on a cluster (`PARTITA_BROKERS=HOST:PORT`), to check our client against
// a real Kafka; and KafkaJS on a cluster (`PARTITA_KAFKA=HOST:PORT`).

import { readFile, readdir } from 'node:fs/promises'

export { run } from './run.mjs'

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

/** The same, with the broker's port between. */
const openPort = async () => {
  const partita = await importPackage()
  return {
    name: 'the package partita over TCP',
    kafkajs: partita,
    open: async program => {
      const broker = await partita.Broker.open(`contract-${program}`, { storage: 'memory' })
      const { host, port } = await broker.listen({ host: '127.0.0.1', port: 0 })
      return { brokers: [`${host}:${port}`], close: () => broker.close() }
    },
  }
}

/** The targets that the environment asks for; each holds to the contract. */
export const targets = async () => {
  process.env.KAFKAJS_NO_PARTITIONER_WARNING ??= '1'
  const { PARTITA_KAFKA, PARTITA_BROKERS } = process.env
  if (PARTITA_KAFKA) return [await openKafkaJs(PARTITA_KAFKA)]
  if (PARTITA_BROKERS) return [await openClient(PARTITA_BROKERS)]
  return [await openPackage(), await openPort()]
}
