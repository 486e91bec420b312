import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { claimDirectory, readRunFile, removeRunFile, writeRunFile } from './run-file.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jts-run-'))
})
afterEach(() => rm(directory, { recursive: true }))

const anHourAgo = (): number => Date.now() / 1_000 - 3_600

/** A suite that answers as process `pid`. */
async function answering(pid: number, work: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((_request, response) => response.end(JSON.stringify({ running: true, pid })))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
}

test('of many that start at once, one has the directory; the others learn who', async () => {
  const claims = await Promise.all(Array.from({ length: 8 }, () => claimDirectory(directory)))
  expect(claims.filter((running) => running === undefined)).toHaveLength(1)
  expect(claims.filter((running) => running?.pid === process.pid)).toHaveLength(7)
  expect(await readdir(directory)).toEqual(['run.json'])
})

test('a run that answers at its address has the directory', async () => {
  await answering(process.pid, async (url) => {
    await writeRunFile(directory, { pid: process.pid, url })
    await utimes(join(directory, 'run.json'), anHourAgo(), anHourAgo())
    expect(await claimDirectory(directory)).toEqual({ pid: process.pid, url })
  })
})

test('what a killed run left does not keep the next from starting, whoever has its number or its port now', async () => {
  const { pid: dead } = spawnSync(process.execPath, ['--version'])
  await writeRunFile(directory, { pid: dead })
  expect(await readRunFile(directory)).toBeUndefined()

  await answering(process.pid + 1, async (url) => {
    await writeRunFile(directory, { pid: process.pid, url })
    expect(await readRunFile(directory)).toBeUndefined()
  })

  await writeRunFile(directory, { pid: process.pid })
  await utimes(join(directory, 'run.json'), anHourAgo(), anHourAgo())
  expect(await claimDirectory(directory)).toBeUndefined()
  await removeRunFile(directory)
  expect(await readRunFile(directory)).toBeUndefined()
})
