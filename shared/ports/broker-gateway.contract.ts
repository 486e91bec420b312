// What every BrokerGateway must do, as numbered cases: gaps leave room.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { ApprovedOrder } from '#shared/domain/order.ts'
import { type Instant, type SessionDate, addDays, addMs, kstDate } from '#shared/domain/time.ts'
import { type Price, type Quantity, notionalOf, price, quantity } from '#shared/domain/values.ts'
import {
  type BrokerGateway,
  type BrokerOrder,
  type BrokerOrderRef,
  BrokerRefusedError,
  type Quote,
  type SendResult,
} from './broker-gateway.ts'

export type BrokerFault =
  | 'silenceBeforeEffect' // the next order is never answered and has no effect
  | 'silenceAfterEffect' // never answered, but taken
  | 'brokerTimeoutAfterEffect' // the broker itself says it lost sight of it; it was taken

/** A gateway in front of a market in continuous trading, and an account that has cash and no orders. */
export interface BrokerGatewayBench {
  readonly gateway: BrokerGateway
  readonly accountId: string
  /** Liquid: a marketable order of ten units fills within `advance`. */
  readonly instrumentId: InstrumentId
  readonly now: () => Instant
  /** Lets some market time go by. */
  readonly advance: () => Promise<void>
  /** Orders of the account that exist at the broker, amends and cancels not counted; seen from the far side. */
  readonly ordersAtBroker: () => number
  /** Absent where the broker cannot be made to fail. */
  readonly loadFault?: (fault: BrokerFault) => void
  /** Makes every credential in use invalid. Absent where there are none. */
  readonly expireCredentials?: () => void
  /** How long a send waits before it gives up, at most. */
  readonly patienceMs: number
  readonly close: () => Promise<void>
}

type Open = () => Promise<BrokerGatewayBench>

let bench: BrokerGatewayBench

/** `cannotFail` says why a broker cannot be made to fail: BG-200 to BG-220 then do not apply. */
export function brokerGatewayContract(
  name: string,
  open: Open,
  options: { readonly cannotFail?: string } = {},
): void {
  describe(`${name} as BrokerGateway`, () => {
    beforeEach(async () => {
      bench = await open()
    }, 60_000)
    afterEach(() => bench.close())
    sendCases()
    endCases()
    if (options.cannotFail === undefined) uncertainCases()
    else notApplicable('BG-200 to BG-220', options.cannotFail)
    credentialCases()
    readCases()
  })
}

const soon = (): AbortSignal => AbortSignal.timeout(15_000)
const TEN = quantity('10')

let made = 0
function orderOf(changes: Partial<ApprovedOrder>): ApprovedOrder {
  made += 1
  return {
    accountId: bench.accountId,
    clientOrderId: `contract-${made}`,
    requestedBy: 'operator:contract',
    instrumentId: bench.instrumentId,
    side: 'buy',
    orderType: 'limit',
    timeInForce: 'day',
    quantity: TEN,
    decidedTime: bench.now(),
    limitsVersion: 'contract',
    ...changes,
  } as ApprovedOrder
}

const quoted = (): Promise<Quote> => bench.gateway.quote(bench.instrumentId, soon())
/** Far below the market: rests. */
const resting = async (): Promise<Price> => (await quoted()).lowerLimit
const submit = (changes: Partial<ApprovedOrder>): Promise<SendResult> =>
  bench.gateway.submit(orderOf(changes), soon())

