import { describe, expect, test } from 'vitest'
import { addMs } from '#shared/domain/time.ts'
import { money, ratio } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import type { Severity } from '#shared/events/notifications.ts'
import {
  breached,
  denied,
  filled,
  liquidation,
  outcomeUnknown,
  parked,
  reconciled,
  rejected,
  requested,
  rules,
  stateChanged,
  valued,
} from './build.fixture.ts'
import {
  type AlertRules,
  REST_MS,
  type ToldBefore,
  channelsFor,
  decide,
  heldBackNote,
  restsSince,
} from './decide.ts'
import { notify } from './function.ts'
import { NOON } from '../../test/build.ts'

const told = (event: Event, over: Partial<AlertRules> = {}) => decide(event, rules(over))

const isTold = (event: Event, over: Partial<AlertRules> = {}): boolean => told(event, over) !== undefined
/** Of the loss alert, valued `afterMs` later than noon. */
const lossId = (afterMs: number): string | undefined =>
  told(valued('90', '10', `v${afterMs}`, afterMs))?.messageId
const record = (status: ToldBefore['status'], over: Partial<ToldBefore> = {}): ToldBefore => ({
  eventId: 'e1',
  recipient: 'operator',
  channel: 'slack',
  status,
  title: 'Filled',
  at: NOON,
  ...over,
})
const note = (newestFirst: readonly ToldBefore[]): string => heldBackNote(newestFirst, 'operator', 'slack')

describe('severity, and whom it calls', () => {
  test.each([
    // name                          event                     severity    recipient
    ['a fill', filled(), 'info', 'operator'],
    ['a denial', denied(), 'warning', 'operator'],
    ['a rejection', rejected(), 'warning', 'operator'],
    ['the loss threshold', valued('98', '2'), 'warning', 'operator'],
    ['trading made active', stateChanged('active'), 'warning', 'operator'],
    ['trading made reducing', stateChanged('reducing'), 'error', 'on-call'],
    ['a breached limit', breached(), 'error', 'on-call'],
    ['an unknown outcome', outcomeUnknown(), 'error', 'on-call'],
    ["a record that differs from the broker's", reconciled(['cash: 1 / 2']), 'error', 'on-call'],
    ['a halt', stateChanged('halted'), 'critical', 'on-call'],
    ['a liquidation', liquidation(), 'critical', 'on-call'],
    ['an order that needs a person', parked(), 'critical', 'on-call'],
    ['a request to the operator', requested({ severity: 'info' }), 'info', 'operator'],
    ['a critical request to the operator', requested({ severity: 'critical' }), 'critical', 'on-call'],
    ['a request to somebody by name', requested({ recipient: 'kim' }), 'info', 'kim'],
  ] as const)('%s', (_name, event, severity, recipient) => {
    expect(told(event)).toMatchObject({ severity, recipient })
  })

  test('every consumed type has a rule', () => {
    const events = [
      filled(),
      denied(),
      rejected(),
      outcomeUnknown(),
      parked(),
      breached(),
      valued('1', '99'),
      stateChanged('halted'),
      liquidation(),
      reconciled(['x']),
      requested(),
    ]
    const types = events.filter((event) => told(event) !== undefined).map(({ type }) => type)
    expect(types.toSorted()).toEqual(notify.consumes.map(({ type }) => type).toSorted())
  })
})

describe('channels by severity', () => {
  test.each([
    ['info', ['slack', 'webhook']],
    ['warning', ['email', 'slack', 'webhook']],
    ['error', ['email', 'slack', 'webhook']],
    ['critical', ['email', 'slack', 'webhook']],
  ] as const)('%s', (severity, channels) => {
    expect(channelsFor(severity, rules())).toEqual(channels)
  })

  test('critical goes over every channel in use, whatever the lowest severity of each', () => {
    const severities: readonly Severity[] = ['info', 'warning', 'error', 'critical']
    for (const lowest of severities) {
      expect(channelsFor('critical', rules({ severityMin: { email: lowest } }))).toEqual(['email'])
    }
  })

  test('a message that no channel takes is none', () => {
    expect(told(filled(), { severityMin: { email: 'warning' } })).toBeUndefined()
    expect(told(liquidation(), { severityMin: {} })).toBeUndefined()
  })
})

describe('switches silence what they name and nothing else', () => {
  const off = { tradeAlertsEnabled: false, riskAlertsEnabled: false }

  test.each([
    ['fills', filled()],
    ['denials', denied()],
    ['rejections', rejected()],
    ['breached limits', breached()],
    ['the loss threshold', valued('1', '99')],
  ])('%s are silent', (_name, event) => {
    expect(told(event, off)).toBeUndefined()
  })

  test.each([
    ['a halt', stateChanged('halted')],
    ['a liquidation', liquidation()],
    ['an order that needs a person', parked()],
    ['an unknown outcome', outcomeUnknown()],
    ['a record that differs', reconciled(['x'])],
    ['a request', requested()],
  ])('%s is told all the same', (_name, event) => {
    expect(told(event, off)).toBeDefined()
  })
})

