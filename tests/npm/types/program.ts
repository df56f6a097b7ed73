// A program in TypeScript for KafkaJS: it must compile with KafkaJS's types and with ours.

import {
  AssignerProtocol, CompressionCodecs, CompressionTypes, ConfigResourceTypes, ConfigSource, Kafka, KafkaJSConnectionError, KafkaJSError,
  KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError, KafkaJSRequestTimeoutError,
  PartitionAssigners, Partitioners, logLevel,
} from 'client'
import { connect } from 'node:tls'
import type {
  Admin, AuthenticationProviderArgs, Authenticator, Batch, Consumer, ConsumerConfig, ConsumerCrashEvent, ConsumerGroupJoinEvent, ConsumerRunConfig,
  ConsumerSubscribeTopics, DescribeConfigResponse, EachBatchHandler, EachBatchPayload, EachMessagePayload,
  GroupDescription, ICustomPartitioner, IHeaders, ISocketFactory, ISocketFactoryArgs, ITopicConfig, KafkaJSConnectionErrorMetadata, KafkaConfig, LogEntry,
  KafkaMessage, Logger, Mechanism, Message, MessageSetEntry, OffsetsByTopicPartition, PartitionAssigner, PartitionMetadata, PartitionerArgs, Producer, ProducerBatch, ProducerConfig, ProducerRecord,
  RecordBatchEntry, RecordMetadata, RequestEvent, SASLMechanism, SASLOptions, Sender, RetryOptions, SeekEntry, TopicMessages, logCreator,
} from 'client'

const retry: RetryOptions = { retries: 3, initialRetryTime: 100, maxRetryTime: 1000, factor: 0.2, multiplier: 2 }

const entries: string[] = []
const logger: logCreator = (level: logLevel) => ({ namespace, label, log }: LogEntry) => {
  if (level >= logLevel.INFO) entries.push(`${label} ${namespace} ${log.message} ${log.timestamp} ${log.extra}`)
}

const config: KafkaConfig = {
  clientId: 'shop', brokers: ['localhost:9092'], retry, logLevel: logLevel.WARN, logCreator: logger,
  connectionTimeout: 1000, requestTimeout: 30000, enforceRequestTimeout: true,
}
const kafka = new Kafka(config)

// What Partita refuses when it runs compiles nevertheless.
const sasl: SASLOptions = { mechanism: 'scram-sha-256', username: 'me', password: 'secret' }
const own = (provider: (args: AuthenticationProviderArgs) => Authenticator): Mechanism => ({ mechanism: 'own', authenticationProvider: provider })
const name: SASLMechanism = sasl.mechanism
const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }: ISocketFactoryArgs) => connect({ host, port, ...ssl }, onConnect)
export const secured = [
  new Kafka({ ...config, ssl: true, sasl }), new Kafka({ ...config, ssl: { ca: ['pem'] }, socketFactory }),
  new Kafka({ ...config, sasl: own(({ host }) => ({ authenticate: async () => void entries.push(host, name) })) }),
]
const through = (sender: Sender): Promise<RecordMetadata[]> => sender.send({ topic: 'orders', messages: [{ value: 'x' }] })
export const size = (message: MessageSetEntry | RecordBatchEntry): number => message.size ?? message.attributes
CompressionCodecs[CompressionTypes.Snappy] = () => ({})
export const another = new Kafka({ ...config, brokers: async () => ['localhost:9092'] })

const byRegion: ICustomPartitioner = () => ({ topic, partitionMetadata, message }: PartitionerArgs): number => {
  const leaders: PartitionMetadata[] = partitionMetadata.filter(({ leader }) => leader >= 0)
  return topic.length > 0 && message.key ? (leaders[0]?.partitionId ?? 0) : 0
}

export async function produce(): Promise<string[]> {
  const options: ProducerConfig = { createPartitioner: byRegion, idempotent: true, maxInFlightRequests: 1, retry }
  const producer: Producer = kafka.producer(options)
  const legacy: Producer = kafka.producer({ createPartitioner: Partitioners.LegacyPartitioner })
  const remove = producer.on(producer.events.REQUEST, (event: RequestEvent) => {
    const { apiName, duration, size }: { apiName: string; duration: number; size: number } = event.payload
    entries.push(`${event.id} ${event.type} ${apiName} ${duration} ${size}`)
  })
  producer.on('producer.connect', ({ timestamp }) => entries.push(timestamp.toFixed()))
  producer.on(producer.events.REQUEST_QUEUE_SIZE, ({ payload: { queueSize } }) => entries.push(queueSize.toFixed()))
  await producer.connect()
  remove()

  const headers: IHeaders = { id: 'abc', raw: Buffer.from([1]), many: ['a', Buffer.from('b')] }
  const message: Message = { key: 'k', value: Buffer.from('v'), headers, partition: 0, timestamp: `${Date.now()}` }
  const record: ProducerRecord = { topic: 'orders', messages: [message, { value: null }], acks: -1, timeout: 1000 }
  const sent: RecordMetadata[] = await producer.send({ ...record, compression: CompressionTypes.GZIP })
  const topicMessages: TopicMessages[] = [{ topic: 'payments', messages: [{ value: 'x' }] }]
  const batch: ProducerBatch = { topicMessages, compression: CompressionTypes.LZ4 }
  await producer.sendBatch(batch)
  const transaction = await legacy.transaction()
  await transaction.send(record)
  await through(transaction)
  await through(legacy)
  await transaction.sendOffsets({ consumerGroupId: 'g', topics: [{ topic: 'orders', partitions: [{ partition: 0, offset: '1' }] }] })
  await (transaction.isActive() ? transaction.commit() : transaction.abort())
  await producer.disconnect()
  return sent.map(({ topicName, partition, baseOffset, errorCode }) => `${topicName} ${partition} ${baseOffset ?? ''} ${errorCode}`)
}

