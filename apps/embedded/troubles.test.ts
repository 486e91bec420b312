import { expect, test } from 'vitest'
import { troublesOf } from './troubles.ts'

test('the oldest trouble is shown, on one line, and each is logged when it comes and when it goes', () => {
  const logged: unknown[] = []
  const note = (fields: object, message: string) => void logged.push([message, fields])
  const troubles = troublesOf({ warn: note, info: note })
  expect(troubles.oldest()).toBeUndefined()

  troubles.tell('PostgreSQL', 'PostgreSQL died\nand its log says why')
  troubles.tell('disk', 'nearly full: 9 MiB')
  troubles.tell('disk', 'nearly full: 8 MiB')
  expect(troubles.oldest()).toBe('PostgreSQL died')

  troubles.tell('PostgreSQL', undefined)
  troubles.tell('ClickHouse', undefined)
  expect(troubles.oldest()).toBe('nearly full: 8 MiB')
  expect(logged).toEqual([
    ['trouble', { part: 'PostgreSQL', trouble: 'PostgreSQL died\nand its log says why' }],
    ['trouble', { part: 'disk', trouble: 'nearly full: 9 MiB' }],
    ['trouble is over', { part: 'PostgreSQL' }],
  ])
})
