// H0STCNI0 / H0STCNI9: order and execution notices → execution reports.
//
// N1. Fields 0 to 17 are read by index; the width (23, 26 or more) is what the frame says. Nothing after 17 is needed.
// N2. The quantity of a fill is #9. #16 is the quantity of the order (pitfall 10).
// N3. A notice has no id and no cumulative quantity. The id of a report is therefore made of what it says: account, day,
//     order number, kind; for a fill also time, quantity, price and a running index among equal fills of that order. Two
//     equal partial fills in one second are two fills and have two ids; the same words heard by two connections, or
//     again after a reconnect, have the same ids.
// N4. A fill that would bring the order above its own quantity and that equals an earlier one is that earlier one heard
//     again, and keeps its id. A repetition below that cannot be told from a second fill: the order list
//     (`tot_ccld_qty`) decides there.
// N5. One HTS ID hears every account of its owner. Notices of other accounts are counted, not reported.
import { type InstrumentId, InstrumentIdError, instrumentId } from '#shared/domain/instrument.ts'
import type { ExecutionKind, ExecutionReport } from '#shared/domain/execution.ts'
import { type Instant, MS_PER_DAY, type SessionDate, TimeError, addMs, kstDate } from '#shared/domain/time.ts'
import { type Price, type Quantity, price, quantity } from '#shared/domain/values.ts'
import { accountIdOf } from './accounts.ts'
import { kstTime, orderNumber, quoted } from './fields.ts'

export type NoticeReport = ExecutionReport & { readonly brokerRoute: string; readonly detail?: string }

export type NoticeResult =
  | { readonly kind: 'report'; readonly report: NoticeReport }
  /** Nothing that changes an order: an amend or cancel that was received but not confirmed, or another account. */
  | { readonly kind: 'ignored'; readonly otherAccount: boolean }
  | { readonly kind: 'unreadable'; readonly reason: string }

export interface NoticeReader {
  /** Every record of a decrypted payload, in order. `now` supplies the date. */
  read(text: string, count: number, now: Instant): readonly NoticeResult[]
}

/** The fields that this adapter reads. */
const FIELD = {
  account: 1,
  order: 2,
  originalOrder: 3,
  side: 4,
  change: 5,
  symbol: 8,
  quantity: 9,
  price: 10,
  time: 11,
  refused: 12,
  isFill: 13,
  acceptance: 14,
  branch: 15,
  orderQuantity: 16,
} as const
const WIDTH_MIN = 18
/** Below twice the narrowest: a count that lies by half is refused. */
const WIDTH_MAX = 35
/** Orders whose fills are counted at once; the oldest is forgotten first. */
const ORDERS_MAX = 20_000

class NoticeFault extends Error {}

/** What one order's fills on this connection add up to. */
interface Heard {
  filled: bigint
  readonly equalFills: Map<string, number>
}

/** One reader a connection: the running index of N3 begins again with each. */
export function noticeReader(accountId: string): NoticeReader {
  const heard = new Map<string, Heard>()
  const heardOf = (order: string): Heard => {
    const known = heard.get(order)
    if (known !== undefined) return known
    const [oldest] = heard.keys()
    if (heard.size >= ORDERS_MAX && oldest !== undefined) heard.delete(oldest)
    const fresh = { filled: 0n, equalFills: new Map<string, number>() }
    heard.set(order, fresh)
    return fresh
  }

  return {
    read(text, count, now) {
      const fields = text.split('^')
      const width = fields.length / count
      if (!Number.isInteger(width) || width < WIDTH_MIN || width > WIDTH_MAX) {
        return [{ kind: 'unreadable', reason: `${fields.length} fields do not make ${count} notices` }]
      }
      return Array.from({ length: count }, (_, record) => {
        try {
          return resultOf(fields.slice(record * width, (record + 1) * width), accountId, now, heardOf)
        } catch (error) {
          if (!(error instanceof NoticeFault)) throw error
          return { kind: 'unreadable' as const, reason: `notice ${record + 1} of ${count}: ${error.message}` }
        }
      })
    },
  }
}

function resultOf(
  fields: readonly string[],
  accountId: string,
  now: Instant,
  heardOf: (order: string) => Heard,
): NoticeResult {
  const noticed = textOf(fields, FIELD.account, /^\d{8}-?\d{2}$/).replace('-', '')
  if (accountIdOf(noticed) !== accountId) return { kind: 'ignored', otherAccount: true }
  const kind = kindOf(fields)
  if (kind === undefined) return { kind: 'ignored', otherAccount: false }

  const brokerOrderId = orderNumber(fields[FIELD.order] ?? '')
  if (brokerOrderId === undefined) throw faultOf(fields, FIELD.order)
  const original = orderNumber(fields[FIELD.originalOrder] ?? '')
  const { date, eventTime } = timeOf(fields, now)
  // Order notices repeat the order's quantity in #9; some leave #16 at zero.
  const stated = quantityOf(fields, FIELD.orderQuantity)
  const orderQuantity = stated > 0n ? stated : quantityOf(fields, FIELD.quantity)
  if (orderQuantity <= 0n) throw faultOf(fields, FIELD.orderQuantity)

  const fill = kind === 'fill' ? fillOf(fields) : undefined
  const word = `${accountId}:${date}:${brokerOrderId}:${kind}`
  const executionId =
    fill === undefined ? word : `${word}:${fillName(fields, fill, orderQuantity, heardOf(brokerOrderId))}`
  return {
    kind: 'report',
    report: {
      executionId,
      accountId,
      kind,
      brokerOrderId,
      ...(original === undefined || original === brokerOrderId ? {} : { originalBrokerOrderId: original }),
      instrumentId: instrumentOf(fields),
      side: textOf(fields, FIELD.side, /^0[12]$/) === '01' ? 'sell' : 'buy',
      orderQuantity,
      ...fill,
      eventTime,
      brokerRoute: (fields[FIELD.branch] ?? '').trim().slice(0, 20),
      ...detailOf(fields, kind),
    },
  }
}

