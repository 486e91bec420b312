import { expect, test } from 'vitest'
import { slots } from './slots.ts'

const never = new AbortController().signal
const NAMES = ['a', 'x', 'b', 'c']

/** Work that ends when told to. */
function works(...names: readonly string[]) {
  const gates = new Map(names.map((name) => [name, Promise.withResolvers<void>()]))
  const begun: string[] = []
  const work = (name: string) => async (): Promise<string> => {
    begun.push(name)
    await gates.get(name)?.promise
    if (name === 'x') throw new Error('failed')
    return name
  }
  return { begun, work, end: (name: string) => gates.get(name)?.resolve() }
}

test('no more run than there are slots; the others follow in line, also after a failure', async () => {
  const { begun, work, end } = works(...NAMES)
  const two = slots(2)
  const results = NAMES.map((name) => two.run(work(name), never).catch((error: Error) => error.message))
  await Promise.resolve()
  expect(begun).toEqual(['a', 'x'])
  end('x')
  await expect.poll(() => begun).toEqual(['a', 'x', 'b'])
  for (const name of NAMES) end(name)
  expect(await Promise.all(results)).toEqual(['a', 'failed', 'b', 'c'])
})

test('whoever gives up waiting takes no slot', async () => {
  const { begun, work, end } = works('a', 'b', 'c')
  const one = slots(1)
  const first = one.run(work('a'), never)
  const leaving = new AbortController()
  const second = one.run(work('b'), leaving.signal)
  const third = one.run(work('c'), never)
  leaving.abort(new Error('leaving'))
  await expect(second).rejects.toThrow('leaving')
  end('a')
  end('c')
  expect([await first, await third, begun]).toEqual(['a', 'c', ['a', 'c']])
})
