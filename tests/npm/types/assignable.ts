// Our clients are KafkaJS's to whoever names KafkaJS's types, for what we serve.

import type * as kafkajs from 'kafkajs'
import { Kafka, Partitioners } from 'partita'
import type { BrokerLike, Message } from 'partita'

declare const broker: BrokerLike
const kafka = new Kafka({ clientId: 'shop', brokers: [broker] })

export const producer: kafkajs.Producer = kafka.producer()
export const consumer: kafkajs.Consumer = kafka.consumer({ groupId: 'g' })
export const asking: kafkajs.Consumer = kafka.consumer({ groupId: 'g', groupInstanceId: 'one', commitInitialOffset: true })
export const eachMessage: kafkajs.EachMessageHandler = async () => {}
export const running = consumer.run({ eachMessage })
export const logger: kafkajs.Logger = kafka.logger()
type Refused = 'describeAcls' | 'deleteAcls' | 'createAcls' | 'alterPartitionReassignments' | 'listPartitionReassignments'
export const admin: Omit<kafkajs.Admin, Refused> = kafka.admin()
export const partitioners: typeof kafkajs.Partitioners = Partitioners
export const message = (theirs: kafkajs.Message): Message => theirs

// @ts-expect-error a number is no broker
export const wrong = new Kafka({ brokers: [5] })
// @ts-expect-error values are text, bytes or null
export const wrongValue = producer.send({ topic: 'orders', messages: [{ value: 5 }] })
