// Functions and bridges that come, go, move and die while events are under way.
import { afterEach, describe, expect, test } from 'vitest'
import { memoryBus } from '#shared/adapters/memory/event-bus.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { seededRandom } from '#shared/simulation/random.ts'
import { type BothHandler, bar, cancel, denial } from '#shared/runtime/test-event.fixture.ts'
import { bridgeBench, isDone, openBridge, targetOf, until, watchDenials } from './bridge.fixture.ts'
import type { Target } from './target.ts'

const { bridging, serving, end } = bridgeBench()
afterEach(end)

const NAME = 'test-function'
const accounts = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `A-${index}`)

describe('instances', () => {
  /** Which instance handled which account. */
  const noting = (seen: Map<string, Set<number>>, instance: number): BothHandler => {
    return async ({ partitionkey }) => {
      seen.set(partitionkey, (seen.get(partitionkey) ?? new Set()).add(instance))
      return []
    }
  }

  test('an account keeps to one instance, and all instances have work', async () => {
    const seen = new Map<string, Set<number>>()
    const functions = await Promise.all([0, 1, 2].map((instance) => serving(noting(seen, instance))))
    const opened = bridging([targetOf(functions.map(({ url }) => url))])
    for (let round = 0; round < 10; round += 1) {
      await opened.bus.publish(accounts(60).map((account) => cancel(`${account}/${round}`, account)))
    }
    await isDone(opened)
    expect([...seen.values()].filter((instances) => instances.size !== 1)).toEqual([])
    expect(new Set([...seen.values()].flatMap((instances) => [...instances]))).toEqual(new Set([0, 1, 2]))
  })

  test('what a dead instance had goes to another, and comes back when it does; nobody else moves', async () => {
    const before = new Map<string, Set<number>>()
    const notes = { current: before }
    const handlerOf = (instance: number): BothHandler => {
      return (event, context) => noting(notes.current, instance)(event, context)
    }
    const functions = await Promise.all([0, 1, 2].map((instance) => serving(handlerOf(instance))))
    const opened = bridging([targetOf(functions.map(({ url }) => url))])
    const round = async (name: string): Promise<Map<string, Set<number>>> => {
      notes.current = new Map()
      await opened.bus.publish(accounts(60).map((account) => cancel(`${account}/${name}`, account)))
      await isDone(opened)
      return notes.current
    }
    const whole = await round('whole')
    await functions[1]?.kill()
    const reduced = await round('reduced')
    const others = [...whole].filter(([, instances]) => !instances.has(1))
    expect(others.map(([account]) => [account, reduced.get(account)])).toEqual(others)
    expect([...reduced.values()].filter((instances) => instances.has(1))).toEqual([])
    expect(opened.bridge.functions()).toMatchObject([{ name: NAME, all: 3 }])
    await serving(handlerOf(1), { port: functions[1]?.port ?? 0 })
    await until(() => opened.bridge.functions()[0]?.resting === 0)
    expect(await round('again')).toEqual(whole)
  })

  test('each address behind a name is an instance of its own', async () => {
    const seen: string[] = []
    const { port } = await serving(async (event) => {
      seen.push(event.id)
      return []
    })
    const addresses = [{ address: '127.0.0.1' }]
    const opened = bridging([targetOf([`http://function.example:${port}`])], {
      lookup: async () => addresses,
    })
    await opened.bus.publish([cancel('c1')])
    await isDone(opened)
    addresses.push({ address: '127.0.0.2' })
    await until(() => opened.bridge.functions()[0]?.all === 2)
    expect(seen).toEqual(['c1'])
  })
})

describe('functions that come and go', () => {
  test('a function that appears is served from where its group stands, one that goes is left alone', async () => {
    const seen: string[] = []
    const { url } = await serving(async (event) => {
      seen.push(event.id)
      return []
    })
    let targets: readonly Target[] = []
    const opened = bridging(() => targets)
    await opened.bus.publish([cancel('c1')])
    await until(() => opened.bridge.notReady().join() === 'there are no functions')
    targets = [targetOf([url])]
    await until(() => seen.length === 1)
    targets = []
    await until(() => opened.bridge.functions().length === 0)
    await opened.bus.publish([cancel('c2')])
    expect([seen, await opened.bus.lag(NAME)]).toEqual([['c1'], 1])
    targets = [targetOf([url], { timeoutMs: 2_000 })]
    await until(() => seen.length === 2)
    expect([seen, opened.bridge.notReady()]).toEqual([['c1', 'c2'], []])
  })

  test('while nobody says which functions there are, those that run go on', async () => {
    const { url } = await serving(async () => [])
    let isKnown = true
    const opened = bridging(() => {
      if (!isKnown) throw new RetryableError('the gateway does not answer')
      return [targetOf([url])]
    })
    await until(() => opened.bridge.functions().length === 1)
    isKnown = false
    await opened.bus.publish([cancel('c1')])
    await isDone(opened)
    expect([opened.bridge.functions().length, opened.bridge.notReady()]).toEqual([1, []])
  })

  test('a bridge that does not know its functions yet is not ready, and says why', async () => {
    const opened = bridging(() => {
      throw new RetryableError('the gateway does not answer')
    })
    await expect.poll(() => opened.bridge.notReady()).toEqual(['the gateway does not answer'])
  })
})

