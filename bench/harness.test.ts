import { expect, test } from 'vitest'
import { interleave, isMet, median, percentile, textOf, verdictOf } from './harness.ts'

test('every second round runs in the opposite order, so that no contestant always follows the same one', async () => {
  const order: string[] = []
  const contestant = (name: string) => ({
    name,
    measure: (round: number) => {
      order.push(`${name}${round}`)
      return { value: round }
    },
  })
  await interleave([contestant('a'), contestant('b')], { rounds: 3, warmUps: 1 })
  expect(order).toEqual(['b-1', 'a-1', 'a0', 'b0', 'b1', 'a1', 'a2', 'b2'])
})

test('rounds that warm up count for nothing', async () => {
  const [standing] = await interleave([{ name: 'a', measure: (round) => ({ value: round }) }], {
    rounds: 3,
    warmUps: 2,
  })
  expect(standing).toMatchObject({
    figures: { value: 1 },
    rounds: [{ value: 0 }, { value: 1 }, { value: 2 }],
  })
})

test.each([
  ['an odd count has a middle', [5, 1, 3], 3],
  ['an even count has two', [4, 1, 3, 2], 2.5],
  ['one value is its own median', [7], 7],
] as const)('median: %s', (_name, values, expected) => {
  expect(median(values)).toBe(expected)
})

test('the 99th percentile of a hundred is the last but one', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect(percentile(values, 0.99)).toBe(99)
})

test.each([
  [{ atLeast: 0.75 }, 0.75, true],
  [{ atLeast: 0.75 }, 0.749, false],
  [{ atMost: 1.4 }, 1.4, true],
  [{ atMost: 1.4 }, 1.401, false],
  [{ atMost: 1.4 }, Number.NaN, false],
] as const)('target %o at %d is met: %s', (bounds, value, expected) => {
  expect(isMet({ what: 'ratio', value, ...bounds })).toBe(expected)
})

test('a missed target is printed, with the figure and what was wanted', () => {
  const target = { what: 'ours ÷ bare', value: 0.6, atLeast: 0.75 }
  expect(verdictOf(target)).toBe('MISSED  ours ÷ bare: 0.6 (target ≥ 0.75)')
  expect(textOf('p1', { title: 'race', standings: [], targets: [target] })).toContain(verdictOf(target))
})
