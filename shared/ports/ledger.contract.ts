import { describe, expect, test } from 'vitest'
import { TRADING_STATES } from '#shared/domain/risk.ts'
import { formatInstant, sessionDate } from '#shared/domain/time.ts'
import { money } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import { TradingStateChanged } from '#shared/events/risk.ts'
import { ACCOUNT, HYNIX, NOON, SAMSUNG } from '../../test/build.ts'
import { PoisonError } from './errors.ts'
import type { Ledger } from './ledger.ts'
import {
  LONG_AGO,
  type OpenBench,
  accepted,
  eventOf,
  fault,
  fillChange,
  fillOf,
  openAccount,
  receiptOf,
  snapshotOf,
  waiting,
} from './order-store.bench.ts'

/** What every Ledger must do, together with the order store and the outbox of the same record. */
export const ledgerContract = (adapter: string, open: OpenBench): void => {
  describe(`${adapter} as Ledger`, () => {
    for (const rules of [accountRules, stateRules, sessionRules, adoptionRules]) rules(open)
  })
}

type StateChange = Parameters<Ledger['setTradingState']>[0]

const stateChange = (to: StateChange['to'], over: Partial<StateChange> = {}): StateChange => ({
  accountId: ACCOUNT,
  to,
  changedBy: 'operator:kim',
  reason: '장 마감',
  at: NOON,
  ...over,
})

const changed =
  (to: StateChange['to']) =>
  (from: StateChange['to']): readonly Event[] => [
    eventOf(TradingStateChanged, `${from}-to-${to}`, {
      accountId: ACCOUNT,
      from,
      to,
      changedBy: 'operator:kim',
      reason: '장 마감',
      changedTime: formatInstant(NOON),
    }),
  ]

const accountRules = (open: OpenBench): void => {
  test('a new account is halted and empty', async () => {
    const bench = await open()
    await openAccount(bench)
    expect(await bench.ledger.snapshot(ACCOUNT, LONG_AGO)).toEqual({
      accountId: ACCOUNT,
      version: 0n,
      tradingState: 'halted',
      currency: 'KRW',
      cash: 0n,
      positions: [],
      reservations: [],
      recentOrders: [],
    })
  })

  test('an account that was never opened has no snapshot', async () => {
    const { ledger } = await open()
    expect(await ledger.snapshot(ACCOUNT, LONG_AGO)).toBeUndefined()
    expect(await ledger.accountIds()).toEqual([])
  })

  test('opening an account again, also ten times at once, leaves it as it is', async () => {
    const bench = await open()
    await Promise.all(Array.from({ length: 10 }, () => openAccount(bench)))
    await bench.ledger.setTradingState(stateChange('active'), () => [])
    await openAccount(bench)
    expect(await snapshotOf(bench)).toMatchObject({ tradingState: 'active', version: 1n })
    expect(await bench.ledger.accountIds()).toEqual([ACCOUNT])
  })

  test('all account ids are listed', async () => {
    const bench = await open()
    for (const accountId of ['kis:b', 'kis:a']) await openAccount(bench, accountId)
    expect(new Set(await bench.ledger.accountIds())).toEqual(new Set(['kis:a', 'kis:b']))
  })
}

const stateRules = (open: OpenBench): void => {
  test('each trading state can be reached from each other; the change makes a version and its events', async () => {
    const bench = await open()
    await openAccount(bench)
    let version = 0n
    for (const from of TRADING_STATES) {
      for (const to of TRADING_STATES) {
        await bench.ledger.setTradingState(stateChange(from), () => [])
        version = (await snapshotOf(bench)).version
        const before = await waiting(bench)
        const moved = await bench.ledger.setTradingState(stateChange(to), changed(to))
        expect(moved).toBe(from !== to)
        const after = await snapshotOf(bench)
        expect([after.tradingState, after.version - version]).toEqual([to, moved ? 1n : 0n])
        expect((await waiting(bench)).length - before.length).toBe(moved ? 1 : 0)
      }
    }
    expect(await waiting(bench)).toContain('halted-to-active')
  })

  test('of ten that halt at once, one does', async () => {
    const bench = await open()
    await openAccount(bench)
    await bench.ledger.setTradingState(stateChange('active'), () => [])
    const halts = await Promise.all(
      Array.from({ length: 10 }, () =>
        bench.ledger.setTradingState(stateChange('halted'), changed('halted')),
      ),
    )
    expect(halts.filter(Boolean)).toHaveLength(1)
    expect(await waiting(bench)).toEqual(['active-to-halted'])
  })

  test('events that cannot be made leave the state as it was', async () => {
    const bench = await open()
    await openAccount(bench)
    const broken = bench.ledger.setTradingState(stateChange('active'), () => {
      throw new Error('no events')
    })
    expect(String(await fault(broken))).toContain('no events')
    expect(await snapshotOf(bench)).toMatchObject({ tradingState: 'halted', version: 0n })
  })

  test('an account that was never opened cannot be halted silently', async () => {
    const { ledger } = await open()
    const error = await fault(
      ledger.setTradingState(stateChange('halted', { accountId: 'kis:nobody' }), () => []),
    )
    expect(error).toBeInstanceOf(PoisonError)
    expect(String(error)).toContain('kis:nobody')
  })
}

