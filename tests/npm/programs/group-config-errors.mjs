// What the coordinator refuses: the consumer crashes, run resolves all the same. And a run without a subscription.

import { listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const attempt = async (config, topics) => {
    const consumer = kafka.consumer({ groupId: uniq('workers'), maxWaitTimeInMs: 100, ...config })
    const events = listen(consumer, 'CONNECT', 'GROUP_JOIN', 'STOP', 'DISCONNECT', 'CRASH')
    await consumer.connect()
    if (topics.length > 0) await consumer.subscribe({ topics })
    const ran = await consumer.run({ eachMessage: async () => {} })
    await events.until(all => all.some(({ type }) => /crash|group_join/.test(type)), 'a crash or a join')
    return { ran, events: events.items.map(({ type, payload }) => ({ type, payload: payload ?? null })) }
  }
  log('a session timeout below the minimum', await attempt({ sessionTimeout: 100, heartbeatInterval: 20 }, [topic]))
  log('a session timeout above the maximum', await attempt({ sessionTimeout: 3_600_000 }, [topic]))
  log('no subscription', await attempt({}, []))
}
