import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { instrumentId } from '#shared/domain/instrument.ts'
import { instant } from '#shared/domain/time.ts'
import { price } from '#shared/domain/values.ts'
import type { HotState, LastPrice } from './hot-state.ts'

export interface HotStateBench {
  readonly state: HotState
  /** Lets time go by for the state: by hand, or by waiting. */
  readonly elapse: (ms: number) => Promise<void>
  /** Milliseconds, on the line that `elapse` moves along. */
  readonly nowMs: () => number
  /** True when `elapse` really waits: properties are then tried a few times only. */
  readonly isRealTime: boolean
}

type Open = () => Promise<HotStateBench>

/** What every HotState must do. `open` gives a state that no other test has written to. */
export const hotStateContract = (adapter: string, open: Open): void => {
  describe(`${adapter} as HotState`, () => {
    keyRules(open)
    claimRules(open)
    takeRules(open)
    lastPriceRules(open)
  })
}

const keyRules = (open: Open): void => {
  test('a key that was never set, was deleted or has expired is absent', async () => {
    const { state, elapse } = await open()
    expect(await state.get('a')).toBeUndefined()
    await state.set('a', '1')
    await state.delete('a')
    expect(await state.get('a')).toBeUndefined()
    await state.set('a', '2', 40)
    expect(await state.get('a')).toBe('2')
    await elapse(41)
    expect(await state.get('a')).toBeUndefined()
  })

  test('text comes back as it went in', async () => {
    const { state } = await open()
    for (const value of ['', '삼성전자 🚀', '{"a":"\\u0000"}', 'line\r\nline\0end']) {
      await state.set('한글 key', value)
      expect(await state.get('한글 key')).toBe(value)
    }
  })

  test('a key set again without a time to live does not expire any more', async () => {
    const { state, elapse } = await open()
    await state.set('a', '1', 30)
    await state.set('a', '2')
    await elapse(31)
    expect(await state.get('a')).toBe('2')
  })
}

const claimRules = (open: Open): void => {
  test('of many concurrent claims, one wins', async () => {
    const { state } = await open()
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, index) => state.claim('order-1', `c${index}`, 60_000)),
    )
    expect(claims.filter(Boolean)).toHaveLength(1)
    expect(await state.get('order-1')).toBe(`c${claims.indexOf(true)}`)
  })

  test('a claim ends with its time, and another may have it', async () => {
    const { state, elapse } = await open()
    expect(await state.claim('lease', 'first', 40)).toBe(true)
    expect(await state.claim('lease', 'second', 40)).toBe(false)
    await elapse(41)
    expect(await state.claim('lease', 'second', 60_000)).toBe(true)
  })

  test('who lost a claim can neither extend nor release it', async () => {
    const { state, elapse } = await open()
    await state.claim('lease', 'first', 30)
    await elapse(31)
    expect(await state.extend('lease', 'first', 60_000)).toBe(false)
    await state.claim('lease', 'second', 60_000)
    expect(await state.extend('lease', 'first', 60_000)).toBe(false)
    expect(await state.release('lease', 'first')).toBe(false)
    expect(await state.get('lease')).toBe('second')
  })

  test('an extended claim outlives its first time; a released one is free at once', async () => {
    const { state, elapse } = await open()
    await state.claim('lease', 'mine', 60)
    expect(await state.extend('lease', 'mine', 60_000)).toBe(true)
    await elapse(61)
    expect(await state.get('lease')).toBe('mine')
    expect(await state.release('lease', 'mine')).toBe(true)
    expect(await state.claim('lease', 'other', 60_000)).toBe(true)
  })
}

const takeRules = (open: Open): void => {
  test('many at once take exactly the limit', async () => {
    const { state } = await open()
    const decisions = await Promise.all(Array.from({ length: 20 }, () => state.take('bucket', 7, 60_000)))
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(7)
  })

  test('what is refused is not counted, and the stated wait is enough and not longer than the window', async () => {
    const { state, elapse } = await open()
    expect(await state.take('bucket', 1, 80)).toEqual({ allowed: true, retryAfterMs: 0 })
    await elapse(10)
    for (let index = 0; index < 5; index += 1) {
      expect((await state.take('bucket', 1, 80)).allowed).toBe(false)
    }
    const { retryAfterMs } = await state.take('bucket', 1, 80)
    expect(retryAfterMs).toBeGreaterThan(0)
    expect(retryAfterMs).toBeLessThanOrEqual(80)
    await elapse(Math.ceil(retryAfterMs))
    expect((await state.take('bucket', 1, 80)).allowed).toBe(true)
  })

  test('buckets do not share', async () => {
    const { state } = await open()
    expect((await state.take('a', 1, 60_000)).allowed).toBe(true)
    expect((await state.take('b', 1, 60_000)).allowed).toBe(true)
  })

  test('a limit or window of nothing is refused, not read as unlimited', async () => {
    const { state } = await open()
    await expect(state.take('bucket', 0, 1000)).rejects.toThrow(RangeError)
    await expect(state.take('bucket', 1, 0)).rejects.toThrow(RangeError)
  })

  test('no window of any position ever holds more than the limit', async () => {
    const { isRealTime } = await open()
    const windowMs = 50
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: isRealTime ? 15 : 60 }),
      async (limit, pausesMs) => {
        const { state, elapse, nowMs } = await open()
        /** Between which moments each allowed one was counted. */
        const taken: { from: number; to: number }[] = []
        for (const pauseMs of pausesMs) {
          if (pauseMs > 0) await elapse(pauseMs)
          const from = nowMs()
          const { allowed } = await state.take('bucket', limit, windowMs)
          if (allowed) taken.push({ from, to: nowMs() })
        }
        const tooSoon = taken.filter((first, index) => {
          const beyond = taken[index + limit]
          return beyond !== undefined && beyond.to - first.from < windowMs
        })
        expect(tooSoon).toEqual([])
      },
    )
    await expect(fc.assert(property, { numRuns: isRealTime ? 5 : 300 })).resolves.toBeUndefined()
  })
}

const lastPriceRules = (open: Open): void => {
  const samsung = instrumentId('005930.KRX')
  const at = (ms: number, text: string): LastPrice => ({
    instrumentId: samsung,
    price: price(text),
    eventTime: instant(1_756_339_200_000 + ms),
  })

  test('an older price never replaces a newer one, whatever the order of arrival', async () => {
    const { state } = await open()
    await state.putLastPrices([at(10, '71000'), at(5, '70900.25')])
    await state.putLastPrices([at(9, '70800')])
    expect(await state.lastPrices([samsung])).toEqual([at(10, '71000')])
    await state.putLastPrices([at(11, '70700.0001')])
    expect(await state.lastPrices([samsung])).toEqual([at(11, '70700.0001')])
  })

  test('of two prices in the same millisecond the later call stands: brokers give whole seconds', async () => {
    const { state } = await open()
    await state.putLastPrices([at(10, '71000')])
    await state.putLastPrices([at(10, '71100')])
    expect(await state.lastPrices([samsung])).toEqual([at(10, '71100')])
  })

  test('answers in the order asked, with gaps for what is unknown', async () => {
    const { state } = await open()
    await state.putLastPrices([at(1, '71000')])
    const unknown = instrumentId('000660.KRX')
    expect(await state.lastPrices([unknown, samsung, unknown])).toEqual([
      undefined,
      at(1, '71000'),
      undefined,
    ])
    expect(await state.lastPrices([])).toEqual([])
  })
}
