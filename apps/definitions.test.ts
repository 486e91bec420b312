import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadFunctions } from '../scripts/docs/repository.ts'
import { DEFINITIONS } from './definitions.ts'

test('no function is left out', async () => {
  const found = await loadFunctions(join(import.meta.dirname, '..'))
  expect(DEFINITIONS.map(({ name }) => name)).toEqual(found.map(({ name }) => name))
})
