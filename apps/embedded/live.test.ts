import { expect, test } from 'vitest'
import { wrapped } from './live.ts'

test('a line is parted between its columns where the terminal is narrow', () => {
  const line = 'kis:1  active  cash 90,112,430  realized -4,120'
  expect(wrapped(line, 120)).toEqual([line])
  expect(wrapped(line, 30)).toEqual(['kis:1  active  cash 90,112,430', 'realized -4,120'])
  for (const width of [1, 7, 20, 33]) {
    expect(wrapped(line, width).every((row) => row.length <= width)).toBe(true)
  }
})

test('what belongs to the line above stays indented', () => {
  expect(wrapped('  005930.KRX 28  035420.KRX 8', 20)).toEqual(['  005930.KRX 28', '035420.KRX 8'])
})
