// Small helpers that programs import: waiting for things that are bound to happen, and catching errors as values.
//
// Nothing here knows which client runs: a program that uses these stays plain KafkaJS. Waits are bounded only so that
// a missing answer fails the test with a name; no program depends on how long anything takes.

/** How long a wait may last before it counts as a failure, in milliseconds: only what hangs takes as long. */
const LIMIT = 120_000

/**
 * Resolves to what `action` did: `{ resolved }`, with undefined spelled out, or `{ rejected }`, or, when it threw
 * before it returned a promise, `{ threw }`.
 */
export const outcome = async action => {
  let promise
  try {
    promise = action()
  } catch (error) {
    return { threw: error }
  }
  try {
    const value = await promise
    return { resolved: value === undefined ? '<undefined>' : value }
  } catch (error) {
    return { rejected: error }
  }
}

/** A promise together with the functions that settle it. */
export const deferred = () => {
  const it = {}
  it.promise = new Promise((resolve, reject) => Object.assign(it, { resolve, reject }))
  return it
}

/** The promise's value, or an error naming `what` when it has not come within the limit. */
export const within = async (promise, what) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not happen: ${what}`)), LIMIT)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Reads until it gets `wanted`, for what a cluster promises to show soon but not at once (a controller's change on its
 * brokers); resolves to the last value read, so that a log shows what was there instead.
 */
export const settled = async (read, wanted) => {
  const deadline = Date.now() + LIMIT
  for (;;) {
    const value = await read()
    if (JSON.stringify(value) === JSON.stringify(wanted) || Date.now() > deadline) return value
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** A list that can be waited for: handlers push into it, the program awaits `until` or `count`. */
export const inbox = () => {
  const items = []
  let waiting = []
  const check = () => {
    waiting = waiting.filter(({ predicate, resolve }) => {
      if (!predicate(items)) return true
      resolve(items)
      return false
    })
  }
  const until = (predicate, what) => {
    const { promise, resolve } = deferred()
    waiting.push({ predicate, resolve })
    check()
    return within(promise, what)
  }
  return {
    items,
    push: item => {
      items.push(item)
      check()
    },
    until,
    count: (n, what = `${n} items`) => until(() => items.length >= n, what),
  }
}

/** An inbox of the named events of a client, each as `{ type, payload }`; `names` are keys of `client.events`. */
export const listen = (client, ...names) => {
  const box = inbox()
  for (const name of names) {
    client.on(client.events[name], ({ type, payload }) => box.push({ type, payload }))
  }
  return box
}

/** Resolves at the next event of that name, to its payload. */
export const next = (client, name) => {
  const { promise, resolve } = deferred()
  const stop = client.on(client.events[name], ({ payload }) => {
    stop()
    resolve(payload)
  })
  return within(promise, `event ${name}`)
}

/** Resolves when the consumer has finished `n` more fetches. */
export const fetches = async (consumer, n) => {
  const box = inbox()
  const stop = consumer.on(consumer.events.FETCH, () => box.push(null))
  await box.count(n, `${n} fetches`)
  stop()
}

/** Sorted by partition and offset, whatever order the partitions came in. */
export const byPosition = messages =>
  [...messages].sort((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset))

/** Sorted by partition. */
export const byPartition = entries => [...entries].sort((a, b) => a.partition - b.partition)

/** Sorted by topic, and the partitions of each by number. */
export const byTopic = topics =>
  [...topics]
    .sort((a, b) => (a.topic < b.topic ? -1 : 1))
    .map(({ topic, partitions }) => ({ topic, partitions: byPartition(partitions) }))

/** Sorted by what their JSON says, for lists whose order means nothing. */
export const unordered = list =>
  [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

/** An admin client of a new `Kafka`, connected, with the topics created; most programs begin with it. */
export const withTopics = async (kafka, topics) => {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics })
  return admin
}

/**
 * Reads `count` records of a topic from its beginning with a consumer of its own; resolves to
 * `{ partition, offset, key, value, headers, timestamp }` sorted by partition and offset.
 */
export const readAll = async (kafka, topic, count, groupId = `${topic}-reader`) => {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const box = inbox()
  await consumer.run({
    eachMessage: async ({ partition, message: { offset, key, value, headers, timestamp } }) =>
      box.push({ partition, offset, key, value, headers, timestamp }),
  })
  await box.count(count, `${count} records of ${topic}`)
  await consumer.disconnect()
  return byPosition(box.items)
}