describe('ending', () => {
  test('the request under way ends and is committed; what follows is left for others', async () => {
    const entered = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const { url } = await serving(async (event) => {
      entered.resolve()
      await release.promise
      return [denial(event.id)]
    })
    const bus = memoryBus()
    const denials = await watchDenials(bus)
    const opened = openBridge([targetOf([url], { batchMax: 1 })], { bus })
    await bus.publish([bar('b1'), bar('b2')])
    await entered.promise
    const closed = opened.bridge.close()
    release.resolve()
    await closed
    await opened.bridge.ended
    await until(() => denials.length === 1)
    expect([denials, await bus.lag(NAME)]).toEqual([['b1'], 2])
    await opened.close()
  })

  test('a request that does not end is cut off, and its events are left for others', async () => {
    const entered = Promise.withResolvers<void>()
    const { url } = await serving(async () => {
      entered.resolve()
      return new Promise(() => undefined)
    })
    const opened = openBridge([targetOf([url])], { leaveMs: 50 })
    await opened.bus.publish([bar('b1')])
    await entered.promise
    await opened.bridge.close()
    expect([opened.bus.deadLetters(), await opened.bus.lag(NAME)]).toEqual([[], 1])
    await opened.close()
  })
})

describe('all at once', () => {
  test.each([1, 2, 3])(
    'instances and bridges that fail, hang and are killed: each event has its effect once, in order (seed %i)',
    async (seed) => {
      const generator = seededRandom(seed)
      const random = (): number => generator.next()
      const bus = memoryBus({ stopwatch: systemStopwatch })
      /** What a database would hold: effects by event, and their order by account. */
      const stored = new Map<string, string>()
      const handler: BothHandler = async (event, { signal }) => {
        const roll = random()
        if (roll < 0.01) throw new RetryableError('the store is down')
        if (roll < 0.012) await systemStopwatch.sleep(5_000, signal)
        if (!stored.has(event.id)) stored.set(event.id, event.partitionkey)
        if (random() < 0.005) throw new RetryableError('stored, and then cut off')
        return [denial(event.id, event.partitionkey)]
      }
      const denials = await watchDenials(bus)
      const functions = await Promise.all([0, 1, 2].map(() => serving(handler)))
      const target = targetOf(
        functions.map(({ url }) => url),
        { timeoutMs: 200 },
      )
      const bridges = [openBridge([target], { bus, leaveMs: 20 }), openBridge([target], { bus, leaveMs: 20 })]
      const wanted = accounts(20).flatMap((account) =>
        Array.from({ length: 40 }, (_, index) => cancel(`${account}/${index}`, account)),
      )
      for (let round = 0; round < 8; round += 1) {
        await bus.publish(wanted.filter((_, index) => index % 8 === round))
        const at = generator.integer(functions.length)
        const killed = functions[at]
        await killed?.kill()
        const bridge = generator.integer(bridges.length)
        await bridges[bridge]?.bridge.close()
        bridges[bridge] = openBridge([target], { bus, leaveMs: 20 })
        functions[at] = await serving(handler, { port: killed?.port ?? 0 })
      }
      await isDone({ bus })
      await until(() => new Set(denials).size === wanted.length)
      for (const account of accounts(20)) {
        const ofAccount = wanted.filter(({ partitionkey }) => partitionkey === account).map(({ id }) => id)
        // Published in eight rounds, so this is the order on the bus.
        const inOrder = ofAccount.toSorted((left, right) => roundOf(wanted, left) - roundOf(wanted, right))
        expect([...stored].filter(([, key]) => key === account).map(([id]) => id)).toEqual(inOrder)
      }
      expect(bus.deadLetters()).toEqual([])
      await Promise.all(bridges.map(({ bridge }) => bridge.close()))
    },
  )
})

const roundOf = (wanted: readonly { readonly id: string }[], id: string): number =>
  wanted.findIndex((event) => event.id === id) % 8
