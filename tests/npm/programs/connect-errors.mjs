// Brokers that are missing, malformed or away, for each kind of client.

import { outcome } from '../support.mjs'

export default async function ({ Kafka, brokers, log }) {
  const retry = { retries: 1, initialRetryTime: 20 }
  const kinds = {
    producer: kafka => kafka.producer(),
    consumer: kafka => kafka.consumer({ groupId: 'g', retry }),
    admin: kafka => kafka.admin(),
  }
  for (const [kind, client] of Object.entries(kinds)) {
    const connect = async config => {
      const it = client(new Kafka({ clientId: 'shop', retry, ...config }))
      return outcome(() => it.connect())
    }
    log(`${kind}: no brokers`, await connect({}))
    log(`${kind}: an empty list`, await connect({ brokers: [] }))
    log(`${kind}: no address`, await connect({ brokers: [5] }))
    log(`${kind}: an empty address`, await connect({ brokers: [''] }))
    log(`${kind}: a function that throws`, await connect({ brokers: () => { throw new Error('no discovery') } }))
    log(`${kind}: a function that gives nothing`, await connect({ brokers: async () => [] }))
    log(`${kind}: a function`, await connect({ brokers: async () => brokers }))
    log(`${kind}: nobody listens there`, await connect({ brokers: ['127.0.0.1:1'] }))
  }
}
