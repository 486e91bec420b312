// The audit log in ClickHouse. The rules of a chain stand in infra/clickhouse/migrations/0002-event-archive.sql.
//
// A1. A chain has one writer at a time: the consumer that holds the topic's partition. Heads are therefore read again
//     for each batch, because another process may have written since we last held it.
// A2. Before a batch is written, ids that are stored already are taken out: a redelivered event, or a batch whose first
//     attempt succeeded without our hearing of it. So a retry never lengthens a chain twice.
import { hash } from 'node:crypto'
import { formatInstant, instant, parseInstant } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { EventArchive } from '#shared/ports/event-archive.ts'
import { type BufferOptions, bufferedWriter } from './buffered-writer.ts'
import { canonicalJson } from './canonical-json.ts'
import { type ClickHouse, type Row, field } from './clickhouse.ts'

const COLUMNS = [
  'topic',
  'partitionkey',
  'sequence',
  'event_id',
  'type',
  'correlation_id',
  'time',
  'event',
  'previous_hash',
  'hash',
] as const

/** Keeps statements below ClickHouse's default limit of 256 KiB of SQL text. */
const LITERALS_MAX = 400
/** Hashing this many takes about a millisecond; then timers and sockets have their turn. */
const ROWS_PER_TURN = 250
/** Rows of a chain that are checked at a time. */
const VERIFY_STEP = 2000

interface Entry {
  readonly topic: string
  readonly partitionkey: string
  readonly eventId: string
  readonly type: string
  readonly correlationId: string
  readonly timeMs: number
  readonly json: string
}

interface Head {
  sequence: number
  hash: string
}

const chainOf = (topic: string, partitionkey: string): string => `${topic}\n${partitionkey}`

export const linkHash = (previousHash: string, json: string): string =>
  hash('sha256', `${previousHash}\n${json}`, 'hex')

/** As stored: what is no valid Unicode would stop the whole batch. */
function entryOf(topic: string, event: Event): Entry {
  let timeMs: number
  try {
    timeMs = parseInstant(event.time)
  } catch (error) {
    throw new PoisonError(`event ${event.id} has no readable time`, { cause: error })
  }
  return {
    topic,
    partitionkey: event.partitionkey.toWellFormed(),
    eventId: event.id.toWellFormed(),
    type: event.type.toWellFormed(),
    correlationId: event.correlationid.toWellFormed(),
    timeMs,
    json: canonicalJson(event),
  }
}

const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const inList = (texts: Iterable<string>): string => `(${[...new Set(texts)].map(literal).join(',')})`

function* piecesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let index = 0; index < items.length; index += LITERALS_MAX)
    yield items.slice(index, index + LITERALS_MAX)
}

/** Ids of `entries` that are stored (A2). Bounded by time, so that the size of the archive does not matter. */
async function storedIds(db: ClickHouse, entries: readonly Entry[]): Promise<Set<string>> {
  const stored = new Set<string>()
  for (const piece of piecesOf(entries)) {
    const times = piece.map(({ timeMs }) => timeMs)
    const rows = await db.select(
      `SELECT event_id FROM ${db.database}.events
       WHERE topic IN ${inList(piece.map(({ topic }) => topic))}
         AND partitionkey IN ${inList(piece.map(({ partitionkey }) => partitionkey))}
         AND time BETWEEN fromUnixTimestamp64Milli({from:Int64}) AND fromUnixTimestamp64Milli({to:Int64})
         AND event_id IN ${inList(piece.map(({ eventId }) => eventId))}`,
      { from: times.reduce((a, b) => Math.min(a, b)), to: times.reduce((a, b) => Math.max(a, b)) },
    )
    for (const row of rows) stored.add(field(row, 'event_id'))
  }
  return stored
}