const sessionRules = (open: OpenBench): void => {
  test('the first statement of opening equity for a date stands, and dates only go forward', async () => {
    const bench = await open()
    await openAccount(bench)
    const statements = [
      ['2025-09-02', '100.5', '2025-09-02', '100.5', 1n],
      ['2025-09-02', '999', '2025-09-02', '100.5', 1n],
      ['2025-09-01', '999', '2025-09-02', '100.5', 1n],
      ['2025-09-03', '-7', '2025-09-03', '-7', 2n],
    ] as const
    for (const [date, equity, openingDate, openingEquity, version] of statements) {
      await bench.ledger.openSession(ACCOUNT, sessionDate(date), money(equity))
      expect(await snapshotOf(bench)).toMatchObject({
        openingDate,
        openingEquity: money(openingEquity),
        version,
      })
    }
  })
}

const adoptionRules = (open: OpenBench): void => {
  const opening = {
    cash: money('12345678.9'),
    positions: [
      { instrumentId: SAMSUNG, quantity: 10n, openNotional: money('700000') },
      { instrumentId: HYNIX, quantity: -3n, openNotional: money('-600000.5') },
    ],
  }

  test('an account without fills takes cash and positions of the broker, once', async () => {
    const bench = await open()
    await openAccount(bench)
    expect(await bench.ledger.adopt(ACCOUNT, opening)).toBe(true)
    const snapshot = await snapshotOf(bench)
    expect(snapshot).toMatchObject({ cash: opening.cash, version: 1n })
    expect(new Set(snapshot.positions)).toEqual(
      new Set(opening.positions.map((position) => ({ ...position, realizedPnl: 0n }))),
    )
    expect(await bench.ledger.adopt(ACCOUNT, { cash: money('1'), positions: [] })).toBe(false)
    expect(await snapshotOf(bench)).toEqual(snapshot)
  })

  test('of ten that adopt at once, one does', async () => {
    const bench = await open()
    await openAccount(bench)
    const adopted = await Promise.all(Array.from({ length: 10 }, () => bench.ledger.adopt(ACCOUNT, opening)))
    expect(adopted.filter(Boolean)).toHaveLength(1)
    expect((await snapshotOf(bench)).version).toBe(1n)
  })

  test('once a fill was booked, nothing is adopted any more', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await accepted(bench, 'buy 10 @ 70000')
    await bench.orders.change(fillChange(order, fillOf(order, '10 @ 70000')), receiptOf())
    const before = await snapshotOf(bench)
    expect(await bench.ledger.adopt(ACCOUNT, opening)).toBe(false)
    expect(await snapshotOf(bench)).toEqual(before)
  })

  test('an account that was never opened adopts nothing', async () => {
    const { ledger } = await open()
    expect(await ledger.adopt(ACCOUNT, opening)).toBe(false)
  })

  test('fills go on from what was adopted', async () => {
    const bench = await open()
    await openAccount(bench)
    await bench.ledger.adopt(ACCOUNT, opening)
    const order = await accepted(bench, 'sell 10 @ 80000')
    await bench.orders.change(fillChange(order, fillOf(order, '10 @ 80000')), receiptOf())
    const { positions } = await snapshotOf(bench)
    expect(positions.find(({ instrumentId }) => instrumentId === SAMSUNG)).toMatchObject({
      quantity: 0n,
      openNotional: 0n,
      realizedPnl: money('100000'),
    })
  })
}
