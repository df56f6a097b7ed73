// Turns what a program logged into plain JSON that is equal whenever two clusters answered the same.
//
// Replaced: what legitimately differs from run to run or from cluster to cluster (names made unique, member ids,
// node ids, addresses, cluster ids, current times, durations, sizes, correlation ids, request versions).
// Kept: everything else, types included: a Buffer shows as a Buffer, a string '3' is not a number 3.
// Errors show their name, KafkaJS classes and fields; never message or stack, which are not part of the contract.

/** Fields whose value is replaced by its type, wherever they occur. */
const VARYING = new Set([
  'apiVersion',
  'clusterId',
  'correlationId',
  'createdAt',
  'duration',
  'pendingDuration',
  'retryTime',
  'sentAt',
  'size',
])
/** Fields that name a node or an address: one number or string, or a list of them. */
const NODES = new Set(['controller', 'isr', 'leader', 'nodeId', 'offlineReplicas', 'replicas'])
const ADDRESSES = new Set(['broker', 'clientHost', 'host', 'port'])
const DAY = 24 * 3600 * 1000
const MEMBER_ID = /[\w.-]*?-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const ERROR_FIELDS = [
  'retriable', 'type', 'code', 'topic', 'partition', 'memberId', 'broker', 'host', 'port',
  'retryCount', 'retryTime', 'apiKey', 'apiName', 'unknownPartitions', 'groups', 'partitions', 'errors',
]

const isNow = number => Math.abs(number - Date.now()) < DAY
const printable = text => /^[\x20-\x7e\n\t\u00a1-\uffff]*$/u.test(text) && !text.includes('\ufffd')

/** A normalizer for one run. `suffix` is what `uniq` appended to names; `kafkajs` gives the error classes. */
export const createNormalizer = ({ suffix, kafkajs }) => {
  const members = new Map()
  const member = id => {
    if (!members.has(id)) members.set(id, `<member ${members.size + 1}>`)
    return members.get(id)
  }

  const string = text => {
    const named = text.replaceAll(suffix, '').replace(MEMBER_ID, member)
    return /^\d{13}$/.test(named) && isNow(Number(named)) ? '<time string>' : named
  }

  const bytes = (kind, view) => {
    const buffer = Buffer.from(view.buffer, view.byteOffset, view.byteLength)
    const text = buffer.toString('utf8')
    return printable(text) ? `${kind}(${string(text)})` : `${kind}<${buffer.toString('hex')}>`
  }

  const classes = error =>
    Object.entries(kafkajs)
      .filter(([name, value]) => name.startsWith('KafkaJS') && typeof value === 'function')
      .filter(([, value]) => error instanceof value)
      .map(([name]) => name)
      .sort()

  const error = it => {
    const is = classes(it)
    if (is.length === 0) return { error: it.name }
    const fields = ERROR_FIELDS.filter(name => it[name] !== undefined)
    return {
      error: it.name,
      is,
      ...Object.fromEntries(fields.map(name => [name, field(name, it[name])])),
      ...(it.cause === undefined ? {} : { cause: value(it.cause) }),
    }
  }

  const field = (name, it) => {
    if (it === null || it === undefined) return value(it)
    if (VARYING.has(name)) return `<${typeof it}>`
    if (NODES.has(name)) return Array.isArray(it) ? it.map(() => '<node>') : '<node>'
    if (ADDRESSES.has(name)) return `<${name}>`
    return value(it)
  }

  const value = it => {
    if (it === undefined) return '<undefined>'
    if (it === null || typeof it === 'boolean') return it
    if (typeof it === 'number') return isNow(it) ? '<time number>' : Number.isNaN(it) ? '<NaN>' : it
    if (typeof it === 'bigint') return `<bigint ${it}>`
    if (typeof it === 'function') return '<function>'
    if (typeof it === 'string') return string(it)
    if (it instanceof Error) return error(it)
    if (Buffer.isBuffer(it)) return bytes('Buffer', it)
    if (ArrayBuffer.isView(it)) return bytes(it.constructor.name, it)
    if (Array.isArray(it)) return it.map(value)
    return Object.fromEntries(
      Object.keys(it)
        .filter(name => it[name] !== undefined)
        .map(name => [string(name), field(name, it[name])])
        .sort(([a], [b]) => (a < b ? -1 : 1))
    )
  }

  return value
}
