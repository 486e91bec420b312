// A contract is one value: CloudEvents type, topic, partition key and schema. All else is derived from it.
import { type ZodType, type z } from 'zod'
import { parserOf } from './reader.ts'

/** CloudEvents 1.0 attributes as JTS uses them; `data` is JSON. Never changed after creation. */
export interface EventOf<Data> {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string
  /** RFC 3339, UTC. */
  readonly time: string
  readonly datacontenttype: 'application/json'
  /** What stays in order: the Kafka record key. */
  readonly partitionkey: string
  /** Id of the market event or human action that began it all. */
  readonly correlationid: string
  /** Id of the event that caused this one; its own id where nothing did. */
  readonly causationid: string
  /** W3C trace context. */
  readonly traceparent?: string
  readonly data: Data
}

export type Event = EventOf<unknown>

export const TOPICS = {
  'market.frames': 'raw broker frames as received, by instrument',
  'market.ticks': 'trade ticks and quote ticks, by instrument',
  'market.bars': 'closed bars, by instrument',
  'strategy.signals': 'opinions of strategies, by strategy and instrument',
  orders: 'the life of orders, by account',
  executions: 'execution reports and stream changes, by account',
  risk: 'valuations, breaches and trading states, by account',
  notifications: 'messages to people and what became of them, by recipient',
  backtests: 'backtests asked for and ended, by backtest',
  timers: 'session phases and timers, by timer',
} as const
export type Topic = keyof typeof TOPICS

export interface EventContract<Schema extends ZodType = ZodType> {
  readonly name: string
  /** `jts.<noun>.<participle>.v<n>`. */
  readonly type: string
  readonly topic: Topic
  /** One sentence for the catalogue. */
  readonly summary: string
  readonly schema: Schema
  /** As `schema.safeParse`, faster. */
  parse(data: unknown): z.ZodSafeParseResult<z.output<Schema>>
  key(data: z.output<Schema>): string
  /** What the event is about: an instrument, an order, an account. Defaults to the key. */
  subject(data: z.output<Schema>): string
}

export type DataOf<Contract extends EventContract> = z.output<Contract['schema']>

export function defineEvent<Schema extends ZodType>(
  contract: Omit<EventContract<Schema>, 'subject' | 'parse'> & {
    readonly subject?: EventContract<Schema>['subject']
  },
): EventContract<Schema> {
  let parse: EventContract<Schema>['parse'] | undefined
  return {
    subject: contract.key,
    ...contract,
    parse: (data) => {
      // Made for the first event: a process meets few of all contracts.
      parse ??= parserOf(contract.schema)
      return parse(data)
    },
  }
}

/** Something that a function says has happened: not yet an event, since the host gives ids and times. */
export interface Output<Contract extends EventContract = EventContract> {
  readonly contract: Contract
  readonly data: DataOf<Contract>
}

export const output = <Contract extends EventContract>(
  contract: Contract,
  data: DataOf<Contract>,
): Output<Contract> => ({ contract, data })

/** True when `event` is of this contract; narrows its data. Does not validate: the host has. */
export const isOf = <Contract extends EventContract>(
  contract: Contract,
  event: Event,
): event is EventOf<DataOf<Contract>> => event.type === contract.type
