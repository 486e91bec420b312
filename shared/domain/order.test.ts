import { expect, test } from 'vitest'
import { SIDES, directionOf, oppositeOf } from './order.ts'
import { DENIAL_CODES } from './risk.ts'

test('a buy adds, a sell takes away, and each is the opposite of the other', () => {
  expect(directionOf('buy')).toBe(1n)
  expect(directionOf('sell')).toBe(-1n)
  for (const side of SIDES) {
    expect(directionOf(oppositeOf(side))).toBe(-directionOf(side))
  }
})

test('no reason for a denial stands twice in the order of checks', () => {
  expect(new Set(DENIAL_CODES).size).toBe(DENIAL_CODES.length)
})
