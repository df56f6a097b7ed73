// KafkaJS on the port behaves as on Apache Kafka: the contract's programs (`tests/npm`), with Kafka's recorded answers.

import { after } from 'node:test'
import { partita } from './harness.mjs'

const { address } = await partita({ after })
process.env.PARTITA_KAFKA = address
await import('../npm/contract.test.mjs')