/** Newest row of each chain; chains without rows are absent (A1). */
async function readHeads(
  db: ClickHouse,
  chains: readonly { topic: string; partitionkey: string }[],
): Promise<Map<string, Head>> {
  const heads = new Map<string, Head>()
  for (const piece of piecesOf(chains)) {
    const rows = await db.select(
      `SELECT topic, partitionkey, toString(max(chain_heads.sequence)) AS newest,
         argMax(chain_heads.hash, chain_heads.sequence) AS newest_hash
       FROM ${db.database}.chain_heads
       WHERE topic IN ${inList(piece.map(({ topic }) => topic))}
         AND partitionkey IN ${inList(piece.map(({ partitionkey }) => partitionkey))}
       GROUP BY topic, partitionkey`,
    )
    for (const row of rows) {
      const head = { sequence: Number(field(row, 'newest')), hash: field(row, 'newest_hash') }
      heads.set(chainOf(field(row, 'topic'), field(row, 'partitionkey')), head)
    }
  }
  return heads
}

/** Rows after the known head: there are some when a process died between writing them and the head. */
async function readBeyond(
  db: ClickHouse,
  chains: readonly { topic: string; partitionkey: string }[],
  heads: Map<string, Head>,
): Promise<void> {
  for (const piece of piecesOf(chains)) {
    const conditions = piece.map(({ topic, partitionkey }) => {
      const known = heads.get(chainOf(topic, partitionkey))?.sequence ?? 0
      return `(topic = ${literal(topic)} AND partitionkey = ${literal(partitionkey)} AND sequence > ${known})`
    })
    const rows = await db.select(
      `SELECT topic, partitionkey, toString(max(events.sequence)) AS newest,
         argMax(events.hash, events.sequence) AS newest_hash
       FROM ${db.database}.events WHERE ${conditions.join(' OR ')} GROUP BY topic, partitionkey`,
    )
    for (const row of rows) {
      const head = { sequence: Number(field(row, 'newest')), hash: field(row, 'newest_hash') }
      heads.set(chainOf(field(row, 'topic'), field(row, 'partitionkey')), head)
    }
  }
}

/** The next row of a chain, as JSON text; moves the head on. */
function nextRow(entry: Entry, head: Head): string {
  const previousHash = head.hash
  head.sequence += 1
  head.hash = linkHash(previousHash, entry.json)
  const { topic, partitionkey, eventId, type, correlationId, timeMs, json } = entry
  return JSON.stringify([
    topic,
    partitionkey,
    head.sequence,
    eventId,
    type,
    correlationId,
    timeMs,
    json,
    previousHash,
    head.hash,
  ])
}

