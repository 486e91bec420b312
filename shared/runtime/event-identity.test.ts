import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { childTrace, outputIdentity, rootTrace } from './event-identity.ts'
import { contentId } from './root-event.ts'

test('ids are the same on every machine and in every release', () => {
  // Written down once. A change here makes every redelivery of an event that is on its way look new.
  expect(outputIdentity('in-1', 'risk-check', 0)).toEqual({
    id: '19bc33634378087bcd5b226a31446a41',
    spanId: 'ccf786655254c161',
  })
  expect(contentId('execution', '2026-01-05', '1')).toBe('c2ce6f13ba419c51f9a3e2d17c1f8ece')
})

test('different causes, functions or indices never share an id', () => {
  const cause = fc.tuple(fc.string({ maxLength: 8 }), fc.constantFrom('a', 'b-c', 'place-order'), fc.nat(20))
  fc.assert(
    fc.property(cause, cause, (left, right) => {
      const isSame = left.join('\n') === right.join('\n')
      expect(outputIdentity(...left).id === outputIdentity(...right).id).toBe(isSame)
    }),
  )
})

test('parts of a content id do not run into each other', () => {
  expect(
    new Set([contentId('a', 'bc'), contentId('ab', 'c'), contentId('abc'), contentId('a', 'b', 'c')]).size,
  ).toBe(4)
})

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

test.each([
  [
    'a trace goes on with its flags',
    `00-${TRACE}-${SPAN}-00`,
    new RegExp(`^00-${TRACE}-1111111111111111-00$`),
  ],
  ['no trace: a new one', undefined, /^00-[\da-f]{32}-1111111111111111-01$/],
  ['an unreadable trace: a new one', 'nonsense', /^00-[\da-f]{32}-1111111111111111-01$/],
  [
    'a trace of zeros: a new one',
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    /^00-(?!0{32})[\da-f]{32}-1111111111111111-01$/,
  ],
])('%s', (_name, parent, expected) => {
  expect(childTrace(parent, 'cause', '1'.repeat(16))).toMatch(expected)
})

test('what one thing began has one trace, even where the traces were lost', () => {
  const traceOf = (traceparent: string): string | undefined => traceparent.split('-')[1]
  expect(traceOf(childTrace(undefined, 'began', '1'.repeat(16)))).toBe(traceOf(rootTrace('began')))
})
