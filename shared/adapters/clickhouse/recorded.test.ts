import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { instrumentId } from '#shared/domain/instrument.ts'
import { MS_PER_DAY, addMs, parseInstant } from '#shared/domain/time.ts'
import { price, quantity } from '#shared/domain/values.ts'
import type { StoredTick } from '#shared/ports/tick-store.ts'
import { clickHousePlaces } from './test-server.ts'
import { clickhouseTickStore } from './tick-store.ts'

const FILE = '../shared/data/intraday/ticks_2025-08-28_burst/005930.csv.gz'
const SAMSUNG = instrumentId('005930.KRX')

/** The trades of the file. Their times are made whole seconds, as KIS gives them: many ticks then share one. */
function recordedTicks(): readonly StoredTick[] {
  const [, ...lines] = gunzipSync(readFileSync(FILE)).toString('utf8').trim().split('\n')
  return lines
    .map((line) => line.split(','))
    .flatMap(([time = '', , kind, last = '', size = '', volume = ''], index): StoredTick[] => {
      if (kind !== 'trade') return []
      const receivedTime = parseInstant(time)
      return [
        {
          instrumentId: SAMSUNG,
          eventTime: addMs(receivedTime, -(receivedTime % 1000)),
          receivedTime,
          price: price(last),
          quantity: quantity(size),
          aggressor: 'none',
          sessionVolume: quantity(volume),
          bidPrice: price('0'),
          askPrice: price('0'),
          tickId: `kis/${index}`,
        },
      ]
    })
}

const [[, open]] = clickHousePlaces()

const isPresent = existsSync(FILE)
const title = isPresent
  ? 'ten minutes of recorded trades, sent twice and out of order, come back once and in order'
  : `recorded data not present: ${FILE}`

test.each([title])('%s', async () => {
  if (!isPresent) console.log(`${FILE} is not there; no recorded ticks were stored and compared`)
  const ticks = isPresent ? recordedTicks() : []
  const buffering = { stopwatch: systemStopwatch, batchSize: 700, bufferSize: 2000 }
  const store = clickhouseTickStore(await open(), buffering)
  for (let from = 0; from < ticks.length; from += 50) {
    const part = ticks.slice(from, from + 50)
    await store.appendTicks([...part.toReversed(), ...part])
  }
  await store.flush()
  const first = parseInstant('2025-08-28T00:00:00Z')
  const stored = await store.ticks(SAMSUNG, first, addMs(first, MS_PER_DAY), 100_000)
  expect(stored).toEqual(ticks)
  expect(stored).toHaveLength(isPresent ? 5098 : 0)
  await store.close()
})
