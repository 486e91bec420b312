import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { BusBatch, Subscription } from '#shared/ports/event-bus.ts'
import { memoryBus } from './event-bus.ts'

const event = (key: number, index: number): Event => ({
  specversion: '1.0',
  id: `${key}/${index}`,
  source: '/jts/test',
  type: 'jts.bar.closed.v1',
  subject: `key-${key}`,
  time: '2025-08-28T00:00:00.000Z',
  datacontenttype: 'application/json',
  partitionkey: `key-${key}`,
  correlationid: `${key}/${index}`,
  causationid: `${key}/${index}`,
  data: {},
})

type Step =
  | { readonly kind: 'publish'; readonly key: number; readonly count: number }
  | { readonly kind: 'join' | 'leave'; readonly group: number }
  | { readonly kind: 'turn' }

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('publish'),
        key: fc.nat(9),
        count: fc.integer({ min: 1, max: 9 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('join', 'leave'), group: fc.nat(1) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn') }) },
  ),
  { minLength: 5, maxLength: 60 },
) as fc.Arbitrary<readonly Step[]>

/** One run: what was handled, and what must never be seen. */
const scene = (faults: readonly number[]) => {
  const plan = [...faults]
  const seen = [new Map<string, string[]>(), new Map<string, string[]>()] as const
  const inHand = new Set<string>()
  const clashes: string[] = []

  const handle = (group: 0 | 1) => async (batch: BusBatch) => {
    const hand = `${group} ${batch.topic}/${batch.partition}`
    if (inHand.has(hand)) clashes.push(hand)
    inHand.add(hand)
    try {
      for (const { event: got, offset } of batch.records) {
        const fault = plan.shift() ?? 0
        if (fault === 1) throw new RetryableError('before handling')
        const ofKey = seen[group].get(got.partitionkey) ?? []
        seen[group].set(got.partitionkey, ofKey)
        if (!ofKey.includes(got.id)) ofKey.push(got.id)
        if (fault === 2) throw new RetryableError('handled, not resolved')
        if (fault === 3) await new Promise((resolve) => setImmediate(resolve))
        await batch.heartbeat()
        batch.resolve(offset)
      }
    } finally {
      inHand.delete(hand)
    }
  }
  return { seen, clashes, handle }
}

test('whoever joins, leaves or fails: nothing is lost, a key stays in order, a partition in one hand', async () => {
  const property = fc.asyncProperty(steps, fc.array(fc.nat(3), { maxLength: 60 }), async (plan, faults) => {
    const bus = memoryBus({ partitions: 3 })
    const { seen, clashes, handle } = scene(faults)
    const settled: string[] = []
    bus.onSettled((ids) => settled.push(...ids))
    const members: [Subscription[], Subscription[]] = [[], []]
    const join = async (group: 0 | 1): Promise<void> => {
      const batchSizeMax = 1 + members[group].length
      const options = { group: `group-${group}`, topics: ['market.bars'], batchSizeMax } as const
      members[group].push(await bus.subscribe(options, handle(group)))
    }
    await join(0)
    await join(1)

    const published = new Map<string, string[]>()
    const leaving: Promise<void>[] = []
    for (const step of plan) {
      if (step.kind === 'publish') {
        const ofKey = published.get(`key-${step.key}`) ?? []
        published.set(`key-${step.key}`, ofKey)
        const events = Array.from({ length: step.count }, (_, index) => event(step.key, ofKey.length + index))
        ofKey.push(...events.map(({ id }) => id))
        await bus.publish(events)
      } else if (step.kind === 'join') await join(step.group === 0 ? 0 : 1)
      else if (step.kind === 'leave')
        leaving.push(members[step.group === 0 ? 0 : 1].shift()?.close() ?? Promise.resolve())
      else await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(leaving)
    await join(0)
    await join(1)
    await bus.idle()

    expect(clashes).toEqual([])
    for (const group of seen) expect(Object.fromEntries(group)).toEqual(Object.fromEntries(published))
    expect(settled.toSorted()).toEqual([...published.values()].flat().toSorted())
    expect(await bus.lag('group-0')).toBe(0)
    await bus.close()
  })
  await expect(fc.assert(property, { numRuns: 200 })).resolves.toBeUndefined()
})
