// Opens the session of an account: base prices of the day, and the equity that the daily loss is counted from.
//
// O1. Only inside a session: the night before, a broker still quotes yesterday's base price.
// O2. One instrument that cannot be quoted does not stop the others. It has no base price, so its orders are denied, and
//     it is asked for again later.
// O3. What is open already is not read again; what is missing is, by the next timer.
import { equityOf } from '#shared/domain/exposure.ts'
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import { type Instant, type SessionDate, addMs, kstDate } from '#shared/domain/time.ts'
import type { Price } from '#shared/domain/values.ts'
import type { BrokerBalance, BrokerGateway } from '#shared/ports/broker-gateway.ts'
import type { Clock } from '#shared/ports/clock.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import { isInSession } from './decide.ts'

/** Between two looks for what is new or could not be quoted. */
const RETRY_MS = 60_000
/** So many failures in a row are the broker's, not the instruments'. */
const FAILURES_MAX = 3
/** Progress is written as often as this, so that a run that is cut off need not begin again. */
const WRITE_EVERY = 50

export interface SessionDeps {
  readonly gateway: Pick<BrokerGateway, 'quote' | 'balance'>
  readonly ledger: Pick<Ledger, 'snapshot' | 'openSession'>
  readonly instruments: Instruments
  readonly clock: Clock
}

export interface Sessions {
  /** Resolves to true when this call stated the opening equity. */
  open(accountId: string, signal: AbortSignal): Promise<boolean>
}

export function sessionsOf(deps: SessionDeps): Sessions {
  const opened = new Map<string, SessionDate>()
  const prices = basePricesOf(deps)

  return {
    async open(accountId, signal) {
      const now = deps.clock.now()
      const date = kstDate(now)
      if (!isInSession(now)) return false // O1
      await prices.refresh(date, signal)
      if (opened.get(accountId) === date) return false
      const isStated = await stateEquity(deps, accountId, date, signal)
      if (isStated !== undefined) opened.set(accountId, date)
      return isStated ?? false
    },
  }
}

/** False when it was stated before; undefined when a price is missing, so that it cannot be stated. */
async function stateEquity(
  { gateway, ledger, instruments, clock }: SessionDeps,
  accountId: string,
  date: SessionDate,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const account = await ledger.snapshot(accountId, clock.now())
  if (account === undefined) return undefined
  if (account.openingDate === date) return false
  const priceOf = basePriceOf(await instruments.list(), date)
  const equity =
    equityOf(account, priceOf) ??
    equityOf(account, orListed(priceOf, await gateway.balance(accountId, signal)))
  if (equity === undefined) return undefined
  await ledger.openSession(accountId, date, equity)
  return true
}

type PriceOf = (id: InstrumentId) => Price | undefined

const hasBase = (instrument: Instrument, date: SessionDate): boolean =>
  instrument.basePrice !== undefined && instrument.basePriceDate === date

function basePriceOf(instruments: readonly Instrument[], date: SessionDate): PriceOf {
  const based = new Map(instruments.filter((each) => hasBase(each, date)).map((each) => [each.id, each]))
  return (id) => based.get(id)?.basePrice
}

/** What an account holds of instruments that we do not follow is valued as the broker does. */
export function orListed(priceOf: PriceOf, balance: BrokerBalance): PriceOf {
  const listed = new Map(balance.positions.map(({ instrumentId, lastPrice }) => [instrumentId, lastPrice]))
  return (id) => priceOf(id) ?? listed.get(id)
}

/** Base prices of the day for every instrument we know. */
function basePricesOf({ gateway, instruments, clock }: SessionDeps) {
  const nextTry = new Map<InstrumentId, Instant>()
  let complete: { readonly date: SessionDate; readonly until: Instant } | undefined
  let underWay: Promise<void> | undefined

  const read = async (date: SessionDate, signal: AbortSignal): Promise<void> => {
    const now = clock.now()
    const missing = (await instruments.list()).filter((each) => !hasBase(each, date))
    let based: Instrument[] = []
    let failures = 0
    let found = 0
    try {
      for (const instrument of missing) {
        if (failures >= FAILURES_MAX || signal.aborted) break
        if ((nextTry.get(instrument.id) ?? now) > now) continue
        const quote = await quoteOf(instrument.id, signal)
        if (quote === undefined) {
          failures += 1
          nextTry.set(instrument.id, addMs(now, RETRY_MS))
          continue
        }
        failures = 0
        found += 1
        based.push({ ...instrument, ...quote, basePriceDate: date })
        if (based.length < WRITE_EVERY) continue
        await instruments.put(based)
        based = []
      }
    } finally {
      await instruments.put(based)
    }
    if (found === missing.length) complete = { date, until: addMs(now, RETRY_MS) }
  }

  /** Undefined when it cannot be had now, whatever the reason (O2). A base price of zero is none. */
  const quoteOf = async (id: InstrumentId, signal: AbortSignal) => {
    try {
      const { basePrice, isTradable } = await gateway.quote(id, signal)
      return basePrice > 0n ? { basePrice, isTradable } : undefined
    } catch {
      return undefined
    }
  }

  return {
    async refresh(date: SessionDate, signal: AbortSignal): Promise<void> {
      if (complete?.date === date && complete.until > clock.now()) return
      underWay ??= read(date, signal).finally(() => {
        underWay = undefined
      })
      await underWay
    },
  }
}
