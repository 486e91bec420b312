import { expect, test } from 'vitest'
import { DEFINITIONS } from '../definitions.ts'
import { allTopics, observersAmong, tradingTopics } from './consumers.ts'

test('the archive and what tells people look on; everything else may lead to an order', () => {
  expect([...observersAmong(DEFINITIONS)].toSorted()).toEqual(['archive-event', 'notify'])
  expect([...tradingTopics('').keys()].toSorted()).toEqual([
    'evaluate-strategy',
    'ingest-tick',
    'place-order',
    'reconcile-account',
    'record-execution',
    'risk-check',
  ])
})

test('a function that wakes only its own kind looks on with it', () => {
  const contract = (type: string) => ({ type }) as never
  const [a, b] = [contract('a'), contract('b')]
  const flow = [
    { name: 'last', consumes: [a, b], produces: [] },
    { name: 'middle', consumes: [a], produces: [b] },
    { name: 'first', consumes: [], produces: [a] },
  ]
  expect(observersAmong(flow)).toEqual(new Set(['last', 'middle', 'first']))
})

test('groups and topics carry the prefix of the cluster, and the tally is among all', () => {
  const all = allTopics('test.')
  expect(all.get('test.place-order')).toEqual(['test.orders'])
  expect([...all.keys()]).toContain('test.tally')
})