const greedy: PartitionAssigner = ({ cluster, groupId, logger }) => ({
  name: 'Greedy',
  version: 1,
  async assign({ members, topics }) {
    logger.debug(groupId, { topics })
    const [first] = members.map(({ memberMetadata }) => AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics[0] ?? '')
    const partitions: number[] = cluster.findTopicPartitionMetadata(first ?? '').map(({ partitionId }) => partitionId)
    return members.map(({ memberId }) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 1, assignment: { [first ?? '']: partitions }, userData: Buffer.alloc(0) }),
    }))
  },
  protocol: ({ topics }) => ({
    name: 'Greedy',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }),
  }),
})

export async function consume(): Promise<unknown> {
  const options: ConsumerConfig = {
    groupId: 'g', partitionAssigners: [greedy, PartitionAssigners.roundRobin], sessionTimeout: 30000,
    rebalanceTimeout: 60000, heartbeatInterval: 3000, maxBytesPerPartition: 1 << 20, minBytes: 1, maxBytes: 1 << 23,
    maxWaitTimeInMs: 500, metadataMaxAge: 1000, allowAutoTopicCreation: false, maxInFlightRequests: 5,
    readUncommitted: true, rackId: 'r', retry: { ...retry, restartOnFailure: async (error: Error) => error.name !== 'x' },
  }
  const consumer: Consumer = kafka.consumer(options)
  await consumer.connect()
  const topics: ConsumerSubscribeTopics = { topics: ['orders', /^pay.*/], fromBeginning: true }
  await consumer.subscribe(topics)
  await consumer.subscribe({ topic: 'refunds' })
  const seen: (string | undefined)[] = []
  const eachBatch: EachBatchHandler = async ({ batch, resolveOffset, heartbeat, ...rest }: EachBatchPayload) => {
    const whole: Batch = batch
    for (const message of whole.messages) {
      if (!rest.isRunning() || rest.isStale()) break
      resolveOffset(message.offset)
      await heartbeat()
    }
    const resume: () => void = rest.pause()
    resume()
    const uncommitted: OffsetsByTopicPartition = rest.uncommittedOffsets()
    await rest.commitOffsetsIfNecessary(uncommitted)
    await rest.commitOffsetsIfNecessary()
    const lag: string[] = [whole.offsetLag(), whole.offsetLagLow(), whole.highWatermark, whole.lastOffset()]
    const first: string | null = whole.firstOffset()
    seen.push(first ?? '', ...lag, `${whole.isEmpty()}`)
  }
  const running: ConsumerRunConfig = {
    autoCommit: true, autoCommitInterval: null, autoCommitThreshold: 5, eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 3, eachBatch,
  }
  await consumer.run(running)
  await consumer.run({
    eachMessage: async ({ topic, partition, message, heartbeat, pause }: EachMessagePayload) => {
      const record: KafkaMessage = message
      const text = record.value?.toString() ?? `${topic} ${partition} ${record.offset} ${record.timestamp}`
      const header = message.headers?.correlation?.toString()
      seen.push(text, record.key?.toString('hex'), header)
      pause()()
      await heartbeat()
    },
  })
  consumer.seek({ topic: 'orders', partition: 0, offset: '5' })
  consumer.pause([{ topic: 'orders', partitions: [0] }, { topic: 'payments' }])
  const paused: number[] = consumer.paused().flatMap(({ partitions }) => partitions)
  consumer.resume([{ topic: 'orders' }])
  await consumer.commitOffsets([{ topic: 'orders', partition: 0, offset: '5', metadata: 'm' }])
  const group: GroupDescription = await consumer.describeGroup()
  const remove = consumer.on(consumer.events.GROUP_JOIN, ({ payload }: ConsumerGroupJoinEvent) => {
    seen.push(...Object.values(payload.memberAssignment).flat().map(String), payload.leaderId)
  })
  remove()
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }: ConsumerCrashEvent) => seen.push(error.message, `${restart}`))
  consumer.on('consumer.commit_offsets', ({ payload }) => seen.push(payload.topics[0]?.partitions[0]?.offset))
  consumer.on(consumer.events.REQUEST, ({ payload }) => seen.push(payload.apiName))
  consumer.logger().info('done')
  await consumer.stop()
  await consumer.disconnect()
  return [paused, group.members.map(({ memberAssignment }) => memberAssignment), seen]
}

