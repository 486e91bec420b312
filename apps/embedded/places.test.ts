import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { postgresDirectoryOf, removeData } from './places.ts'

test('a superuser whose data directory is private keeps PostgreSQL where its own user can go', async () => {
  const home = await mkdtemp(join(tmpdir(), 'jts-places-'))
  const inside = join(home, '.jts')
  const isSuperuser = process.getuid?.() === 0

  await chmod(home, 0o755)
  expect(postgresDirectoryOf(inside)).toBe(join(inside, 'postgres'))
  await chmod(home, 0o700)
  const kept = postgresDirectoryOf(inside)
  expect(kept).toMatch(isSuperuser ? /^\/var\/lib\/jts\/[0-9a-f]{12}$/ : /\.jts\/postgres$/)
  expect(postgresDirectoryOf(inside), 'the same place every time').toBe(kept)
  await rm(home, { recursive: true })
})

test('what a person keeps in a data directory outlives what JTS kept there', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'jts-places-'))
  for (const name of ['jts.log', 'finished', 'my-notes.txt']) await writeFile(join(directory, name), '')
  await removeData(directory)
  expect(await readdir(directory)).toEqual(['my-notes.txt'])
  await rm(directory, { recursive: true })
})
