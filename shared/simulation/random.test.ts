import { expect, test } from 'vitest'
import { seedOf, seededRandom } from './random.ts'

test('the same seed gives the same numbers on every machine, for ever', () => {
  const random = seededRandom(42)
  expect([random.integer(1_000_000), random.integer(1_000_000), random.integer(1_000_000)])
    .toMatchInlineSnapshot(`
    [
      353529,
      63250,
      479946,
    ]
  `)
  expect(seedOf(7, '2026-03-03', '005930')).toMatchInlineSnapshot(`293997013`)
})

test('numbers stay in range and are not lopsided', () => {
  const random = seededRandom(1)
  let sum = 0
  let squares = 0
  for (let draw = 0; draw < 20_000; draw += 1) {
    const uniform = random.next()
    expect(uniform >= 0 && uniform < 1).toBe(true)
    const normal = random.normal()
    sum += normal
    squares += normal * normal
  }
  expect(Math.abs(sum / 20_000)).toBeLessThan(0.03)
  expect(Math.abs(squares / 20_000 - 1)).toBeLessThan(0.05)
})
