import { expect, test } from 'vitest'
import { NEXT, ORDER_STATUSES } from '#shared/domain/order-lifecycle.ts'
import { orderLifecycleDoc } from './order-lifecycle.ts'

const page = orderLifecycleDoc()
const table = page.split('\n').filter((line) => line.startsWith('|'))
const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim())

test('the page leaves out a legal step, or shows one that is not', () => {
  const [header = '', , ...rows] = table
  const steps = cellsOf(header).slice(2)
  const shown = rows.flatMap((row) => {
    const [from = '', , ...cells] = cellsOf(row)
    return cells.flatMap((to, at) => (to === '' ? [] : [`${from.replaceAll('*', '')} ${steps[at]} ${to}`]))
  })
  const legal = ORDER_STATUSES.flatMap((from) =>
    Object.entries(NEXT[from]).map(
      ([step, to]) => `${from} ${step} ${to === 'resume' ? 'accepted or partiallyFilled' : to}`,
    ),
  )
  expect(shown.toSorted()).toEqual(legal.toSorted())
})

test('the picture leaves out an arrow', () => {
  const arrows = new Set([...page.matchAll(/^ {2}(\w+) --> (\w+):/gm)].map(([, from, to]) => `${from} ${to}`))
  const legal = ORDER_STATUSES.flatMap((from) =>
    Object.values(NEXT[from]).flatMap((to) =>
      to === 'resume' ? [`${from} accepted`, `${from} partiallyFilled`] : [`${from} ${to}`],
    ),
  )
  expect([...arrows].toSorted()).toEqual([...new Set(legal)].toSorted())
  expect(page).toContain('  [*] --> requested')
  expect(page).toContain('  filled --> [*]')
})