/** Undefined for a change that KIS has received and not yet confirmed: the order is as it was. */
function kindOf(fields: readonly string[]): ExecutionKind | undefined {
  const refused = textOf(fields, FIELD.refused, /^[01]$/) === '1'
  const isFill = textOf(fields, FIELD.isFill, /^[12]$/) === '2'
  const change = textOf(fields, FIELD.change, /^[012]$/)
  const acceptance = textOf(fields, FIELD.acceptance, /^[123]$/)
  if (refused) return 'rejected'
  if (isFill) return 'fill'
  if (acceptance === '3') return 'canceled' // the rest of an IOC or FOK
  if (change === '0') return 'accepted'
  if (acceptance === '1') return undefined
  return change === '1' ? 'amended' : 'canceled'
}

/** N3 and N4. */
function fillName(
  fields: readonly string[],
  fill: { readonly lastQuantity: Quantity; readonly lastPrice: Price },
  orderQuantity: Quantity,
  heard: Heard,
): string {
  const words = `${(fields[FIELD.time] ?? '').trim()}:${fill.lastQuantity}@${fill.lastPrice}`
  const equalSoFar = heard.equalFills.get(words) ?? 0
  const overfills = heard.filled + fill.lastQuantity > orderQuantity
  if (overfills && equalSoFar > 0) return `${words}:${equalSoFar - 1}`
  heard.filled += fill.lastQuantity
  heard.equalFills.set(words, equalSoFar + 1)
  return `${words}:${equalSoFar}`
}

function fillOf(fields: readonly string[]): { readonly lastQuantity: Quantity; readonly lastPrice: Price } {
  const lastQuantity = quantityOf(fields, FIELD.quantity)
  const text = textOf(fields, FIELD.price, /^\d{1,12}(\.\d{1,4})?$/)
  const lastPrice = price(text)
  if (lastQuantity <= 0n) throw faultOf(fields, FIELD.quantity)
  if (lastPrice <= 0n) throw faultOf(fields, FIELD.price)
  return { lastQuantity, lastPrice }
}

const quantityOf = (fields: readonly string[], index: number): Quantity => {
  const text = textOf(fields, index, /^\d{0,12}$/)
  return quantity(text === '' ? '0' : text)
}

function timeOf(
  fields: readonly string[],
  now: Instant,
): { readonly date: SessionDate; readonly eventTime: Instant } {
  const text = textOf(fields, FIELD.time, /^\d{6}$/)
  try {
    const today = kstTime(kstDate(now), text)
    // A notice of late evening that is heard after midnight belongs to the day before.
    const eventTime = today - now > MS_PER_DAY / 2 ? addMs(today, -MS_PER_DAY) : today
    return { date: kstDate(eventTime), eventTime }
  } catch (error) {
    throw error instanceof TimeError ? faultOf(fields, FIELD.time) : error
  }
}

function instrumentOf(fields: readonly string[]): InstrumentId {
  const symbol = textOf(fields, FIELD.symbol, /^[0-9A-Z]{6,7}$/)
  try {
    return instrumentId(`${symbol}.KRX`)
  } catch (error) {
    throw error instanceof InstrumentIdError ? faultOf(fields, FIELD.symbol) : error
  }
}

/** The frame gives no reason; what was refused is all that can be said. */
function detailOf(fields: readonly string[], kind: ExecutionKind): { readonly detail?: string } {
  if (kind !== 'rejected') return {}
  const change = fields[FIELD.change]
  const what = change === '1' ? 'the amend' : change === '2' ? 'the cancel' : 'the order'
  return { detail: `the venue refused ${what}` }
}

function textOf(fields: readonly string[], index: number, pattern: RegExp): string {
  const text = (fields[index] ?? '').trim()
  if (!pattern.test(text)) throw faultOf(fields, index)
  return text
}

function faultOf(fields: readonly string[], index: number): NoticeFault {
  const name = Object.entries(FIELD).find(([, place]) => place === index)?.[0] ?? ''
  return new NoticeFault(`${name} (#${index}) cannot be ${quoted(fields[index] ?? '')}`)
}