function batchWriter(db: ClickHouse) {
  /** Chains that were read back from the rows themselves since this process began. */
  const readBack = new Set<string>()

  return async (batch: readonly Entry[]): Promise<void> => {
    const known = await storedIds(db, batch)
    const fresh = batch.filter(({ eventId }) => !known.has(eventId) && known.add(eventId))
    const chains = [
      ...new Map(fresh.map((entry) => [chainOf(entry.topic, entry.partitionkey), entry])).values(),
    ]
    const heads = await readHeads(db, chains)
    const firstSeen = chains.filter(({ topic, partitionkey }) => !readBack.has(chainOf(topic, partitionkey)))
    await readBeyond(db, firstSeen, heads)

    const rows: string[] = []
    for (const entry of fresh) {
      const chain = chainOf(entry.topic, entry.partitionkey)
      const head = heads.get(chain) ?? { sequence: 0, hash: '' }
      heads.set(chain, head)
      rows.push(nextRow(entry, head))
      if (rows.length % ROWS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    // Forgotten while the outcome is open: after a failure the rows themselves are looked at again.
    for (const { topic, partitionkey } of chains) readBack.delete(chainOf(topic, partitionkey))
    await db.insert('events', COLUMNS, rows)
    for (const { topic, partitionkey } of chains) readBack.add(chainOf(topic, partitionkey))
  }
}

type Break = { readonly eventId: string; readonly reason: string }

/** What is wrong with a row, given the one before it. */
function faultOf(row: Row, sequence: number, before: Head): string | undefined {
  if (sequence === before.sequence) return `two different rows stand at position ${sequence}`
  if (sequence !== before.sequence + 1)
    return `positions ${before.sequence + 1} to ${sequence - 1} are missing`
  if (field(row, 'previous_hash') !== before.hash) return `row ${sequence} does not follow the row before it`
  const json = field(row, 'event')
  if (linkHash(before.hash, json) !== field(row, 'hash')) return `row ${sequence} was altered`
  const event: Event = JSON.parse(json)
  const isCopied =
    event.id.toWellFormed() === field(row, 'event_id') &&
    event.type.toWellFormed() === field(row, 'type') &&
    event.correlationid.toWellFormed() === field(row, 'correlation_id') &&
    event.partitionkey.toWellFormed() === field(row, 'partitionkey') &&
    formatInstant(parseInstant(event.time)) === formatInstant(instant(Number(field(row, 'time_ms'))))
  return isCopied ? undefined : `a column of row ${sequence} does not say what the event says`
}

async function verifyChain(db: ClickHouse, topic: string, partitionkey: string): Promise<Break | undefined> {
  const stated = await readHeads(db, [{ topic, partitionkey }])
  const end = new Map(stated)
  await readBeyond(db, [{ topic, partitionkey }], end)
  const last = end.get(chainOf(topic, partitionkey))?.sequence ?? 0
  const before: Head = { sequence: 0, hash: '' }
  let lastId = ''

  for (let after = 0; after < last; after += VERIFY_STEP) {
    const rows = await db.select(
      `SELECT partitionkey, toString(sequence) AS position, event_id, type, correlation_id, event, previous_hash, hash,
         toUnixTimestamp64Milli(time) AS time_ms
       FROM ${db.database}.events
       WHERE topic = {topic:String} AND partitionkey = {partitionkey:String}
         AND sequence > {after:UInt64} AND sequence <= {to:UInt64}
       ORDER BY sequence, hash LIMIT 1 BY sequence, hash, event, event_id`,
      { topic, partitionkey, after, to: after + VERIFY_STEP },
    )
    for (const row of rows) {
      const sequence = Number(field(row, 'position'))
      const reason = faultOf(row, sequence, before)
      lastId = field(row, 'event_id')
      if (reason !== undefined) return { eventId: lastId, reason }
      before.sequence = sequence
      before.hash = field(row, 'hash')
    }
  }
  if (before.sequence < last)
    return { eventId: lastId, reason: `rows after position ${before.sequence} are missing` }
  return undefined
}

const eventsOf = (rows: readonly Row[]): readonly Event[] =>
  rows.map((row): Event => JSON.parse(field(row, 'event')))

/** Reads see what is stored, not what waits. `append` rejects with `PoisonError` for an event without a readable time. */
export function clickhouseArchive(db: ClickHouse, options: BufferOptions): EventArchive {
  const writer = bufferedWriter('events', batchWriter(db), { batchSize: 2000, ...options })
  const events = `${db.database}.events`
  return {
    append: async (added) => await writer.append(added.map(({ topic, event }) => entryOf(topic, event))),
    flush: () => writer.flush(),
    async byCorrelation(correlationId, limit) {
      const rows = await db.select(
        `SELECT event FROM ${events} WHERE correlation_id = {id:String}
         ORDER BY time, topic, partitionkey, sequence LIMIT 1 BY event_id LIMIT {limit:UInt32}`,
        { id: correlationId.toWellFormed(), limit },
      )
      return eventsOf(rows)
    },
    async byId(eventId) {
      const rows = await db.select(`SELECT event FROM ${events} WHERE event_id = {id:String} LIMIT 1`, {
        id: eventId.toWellFormed(),
      })
      return eventsOf(rows)[0]
    },
    verify: (topic, partitionkey) => verifyChain(db, topic, partitionkey.toWellFormed()),
    async count() {
      const [row] = await db.select(`SELECT toString(count()) AS events FROM ${events} FINAL`)
      return Number(row?.['events'] ?? 0)
    },
    close: () => writer.close(),
  }
}