export async function administer(): Promise<unknown> {
  const admin: Admin = kafka.admin({ retry })
  await admin.connect()
  const topic: ITopicConfig = {
    topic: 'orders', numPartitions: 3, replicationFactor: 1, configEntries: [{ name: 'retention.ms', value: '1000' }],
    replicaAssignment: [{ partition: 0, replicas: [1] }],
  }
  const created: boolean = await admin.createTopics({ topics: [topic], waitForLeaders: true, validateOnly: false, timeout: 1000 })
  await admin.createPartitions({ topicPartitions: [{ topic: 'orders', count: 6 }] })
  const names: string[] = await admin.listTopics()
  const { topics } = await admin.fetchTopicMetadata({ topics: ['orders'] })
  const leaders: number[] = topics.flatMap(({ partitions }) => partitions.map(({ leader }) => leader))
  const { brokers, controller, clusterId } = await admin.describeCluster()
  const offsets: Array<SeekEntry & { high: string; low: string }> = await admin.fetchTopicOffsets('orders')
  const at: SeekEntry[] = await admin.fetchTopicOffsetsByTimestamp('orders', Date.now())
  const committed = await admin.fetchOffsets({ groupId: 'g', topics: ['orders'], resolveOffsets: true })
  const metadata: (string | null)[] = committed.flatMap(({ partitions }) => partitions.map(({ metadata }) => metadata))
  await admin.setOffsets({ groupId: 'g', topic: 'orders', partitions: [{ partition: 0, offset: '5' }] })
  await admin.resetOffsets({ groupId: 'g', topic: 'orders', earliest: true })
  await admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '-1' }] })
  const resource = { type: ConfigResourceTypes.TOPIC, name: 'orders' }
  const described: DescribeConfigResponse = await admin.describeConfigs({ resources: [{ ...resource, configNames: ['retention.ms'] }], includeSynonyms: false })
  const sources: boolean[] = described.resources.flatMap(({ configEntries }) => configEntries.map(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG))
  await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '5' }] }] })
  const { groups } = await admin.listGroups()
  const descriptions: GroupDescription[] = (await admin.describeGroups(groups.map(({ groupId }) => groupId))).groups
  const assigned: Buffer[] = descriptions.flatMap(({ members }) => members.map(({ memberAssignment }) => memberAssignment))
  const deleted = await admin.deleteGroups(['g'])
  const codes: (number | undefined)[] = deleted.map(({ errorCode }) => errorCode)
  await admin.deleteTopics({ topics: ['orders'], timeout: 1000 })
  admin.on(admin.events.CONNECT, event => entries.push(event.type))
  const log: Logger = admin.logger().namespace('mine', logLevel.DEBUG)
  log.info('done', { created, names })
  await admin.disconnect()
  return [leaders, brokers.map(({ host, port, nodeId }) => `${host}:${port} ${nodeId}`), controller, clusterId, offsets, at, metadata, sources, assigned, codes]
}

export function explain(error: unknown): string {
  if (error instanceof KafkaJSNumberOfRetriesExceeded) return `${error.retryCount} ${error.retryTime}`
  if (error instanceof KafkaJSRequestTimeoutError) return `${error.broker.length} ${error.sentAt.toFixed()}`
  if (error instanceof KafkaJSConnectionError) return error.broker.toUpperCase()
  if (error instanceof KafkaJSProtocolError) return `${error.type} ${error.code}`
  if (error instanceof KafkaJSNonRetriableError) return error.name
  if (error instanceof KafkaJSError) return `${error.retriable} ${error.message}`
  return String(error)
}

const where: KafkaJSConnectionErrorMetadata = { broker: 'b:1', code: 'ECONNREFUSED' }
export const made: Error[] = [
  new KafkaJSConnectionError('text', where), new KafkaJSError('text', { topic: 'orders', partitionId: 0 }),
  new KafkaJSError('text', { retriable: false }), new KafkaJSNonRetriableError(new Error('text')),
  new KafkaJSProtocolError(new Error('text')), new KafkaJSConnectionError('text', { broker: 'b:1', code: 'ECONNREFUSED' }),
  new KafkaJSNumberOfRetriesExceeded('text', { retryCount: 1, retryTime: 2 }),
]
