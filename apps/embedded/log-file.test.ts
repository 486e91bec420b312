import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLog } from '#shared/runtime/log.ts'
import { logFileIn, openLogFile } from './log-file.ts'

test('lines that the disk refuses are said once and end nothing; the others are in the file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'jts-log-'))
  const path = logFileIn(directory)
  const said: string[] = []
  const file = openLogFile(path, (words) => void said.push(words))
  const log = createLog('test', 'info', file.stream)
  log.info({}, 'before')
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  file.stream.emit('error', full)
  file.stream.emit('error', full)
  log.info({}, 'after')
  file.end()

  expect(said).toEqual([`the log ${path} cannot be written: ENOSPC: no space left on device, write`])
  const text = await readFile(path, 'utf8')
  expect(text).toContain('before')
  expect(text).toContain('after')
  await rm(directory, { recursive: true })
})
