// A program in TypeScript for KafkaJS, producer and admin: it must compile with KafkaJS's types and with ours.

import {
  CompressionTypes, ConfigResourceTypes, ConfigSource, Kafka, KafkaJSConnectionError, KafkaJSError,
  KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError, KafkaJSRequestTimeoutError,
  Partitioners, logLevel,
} from 'client'
import type {
  Admin, DescribeConfigResponse, GroupDescription, ICustomPartitioner, IHeaders, ITopicConfig, KafkaConfig, LogEntry,
  Logger, Message, PartitionMetadata, PartitionerArgs, Producer, ProducerBatch, ProducerConfig, ProducerRecord,
  RecordMetadata, RequestEvent, RetryOptions, SeekEntry, TopicMessages, logCreator,
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
  await transaction.sendOffsets({ consumerGroupId: 'g', topics: [{ topic: 'orders', partitions: [{ partition: 0, offset: '1' }] }] })
  await (transaction.isActive() ? transaction.commit() : transaction.abort())
  await producer.disconnect()
  return sent.map(({ topicName, partition, baseOffset, errorCode }) => `${topicName} ${partition} ${baseOffset ?? ''} ${errorCode}`)
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

export const made: Error[] = [
  new KafkaJSError('text', { retriable: false }), new KafkaJSNonRetriableError(new Error('text')),
  new KafkaJSProtocolError(new Error('text')), new KafkaJSConnectionError('text', { broker: 'b:1', code: 'ECONNREFUSED' }),
  new KafkaJSNumberOfRetriesExceeded('text', { retryCount: 1, retryTime: 2 }),
]
