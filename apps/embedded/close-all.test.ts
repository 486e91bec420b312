import { expect, test } from 'vitest'
import { closeAll } from './close-all.ts'

test('what comes after a part that does not close is closed all the same', async () => {
  const closed: string[] = []
  const closing = closeAll([
    () => Promise.resolve(closed.push('market')),
    () => Promise.reject(new Error('ticks are not written')),
    () => Promise.resolve(closed.push('server')),
  ])
  await expect(closing).rejects.toThrow('ticks are not written')
  expect(closed).toEqual(['market', 'server'])
})

test('of several faults none is kept from the person who reads it', async () => {
  const refuse = (words: string) => () => Promise.reject(new Error(words))
  await expect(closeAll([refuse('one'), refuse('two')])).rejects.toThrow('Error: one; Error: two')
})