describe('thresholds, both sides', () => {
  test.each([
    // name                                     event                                                      told
    ['a fill exactly at the least value', filled({ filledQuantity: '10', lastPrice: '100' }), true],
    ['a fill just under it', filled({ filledQuantity: '10', lastPrice: '99.9999' }), false],
    [
      'the last small part of a large order',
      filled({ lastQuantity: '1', lastNotional: '500', filledQuantity: '2', lastPrice: '500' }),
      true,
    ],
  ])('%s', (_name, event, expected) => {
    expect(isTold(event, { tradeAlertNotionalMin: money('1000') })).toBe(expected)
  })

  test.each([
    // name                                equity     loss       told
    ['a loss exactly at the threshold', '9800000', '200000', true],
    ['a loss just under it', '9800001', '199999', false],
    ['no loss', '10000000', '0', false],
    ['a gain', '10500000', '-500000', false],
    ['all of it lost', '0', '10000000', true],
    ['more than all of it lost', '-5', '10000000', true],
    ['debt and no opening equity', '-100', '50', true],
  ])('%s', (_name, equity, loss, expected) => {
    expect(isTold(valued(equity, loss))).toBe(expected)
  })

  test('with the threshold at zero any loss is told, and nothing else', () => {
    const zero = { riskAlertThreshold: ratio('0') }
    expect(isTold(valued('100', '0.0001'), zero)).toBe(true)
    expect(isTold(valued('100', '0'), zero)).toBe(false)
  })

  test('a record that agrees is not told', () => {
    expect(isTold(reconciled([]))).toBe(false)
  })
})

describe('what makes two messages the same', () => {
  test('an event is its own message', () => {
    expect(told(breached('b1'))?.messageId).toBe('b1')
    expect(told(breached('b2'))?.messageId).toBe('b2')
  })

  test('the loss alert is one message an account and Korean day, however often the account is valued', () => {
    const HOUR = 3_600_000
    expect(lossId(5_000)).toBe(lossId(0))
    expect(lossId(11.9 * HOUR)).toBe(lossId(0))
    expect(lossId(12 * HOUR)).not.toBe(lossId(0))
  })
})

describe('texts', () => {
  test.each([
    ['a fill', filled(), 'Filled: buy 10 005930.KRX at 70000'],
    ['a denial', denied(), 'Order denied: TRADING_HALTED'],
    ['a rejection', rejected(), 'Order rejected by the broker: APBK0919'],
    ['an unknown outcome', outcomeUnknown(), 'Order outcome unknown: order-1'],
    ['an order that needs a person', parked(), 'Order needs a person: order-1'],
    ['a halt', stateChanged('halted'), 'Trading of kis:5012345601 is halted'],
    ['a breach', breached(), 'Limit breached: dailyLoss of kis:5012345601'],
    ['a loss', valued('9', '1'), 'Loss of kis:5012345601 today: 1'],
    ['a liquidation', liquidation(), 'Liquidation of kis:5012345601 ordered'],
    [
      'a difference',
      reconciled(['a', 'b']),
      "Record of kis:5012345601 differs from the broker's in 2 places",
    ],
  ])('%s', (_name, event, title) => {
    expect(told(event)?.title).toBe(title)
  })

  test('every difference that fits is shown, the rest counted', () => {
    const lines = Array.from({ length: 25 }, (_, index) => `difference ${index}`)
    const body = told(reconciled(lines))?.body ?? ''
    expect(body).toContain('- difference 0\n')
    expect(body).toContain('- difference 19\n- and 5 more')
    expect(body).not.toContain('difference 20')
  })

  test('a title is one line without control characters', () => {
    const title = told(requested({ title: 'a\r\nBcc: x\u0000\u2028b' }))?.title
    expect(title).toBe('a Bcc: x b')
  })

  test('a title of blanks does not come out empty', () => {
    expect(told(requested({ title: ' \n ' }))?.title).toBe('(no title)')
  })

  test('texts stay within the lengths of the contract, and are cut between characters', () => {
    const title = told(requested({ title: `${'x'.repeat(198)}😀` }))?.title ?? ''
    expect(title.length).toBeLessThanOrEqual(200)
    const body = told(requested({ recipient: 'kim', body: '😀'.repeat(5_000) }))?.body ?? ''
    expect(body.length).toBeLessThanOrEqual(10_000)
    expect(body.isWellFormed()).toBe(true)
  })

  test('a message to somebody without addresses says whom it is for', () => {
    expect(told(requested({ recipient: 'kim' }))?.body).toBe('for: kim\nsharpe 1.2')
  })
})

describe('a standing fact that could not be told rests a while', () => {
  test.each([
    // name                        record                                                rests
    ['failed just now', record('failed'), true],
    ['held back just now', record('suppressed'), true],
    ['failed almost the rest ago', record('failed', { at: addMs(NOON, 1 - REST_MS) }), true],
    ['failed exactly the rest ago', record('failed', { at: addMs(NOON, -REST_MS) }), false],
    ['failed on another channel', record('failed', { channel: 'email' }), false],
    ['another fact failed', record('failed', { eventId: 'e2' }), false],
    ['delivered', record('delivered'), false],
  ])('%s', (_name, before, rests) => {
    expect(restsSince([before], 'e1', 'slack', NOON)).toBe(rests)
  })
})

describe('what was held back is summed up in the next message', () => {
  test('nothing held back, nothing said', () => {
    expect(note([])).toBe('')
    expect(note([record('delivered'), record('failed')])).toBe('')
  })

  test('only what was held back since the last delivery counts', () => {
    expect(note([record('suppressed'), record('delivered'), record('suppressed')])).toBe(
      '1 held back since the last message:\n- Filled',
    )
  })

  test('a failed delivery told nobody, so what came before it still counts', () => {
    expect(note([record('failed'), record('suppressed'), record('suppressed')])).toMatch(/^2 held back/)
  })

  test('other recipients and channels do not count', () => {
    expect(
      note([record('suppressed', { recipient: 'kim' }), record('suppressed', { channel: 'email' })]),
    ).toBe('')
  })

  test('of many, five titles are shown', () => {
    const text = note(Array.from({ length: 8 }, (_, index) => record('suppressed', { title: `t${index}` })))
    expect(text).toMatch(/^8 held back/)
    expect(text).toContain('- t4\n- and 3 more')
  })
})