async function accepted(changes: Partial<ApprovedOrder>): Promise<BrokerOrderRef> {
  const result = await submit(changes)
  if (result.outcome !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(result)}`)
  const { brokerOrderId, brokerRoute } = result
  return { accountId: bench.accountId, brokerOrderId, brokerRoute, instrumentId: bench.instrumentId }
}

const listed = (): Promise<readonly BrokerOrder[]> =>
  bench.gateway.listOrders(bench.accountId, kstDate(bench.now()), soon())
async function rowOf(ref: BrokerOrderRef): Promise<BrokerOrder> {
  const row = (await listed()).find(({ brokerOrderId }) => brokerOrderId === ref.brokerOrderId)
  if (row === undefined) throw new Error(`${ref.brokerOrderId} is not listed`)
  return row
}

function sendCases(): void {
  test('BG-010 an accepted order has an id and stands in the list, unfilled', async () => {
    const limitPrice = await resting()
    const ref = await accepted({ limitPrice })
    expect(await rowOf(ref)).toMatchObject({
      brokerOrderId: ref.brokerOrderId,
      brokerRoute: ref.brokerRoute,
      instrumentId: bench.instrumentId,
      side: 'buy',
      quantity: TEN,
      limitPrice,
      filledQuantity: 0n,
      filledNotional: 0n,
      canceledQuantity: 0n,
      remainingQuantity: TEN,
      isChange: false,
    })
  })

  test('BG-020 the same order twice is two orders: nothing below us removes the second', async () => {
    const limitPrice = await resting()
    const [first, second] = [await accepted({ limitPrice }), await accepted({ limitPrice })]
    expect(first.brokerOrderId).not.toBe(second.brokerOrderId)
    expect(bench.ordersAtBroker()).toBe(2)
  })

  test('BG-030 a marketable order fills, and its notional is that of its fills', async () => {
    const { upperLimit } = await quoted()
    const before = await bench.gateway.balance(bench.accountId, soon())
    const ref = await accepted({ limitPrice: upperLimit })
    await bench.advance()
    const row = await rowOf(ref)
    expect([row.filledQuantity, row.remainingQuantity]).toEqual([TEN, 0n])
    expect(row.filledNotional).toBeGreaterThan(0n)
    expect(row.filledNotional).toBeLessThanOrEqual(notionalOf(upperLimit, TEN))
    const after = await bench.gateway.balance(bench.accountId, soon())
    expect(before.positions).toEqual([])
    expect(after.positions.map((held) => [held.instrumentId, held.quantity])).toEqual([
      [bench.instrumentId, TEN],
    ])
    expect(before.cash - after.cash).toBeGreaterThanOrEqual(row.filledNotional)
  })

  test('BG-040 a market order has no limit price in the list', async () => {
    const ref = await accepted({ orderType: 'market', quantity: quantity('1') })
    expect((await rowOf(ref)).limitPrice).toBeUndefined()
  })

  test('BG-050 what the account cannot pay for is rejected with a code, and does not exist', async () => {
    const { upperLimit } = await quoted()
    const { cash } = await bench.gateway.balance(bench.accountId, soon())
    const tooMany = (cash / upperLimit + 1_000n) as Quantity
    const result = await submit({ limitPrice: upperLimit, quantity: tooMany })
    expect(result).toMatchObject({ outcome: 'rejected', code: expect.stringMatching(/./) })
    expect(bench.ordersAtBroker()).toBe(0)
  })

  test('BG-060 an account that is not configured is refused before anything leaves', async () => {
    const limitPrice = await resting()
    expect((await submit({ accountId: 'nobody:1', limitPrice })).outcome).toBe('rejected')
    await expect(bench.gateway.balance('nobody:1', soon())).rejects.toThrow(BrokerRefusedError)
  })

  test('BG-070 an order that was aborted before it left was not sent', async () => {
    const order = orderOf({ limitPrice: await resting() })
    expect((await bench.gateway.submit(order, AbortSignal.abort())).outcome).toBe('notSent')
    expect(bench.ordersAtBroker()).toBe(0)
  })

  test('BG-072 an order that is held back leaves when it is cleared', async () => {
    const { promise: cleared, resolve: clear } = Promise.withResolvers<boolean>()
    const sending = bench.gateway.submit(orderOf({ limitPrice: await resting() }), soon(), cleared)
    await listed() // long enough for an order that is not held
    expect(bench.ordersAtBroker()).toBe(0)
    clear(true)
    expect((await sending).outcome).toBe('accepted')
    expect(bench.ordersAtBroker()).toBe(1)
  })

  test('BG-074 an order that is held back and never cleared was not sent, nor is it later', async () => {
    const { promise: cleared, resolve: clear } = Promise.withResolvers<boolean>()
    const limitPrice = await resting()
    const sending = bench.gateway.submit(orderOf({ limitPrice }), soon(), cleared)
    const aborted = bench.gateway.submit(orderOf({ limitPrice }), AbortSignal.timeout(50), cleared)
    expect((await aborted).outcome).toBe('notSent')
    clear(false)
    expect((await sending).outcome).toBe('notSent')
    await accepted({ limitPrice })
    expect(bench.ordersAtBroker()).toBe(1)
  })

  test('BG-076 an order that was aborted while it was held back does not leave when it is cleared', async () => {
    const { promise: cleared, resolve: clear } = Promise.withResolvers<boolean>()
    const limitPrice = await resting()
    const sending = bench.gateway.submit(orderOf({ limitPrice }), AbortSignal.timeout(50), cleared)
    expect((await sending).outcome).toBe('notSent')
    clear(true)
    await accepted({ limitPrice })
    expect(bench.ordersAtBroker()).toBe(1)
  })

  test('BG-080 a hundred orders are all listed, once each and oldest first', async () => {
    const limitPrice = await resting()
    const sent: string[] = []
    for (let index = 0; index < 100; index += 1) {
      sent.push((await accepted({ limitPrice, quantity: quantity('1') })).brokerOrderId)
    }
    expect((await listed()).map(({ brokerOrderId }) => brokerOrderId)).toEqual(sent)
  })
}

function endCases(): void {
  test('BG-100 a cancel ends what remains; its own row is a change of the order', async () => {
    const ref = await accepted({ limitPrice: await resting() })
    const canceled = await bench.gateway.cancel(ref, soon())
    expect(canceled.outcome).toBe('accepted')
    await bench.advance()
    expect(await rowOf(ref)).toMatchObject({
      canceledQuantity: TEN,
      remainingQuantity: 0n,
      filledQuantity: 0n,
    })
    for (const row of (await listed()).filter(({ isChange }) => isChange)) {
      expect(row.originalBrokerOrderId).toBe(ref.brokerOrderId)
    }
  })

  test('BG-110 an order that has ended cannot be canceled: a definite no', async () => {
    const ref = await accepted({ limitPrice: await resting() })
    await bench.gateway.cancel(ref, soon())
    await bench.advance()
    expect((await bench.gateway.cancel(ref, soon())).outcome).toBe('rejected')
  })

  test('BG-120 an amend gives the order a new id and leaves the old one with nothing', async () => {
    const { lowerLimit, tickSize } = await quoted()
    const ref = await accepted({ limitPrice: lowerLimit })
    const limitPrice = (lowerLimit + tickSize) as Price
    const amended = await bench.gateway.amend(ref, { quantity: TEN, limitPrice }, soon())
    if (amended.outcome !== 'accepted') throw new Error(`not amended: ${JSON.stringify(amended)}`)
    await bench.advance()
    expect(amended.brokerOrderId).not.toBe(ref.brokerOrderId)
    expect(await rowOf({ ...ref, ...amended })).toMatchObject({
      isChange: true,
      originalBrokerOrderId: ref.brokerOrderId,
      limitPrice,
      remainingQuantity: TEN,
    })
    expect((await rowOf(ref)).remainingQuantity).toBe(0n)
    expect((await bench.gateway.cancel(ref, soon())).outcome).toBe('rejected')
    expect((await bench.gateway.cancel({ ...ref, ...amended }, soon())).outcome).toBe('accepted')
  })

  test('BG-130 the rest of an IOC order does not stay', async () => {
    const ref = await accepted({ limitPrice: await resting(), timeInForce: 'ioc' })
    await bench.advance()
    expect(await rowOf(ref)).toMatchObject({
      filledQuantity: 0n,
      remainingQuantity: 0n,
      canceledQuantity: TEN,
    })
  })

  test('BG-140 an order number that was never given is a definite no', async () => {
    const limitPrice = await resting()
    const ref = { ...(await accepted({ limitPrice })), brokerOrderId: '9999999999' }
    expect((await bench.gateway.cancel(ref, soon())).outcome).toBe('rejected')
  })
}

function uncertainCases(): void {
  test.each([
    ['BG-200', 'silenceBeforeEffect', 'noAnswer', 0],
    ['BG-210', 'silenceAfterEffect', 'noAnswer', 1],
    ['BG-220', 'brokerTimeoutAfterEffect', 'brokerTimeout', 1],
  ] as const)(
    '%s %s leaves the outcome unknown, and is sent once',
    { timeout: 60_000 },
    async (_case, fault, cause, exist) => {
      const limitPrice = await resting()
      bench.loadFault?.(fault)
      const result = await bench.gateway.submit(
        orderOf({ limitPrice }),
        AbortSignal.timeout(bench.patienceMs),
      )
      expect(result).toMatchObject({ outcome: 'unknown', cause })
      expect(bench.ordersAtBroker()).toBe(exist)
      expect(await listed()).toHaveLength(exist)
    },
  )
}

function notApplicable(cases: string, reason: string): void {
  test(`${cases} do not apply: ${reason}`, () => {
    expect(bench.loadFault).toBeUndefined()
  })
}

function credentialCases(): void {
  test('BG-230 credentials that ended are replaced; the order goes through once', async () => {
    const limitPrice = await resting()
    bench.expireCredentials?.()
    expect((await submit({ limitPrice })).outcome).toBe('accepted')
    expect(bench.ordersAtBroker()).toBe(1)
  })
}

function readCases(): void {
  test('BG-300 a quote lies inside its daily limits', async () => {
    const quote = await quoted()
    expect(quote.instrumentId).toBe(bench.instrumentId)
    expect(quote.lowerLimit).toBeLessThanOrEqual(quote.lastPrice)
    expect(quote.lastPrice).toBeLessThanOrEqual(quote.upperLimit)
    expect(quote.tickSize).toBeGreaterThan(0n)
    expect(quote.isTradable).toBe(true)
  })

  test('BG-310 an order book is best first on both sides, with neither empty levels nor crossed ones', async () => {
    const { asks, bids } = await bench.gateway.orderBook(bench.instrumentId, soon())
    const prices = [...bids.toReversed(), ...asks].map((level) => level.price)
    expect(prices).toEqual([...new Set(prices)].toSorted((left, right) => (left < right ? -1 : 1)))
    expect([...asks, ...bids].every((level) => level.quantity > 0n)).toBe(true)
    expect([asks.length, bids.length].every((length) => length > 0)).toBe(true)
  })

  test('BG-320 orderable cash is what an untouched account has, or less', async () => {
    const limitPrice = await resting()
    const { cash } = await bench.gateway.balance(bench.accountId, soon())
    const usable = await bench.gateway.orderableCash(bench.accountId, bench.instrumentId, limitPrice, soon())
    expect(usable).toBeGreaterThan(0n)
    expect(usable).toBeLessThanOrEqual(cash)
  })

  test('BG-330 daily bars are finished days of the span, oldest first', async () => {
    const today = kstDate(bench.now())
    const from: SessionDate = addDays(today, -220)
    const bars = await bench.gateway.dailyBars(bench.instrumentId, from, today, soon())
    expect(bars.length).toBeGreaterThan(0)
    const times = bars.map((bar) => bar.openTime)
    expect(times).toEqual([...new Set(times)].toSorted((left, right) => left - right))
    for (const bar of bars) {
      expect(kstDate(bar.openTime) >= from).toBe(true)
      expect(bar.closeTime).toBeLessThanOrEqual(bench.now())
      expect(
        bar.low <= bar.open && bar.open <= bar.high && bar.low <= bar.close && bar.close <= bar.high,
      ).toBe(true)
    }
  })

  test('BG-340 minute bars had closed by then, are the newest, oldest first', async () => {
    const before = addMs(bench.now(), 3_600_000)
    const [all, few] = [
      await bench.gateway.minuteBars(bench.instrumentId, before, 500, soon()),
      await bench.gateway.minuteBars(bench.instrumentId, before, 2, soon()),
    ]
    expect(all.length).toBeGreaterThan(2)
    expect(few.map((bar) => bar.openTime)).toEqual(all.slice(-2).map((bar) => bar.openTime))
    for (const bar of all) expect(bar.closeTime).toBeLessThanOrEqual(bench.now())
    expect(all.every((bar) => bar.volume > 0n && bar.closeTime - bar.openTime === 60_000)).toBe(true)
  })

  test('BG-350 a read that was aborted rejects', async () => {
    await expect(bench.gateway.balance(bench.accountId, AbortSignal.abort())).rejects.toThrow(/abort/i)
  })

  test('BG-360 prices on the wire are exact', async () => {
    const { upperLimit, tickSize } = await quoted()
    expect([upperLimit % price('1'), tickSize % price('1')]).toEqual([0n, 0n])
  })
}
