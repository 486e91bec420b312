import { expect, test } from 'vitest'
import { historicalClock } from '#shared/adapters/memory/historical-clock.ts'
import { krxPhaseAt } from '#shared/domain/krx-calendar.ts'
import { formatInstant, kstInstant, sessionDate, timeOfDay } from '#shared/domain/time.ts'
import { marketTime } from './market-time.ts'

const at = (date: string, time: string) => kstInstant(sessionDate(date), timeOfDay(time))

/** Moves from one tape time to another and notes every stop on the way. */
async function travel(from: ReturnType<typeof at>, to: ReturnType<typeof at>, isStepped = false) {
  const clock = historicalClock(from)
  const stops: string[] = []
  const time = marketTime(
    clock,
    () => {
      stops.push(`${formatInstant(clock.now()).slice(0, 16)} ${krxPhaseAt(clock.now())}`)
      return Promise.resolve()
    },
    isStepped,
  )
  await time.advance(to)
  return { stops, clock, time }
}

test('a night that the tape leaps over closes one session and opens the next', async () => {
  const { stops } = await travel(at('2025-09-02', '15:10'), at('2025-09-03', '09:05'))
  expect(stops).toEqual([
    '2025-09-02T06:20 closingAuction',
    '2025-09-02T06:30 closed',
    '2025-09-02T23:30 openingAuction',
    '2025-09-03T00:00 continuous',
  ])
})

test('what prints at the very close arrives before the session is over for us', async () => {
  const { stops, clock } = await travel(at('2025-09-02', '15:25'), at('2025-09-02', '15:30'))
  expect(stops).toEqual([])
  expect(krxPhaseAt(clock.now())).toBe('closingAuction')
})

test('in steps, what a moment makes due is done before the market moves at that moment', async () => {
  const { stops } = await travel(at('2025-09-02', '10:00'), at('2025-09-02', '10:05'), true)
  expect(stops).toEqual(['2025-09-02T01:04 continuous'])
})

test('a tape that ends inside a session still sees its close, and not the next day', async () => {
  const { stops, clock, time } = await travel(at('2025-09-02', '15:10'), at('2025-09-02', '15:19'))
  await time.finish()
  expect(stops).toEqual(['2025-09-02T06:20 closingAuction', '2025-09-02T06:30 closed'])
  expect(formatInstant(clock.now())).toBe('2025-09-02T06:30:00.000Z')
})

test('time never goes back', async () => {
  const { clock, time } = await travel(at('2025-09-02', '10:00'), at('2025-09-02', '10:30'))
  await time.advance(at('2025-09-02', '10:10'))
  expect(formatInstant(clock.now())).toBe('2025-09-02T01:29:59.999Z')
})
