// What deleteTopics, fetchTopicMetadata and fetchTopicOffsets refuse.

import { outcome } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const admin = kafka.admin()
  await admin.connect()
  const unknown = uniq('unknown')
  log('deleteTopics: nothing', await outcome(() => admin.deleteTopics({})))
  log('deleteTopics: no list', await outcome(() => admin.deleteTopics({ topics: unknown })))
  log('deleteTopics: no string', await outcome(() => admin.deleteTopics({ topics: [5] })))
  log('deleteTopics: unknown', await outcome(() => admin.deleteTopics({ topics: [unknown] })))
  log('fetchTopicMetadata: unknown', await outcome(() => admin.fetchTopicMetadata({ topics: [unknown] })))
  log('fetchTopicMetadata: no string', await outcome(() => admin.fetchTopicMetadata({ topics: [5] })))
  log('fetchTopicMetadata: empty name', await outcome(() => admin.fetchTopicMetadata({ topics: [''] })))
  log('fetchTopicMetadata: invalid name', await outcome(() => admin.fetchTopicMetadata({ topics: ['not a topic!'] })))
  log('an admin client creates no topics', (await admin.listTopics()).includes(unknown))
  for (const method of ['fetchTopicOffsets', 'fetchTopicOffsetsByTimestamp']) {
    log(`${method}: nothing`, await outcome(() => admin[method]()))
    log(`${method}: empty name`, await outcome(() => admin[method]('')))
    log(`${method}: no string`, await outcome(() => admin[method](5)))
    log(`${method}: unknown`, await outcome(() => admin[method](unknown)))
  }
}
