import { describe, expect, test } from 'vitest'
import type { ExecutionKind } from '#shared/domain/execution.ts'
import { formatMoney, money, price, quantity, ratio } from '#shared/domain/values.ts'
import type { WiredReport } from '#shared/events/execution-codec.ts'
import type { StoredOrder } from '#shared/ports/order-store.ts'
import { ACCOUNT, NOON, SAMSUNG, samsung, stored } from '../../test/build.ts'
import { type ReportDecision, decide } from './decide.ts'

const FACTS = { instrument: samsung, feeRatio: ratio('0.00015') }
const SENT = { status: 'accepted', brokerOrderId: '0000000001', brokerRoute: '00950', attempt: 1 } as const

const report = (kind: ExecutionKind, over: Partial<WiredReport> = {}): WiredReport => ({
  executionId: `report-${kind}`,
  accountId: ACCOUNT,
  kind,
  origin: kind === 'listed' ? 'list' : 'stream',
  brokerOrderId: '0000000001',
  brokerRoute: '00950',
  instrumentId: SAMSUNG,
  side: 'buy',
  orderQuantity: quantity('10'),
  eventTime: NOON,
  ...over,
})
/** `'4 @ 70000'` as a notice. */
const notice = (text: string): WiredReport => {
  const [units = '', at = ''] = text.split(' @ ')
  return report('fill', {
    executionId: `notice-${text}`,
    lastQuantity: quantity(units),
    lastPrice: price(at),
  })
}
/** `'4 for 280000'` as a row of the list; `ended` units are no longer working. */
const row = (text: string, ended = '0'): WiredReport => {
  const [units = '', total = ''] = text.split(' for ')
  return report('listed', {
    executionId: `list-${text}-${ended}`,
    filledQuantity: quantity(units),
    filledNotional: money(total),
    endedQuantity: quantity(ended),
  })
}

/** The order after the reports, one after another, and the fills that were booked for it. */
function after(order: StoredOrder, reports: readonly WiredReport[]) {
  const booked: string[] = []
  let now = order
  for (const next of reports) {
    const decision = decide(next, now, FACTS)
    if (decision.outcome === 'quarantined')
      return { order: now, booked: [...booked, `quarantined: ${decision.reason}`] }
    if (decision.outcome === 'known') continue
    const { fill, ...change } = decision.change
    if (fill !== undefined) booked.push(`${fill.quantity} for ${formatMoney(fill.notional)}`)
    now = { ...now, ...change, revision: now.revision + 1 }
  }
  return { order: now, booked }
}

const working = (over: Partial<StoredOrder> = {}) => stored('buy 10 @ 70000', { ...SENT, ...over })
const codeOf = (decision: ReportDecision): string =>
  decision.outcome === 'changed' ? decision.change.status : decision.outcome

describe('fills reach us by two roads and are counted once', () => {
  test.each([
    ['notices alone', [notice('4 @ 70000'), notice('6 @ 69900')], ['4 for 280000', '6 for 419400'], 'filled'],
    [
      'the list alone',
      [row('4 for 280000'), row('10 for 699400')],
      ['4 for 280000', '6 for 419400'],
      'filled',
    ],
    [
      'the list after the notice of the same fill',
      [notice('4 @ 70000'), row('4 for 280000')],
      ['4 for 280000'],
      'partiallyFilled',
    ],
    [
      'the notice after the list told of the same fill',
      [row('4 for 280000'), notice('4 @ 70000')],
      ['4 for 280000'],
      'partiallyFilled',
    ],
    [
      'a notice that was lost, made good by the list',
      [notice('4 @ 70000'), row('7 for 489700')],
      ['4 for 280000', '3 for 209700'],
      'partiallyFilled',
    ],
    [
      'a list that lags behind the notices',
      [notice('4 @ 70000'), notice('3 @ 69900'), row('4 for 280000')],
      ['4 for 280000', '3 for 209700'],
      'partiallyFilled',
    ],
    [
      'two equal partial fills in one second',
      [notice('5 @ 70000'), notice('5 @ 70000')],
      ['5 for 350000', '5 for 350000'],
      'filled',
    ],
    [
      'more than was ordered',
      [notice('4 @ 70000'), notice('7 @ 70000')],
      ['4 for 280000', 'quarantined: filled 11 of 10'],
      'partiallyFilled',
    ],
    [
      'a list with more units for no more money',
      [notice('4 @ 70000'), row('5 for 280000')],
      ['4 for 280000', 'quarantined: the list has more units for no more money'],
      'partiallyFilled',
    ],
  ] as const)('%s', (_name, reports, booked, status) => {
    const result = after(working(), reports)
    expect(result.booked).toEqual(booked)
    expect(result.order.status).toBe(status)
  })

  test('any order of the same notices and rows books the same quantity, never more', () => {
    const notices = [notice('4 @ 70000'), notice('3 @ 70000'), notice('3 @ 70000')]
    const rows = [row('4 for 280000'), row('7 for 490000'), row('10 for 700000')]
    // Every way to merge the two roads, each in its own order.
    const merges = (left: readonly WiredReport[], right: readonly WiredReport[]): WiredReport[][] => {
      const [first, ...restLeft] = left
      const [second, ...restRight] = right
      if (first === undefined || second === undefined) return [[...left, ...right]]
      return [
        ...merges(restLeft, right).map((rest) => [first, ...rest]),
        ...merges(left, restRight).map((rest) => [second, ...rest]),
      ]
    }
    for (const merged of merges(notices, rows)) {
      const result = after(working(), merged)
      expect(result.order.filledQuantity).toBe(10n)
      expect(formatMoney(result.order.filledNotional)).toBe('700000')
      expect(result.order.status).toBe('filled')
    }
  })
})

