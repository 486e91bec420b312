// Counts what flows, and hashes everything that was decided: two runs over the same market data must agree on it.
//
// Order is a promise within what one producer says under one key and nowhere else, so each of these has a chain of its
// own, and the chains are combined in the order of their names. Left out is what tells of a run and not of the market: connections, reconciliations,
// timers, deliveries of messages.
import { createHash } from 'node:crypto'
import { CONTRACTS } from '#shared/events/catalogue.ts'
import type { Event, EventContract, Topic } from '#shared/events/contract.ts'
import { ExecutionReported } from '#shared/events/executions.ts'
import { BarClosed, QuoteChanged, SignalRaised, TickTraded } from '#shared/events/market.ts'
import type { EventBus, Subscription } from '#shared/ports/event-bus.ts'

const HASHED_TOPICS: readonly Topic[] = ['orders']
const HASHED = new Set<EventContract>([
  TickTraded,
  QuoteChanged,
  BarClosed,
  SignalRaised,
  ExecutionReported,
  ...CONTRACTS.filter((contract) => HASHED_TOPICS.includes(contract.topic)),
])
const HASHED_TYPES = new Set([...HASHED].map((contract) => contract.type))
/** How the tally subscribes. */
export const TALLY: { readonly group: string; readonly topics: readonly Topic[] } = {
  group: 'tally',
  topics: [
    'market.frames',
    'market.ticks',
    'market.bars',
    'strategy.signals',
    'orders',
    'executions',
    'risk',
    'notifications',
    'timers',
  ],
}

export interface Tally {
  /** Events of a contract so far in this run. */
  count(contract: EventContract): number
  /** The newest event of a contract. */
  newest(contract: EventContract): Event | undefined
  /** 64 hexadecimal digits. */
  eventsHash(): string
  close(): Promise<void>
}

export async function tallyOf(bus: EventBus): Promise<Tally> {
  const counts = new Map<string, number>()
  const newest = new Map<string, Event>()
  const chains = new Map<string, string>()
  const note = (topic: Topic, event: Event): void => {
    counts.set(event.type, (counts.get(event.type) ?? 0) + 1)
    newest.set(event.type, event)
    if (!HASHED_TYPES.has(event.type)) return
    const { id, source, type, subject, time, data } = event
    const key = `${topic}/${event.partitionkey}/${source}`
    const link = createHash('sha256').update(chains.get(key) ?? '')
    chains.set(key, link.update(JSON.stringify([id, type, subject, time, data])).digest('hex'))
  }
  const subscription: Subscription = await bus.subscribe(TALLY, async (batch) => {
    for (const { event, offset } of batch.records) {
      note(batch.topic, event)
      batch.resolve(offset)
    }
  })
  return {
    count: (contract) => counts.get(contract.type) ?? 0,
    newest: (contract) => newest.get(contract.type),
    eventsHash() {
      const hash = createHash('sha256')
      for (const key of [...chains.keys()].toSorted()) hash.update(`${key}=${chains.get(key)}\n`)
      return hash.digest('hex')
    },
    close: () => subscription.close(),
  }
}
