import { describe, expect, test } from 'vitest'
import { manualStopwatch } from '#shared/adapters/memory/manual-stopwatch.ts'
import { type Lookup, instancesOf, placeOf } from './instances.ts'

const URLS = ['http://a:8080', 'http://b:8080', 'http://c:8080', 'http://d:8080']
const open = (urls: readonly string[] = URLS, lookup?: Lookup) => {
  const stopwatch = manualStopwatch()
  const options = { urls, stopwatch, random: () => 1, ...(lookup === undefined ? {} : { lookup }) }
  return { stopwatch, instances: instancesOf(options) }
}
const firsts = (instances: ReturnType<typeof instancesOf>, partitions = 400): readonly string[] =>
  Array.from({ length: partitions }, (_, partition) => instances.forPartition(partition)[0]?.host ?? '')

describe('which instance serves a partition', () => {
  test('all have as many partitions', () => {
    const served = firsts(open().instances, 12)
    for (const host of 'abcd') expect(served.filter((each) => each === host)).toHaveLength(3)
  })

  test('the partitions of one that rests are spread over the others, which keep their own', () => {
    const { instances } = open()
    const before = firsts(instances)
    instances.rests(placeOf('http://b:8080'))
    const after = firsts(instances)
    const moved = after.filter((_, partition) => before[partition] === 'b')
    for (const host of 'acd') expect(moved.filter((each) => each === host).length).toBeGreaterThan(15)
    expect(
      after.filter((host, partition) => before[partition] !== 'b' && host !== before[partition]),
    ).toEqual([])
  })

  test('it rests longer each time, until it works', () => {
    const { instances, stopwatch } = open()
    const place = placeOf('http://b:8080')
    const restMs = (): number => {
      instances.rests(place)
      let ms = 0
      for (; instances.count().resting > 0; ms += 50) stopwatch.elapse(50)
      return ms
    }
    expect([restMs(), restMs(), restMs()]).toEqual([100, 200, 400])
    instances.works(place)
    expect(restMs()).toBe(100)
  })

  test('one that says for how long is left alone for that long', () => {
    const { instances, stopwatch } = open()
    instances.rests(placeOf('http://b:8080'), 3_000)
    stopwatch.elapse(2_900)
    expect(instances.count()).toEqual({ all: 4, resting: 1 })
    stopwatch.elapse(100)
    expect(instances.count()).toEqual({ all: 4, resting: 0 })
  })

  test('when all rest, one is asked anyway', () => {
    const { instances } = open()
    for (const url of URLS) instances.rests(placeOf(url))
    expect(instances.forPartition(1).map(({ host }) => host)).toEqual(['b'])
  })
})

describe('addresses behind a name', () => {
  test('each is an instance, whatever order they come in; the name is still what is asked for', async () => {
    let addresses = ['10.0.0.2', '10.0.0.1']
    const { instances } = open(['http://function:8080/events'], async () =>
      addresses.map((address) => ({ address })),
    )
    await instances.refresh()
    const before = firsts(instances)
    addresses = ['10.0.0.1', '10.0.0.2']
    await instances.refresh()
    expect([instances.count().all, firsts(instances)]).toEqual([2, before])
    expect(instances.forPartition(0)[0]).toEqual({
      isTls: false,
      host: '10.0.0.1',
      port: 8080,
      path: '/events',
      authority: 'function:8080',
    })
  })

  test('a name that is not known any more leaves them as they were', async () => {
    let isKnown = true
    const { instances } = open(['http://function:8080'], async () => {
      if (!isKnown) throw new Error('ENOTFOUND')
      return [{ address: '10.0.0.1' }, { address: '10.0.0.2' }]
    })
    await instances.refresh()
    isKnown = false
    await instances.refresh()
    expect(instances.count().all).toBe(2)
  })
})

test.each([
  ['http://a', { isTls: false, host: 'a', port: 80, path: '/', authority: 'a' }],
  ['https://a', { isTls: true, host: 'a', port: 443, path: '/', authority: 'a' }],
  [
    'http://[::1]:8080/x?y=1',
    { isTls: false, host: '::1', port: 8080, path: '/x?y=1', authority: '[::1]:8080' },
  ],
])('%s is read as where to connect', (url, place) => {
  expect(placeOf(url)).toEqual(place)
})