describe('an order whose answer we do not have', () => {
  const unclear = stored('buy 10 @ 70000', { status: 'outcomeUnknown', attempt: 1 })

  test.each([
    ['a notice of acceptance', report('accepted'), 'accepted'],
    ['a fill', notice('4 @ 70000'), 'partiallyFilled'],
    ['a row of the list without fills', row('0 for 0'), 'accepted'],
    ['a row of the list with fills', row('10 for 700000'), 'filled'],
    ['a refusal by the venue', report('rejected'), 'rejected'],
  ] as const)('%s settles it and brings its number', (_name, evidence, status) => {
    const decision = decide(evidence, unclear, FACTS)
    expect(codeOf(decision)).toBe(status)
    expect(decision).toMatchObject({ change: { brokerOrderId: '0000000001', brokerRoute: '00950' } })
  })
})

describe('endings', () => {
  test('a cancel releases what is still reserved, a partial fill only its part', () => {
    const part = after(working(), [notice('4 @ 70000')])
    expect(formatMoney(part.order.reservedCash)).toBe('420063')
    const canceled = after(part.order, [
      report('canceled', { brokerOrderId: '0000000002', originalBrokerOrderId: '0000000001' }),
    ])
    expect(canceled.order).toMatchObject({ status: 'canceled', filledQuantity: 4n, reservedCash: 0n })
  })

  test('a fill that crossed our cancel is booked', () => {
    const canceled = working({
      status: 'canceled',
      filledQuantity: quantity('4'),
      filledNotional: money('280000'),
      noticedQuantity: quantity('4'),
    })
    expect(after(canceled, [notice('3 @ 70000')])).toMatchObject({
      booked: ['3 for 210000'],
      order: { status: 'canceled', filledQuantity: 7n },
    })
    expect(after(canceled, [notice('6 @ 70000')])).toMatchObject({
      booked: ['6 for 420000'],
      order: { status: 'filled' },
    })
  })

  test('the list tells that the rest was ended', () => {
    expect(after(working(), [row('4 for 280000', '6')])).toMatchObject({
      booked: ['4 for 280000'],
      order: { status: 'canceled', reservedCash: 0n },
    })
  })

  test('the session ends an order once, and not one that has ended', () => {
    expect(codeOf(decide(report('expired'), working(), FACTS))).toBe('expired')
    expect(
      codeOf(
        decide(
          report('expired'),
          working({ status: 'filled', filledQuantity: quantity('10'), noticedQuantity: quantity('10') }),
          FACTS,
        ),
      ),
    ).toBe('known')
  })

  test('a step that the lifecycle does not know is set aside, never forced', () => {
    const filled = working({
      status: 'filled',
      filledQuantity: quantity('10'),
      noticedQuantity: quantity('10'),
    })
    expect(decide(report('rejected'), filled, FACTS)).toEqual({
      outcome: 'quarantined',
      reason: 'reject is not a step from filled',
    })
  })

  test.each(['accepted', 'partiallyFilled'] as const)(
    'a refused amend or cancel leaves an order that is %s working, with its reservation',
    (status) => {
      const refused = report('rejected', {
        brokerOrderId: '0000000002',
        originalBrokerOrderId: '0000000001',
      })
      expect(codeOf(decide(refused, working({ status }), FACTS))).toBe('known')
      for (const pending of ['pendingAmend', 'pendingCancel'] as const) {
        expect(codeOf(decide(refused, working({ status: pending }), FACTS))).toBe('accepted')
      }
    },
  )

  test('a cancel by the venue at the close, after the order expired with us, alarms nobody', () => {
    expect(codeOf(decide(report('canceled'), working({ status: 'expired' }), FACTS))).toBe('known')
  })

  test('a refusal told twice is told once', () => {
    expect(codeOf(decide(report('rejected'), working({ status: 'rejected' }), FACTS))).toBe('known')
  })

  test('an acknowledgement heard twice changes nothing', () => {
    expect(codeOf(decide(report('accepted'), working(), FACTS))).toBe('known')
  })
})

test('fee and tax do not depend on how the fills were cut', () => {
  const sell = (over: Partial<WiredReport>) => ({ ...report('fill'), side: 'sell' as const, ...over })
  const order = stored('sell 10 @ 70000', { ...SENT })
  const charged = (reports: readonly WiredReport[]) => {
    let now = order
    let charges = 0n
    for (const next of reports) {
      const decision = decide(next, now, FACTS)
      if (decision.outcome !== 'changed') throw new Error(decision.outcome)
      const { fill, ...change } = decision.change
      charges += (fill?.fee ?? 0n) + (fill?.tax ?? 0n)
      now = { ...now, ...change }
    }
    return charges
  }
  const cut = (units: string) => sell({ lastQuantity: quantity(units), lastPrice: price('69900') })
  expect(charged([cut('1'), cut('2'), cut('3'), cut('4')])).toBe(charged([cut('10')]))
})
