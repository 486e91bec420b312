// Tried by hand as well, as root, with the whole suite on a small disk (mount -t tmpfs -o size=66m … /mnt/jts, then
// `npm start -- --replay … --data /mnt/jts/data`): filled by JTS itself and by a foreign file, for the whole directory and
// for PostgreSQL's alone, with JTS_DISK_MIB_MIN at its default and at 0. After `mount -o remount,size=…` the same
// directory goes on: orders, positions and cash equal to the broker's.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { manualStopwatch } from '#shared/adapters/memory/manual-stopwatch.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { DiskFullError, lookAtRoom, watchRoom } from './disk-room.ts'

const MIB = 1024 * 1024
const told: (string | undefined)[] = []
const options = (mibLeft: () => number, mibMin = 64) => ({
  directories: ['/data', '/pg'],
  bytesMin: mibMin * MIB,
  stopwatch: systemStopwatch,
  tell: (words: string | undefined) => void told.push(words),
  bytesLeft: (directory: string) => Promise.resolve((directory === '/pg' ? mibLeft() : 1_000_000) * MIB),
})

test('the disk of any part counts: the fault says which, what is left and what is needed', async () => {
  const look = lookAtRoom(options(() => 63))
  await expect(look).rejects.toThrow(DiskFullError)
  await expect(look).rejects.toThrow(/holds \/pg is full: 63 MiB are left, JTS needs 64 \(JTS_DISK_MIB_MIN\)/)
})

test('a disk that is nearly full is told, and told to be well again', async () => {
  told.length = 0
  await lookAtRoom(options(() => 900))
  await lookAtRoom(options(() => 2_000))
  expect(told).toEqual(['the disk that holds /pg is nearly full: 900 MiB are left', undefined])
})

test('with 0 as its minimum a full disk ends nothing', async () => {
  await expect(lookAtRoom(options(() => 0, 0))).resolves.toBeUndefined()
})

test('the watch ends with the fault when the room goes, and with nothing when it is stopped', async () => {
  const stopwatch = manualStopwatch()
  let left = 100
  const watching = watchRoom({ ...options(() => left), stopwatch }, new AbortController().signal)
  while (stopwatch.sleeping() === 0) await turn()
  left = 10
  stopwatch.elapse(1_000)
  expect(await watching).toBeInstanceOf(DiskFullError)

  const stopped = watchRoom(
    options(() => 100),
    AbortSignal.abort(),
  )
  expect(await stopped).toBeUndefined()
})

test('a real directory has room, and one that is not there yet is passed over', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'jts-room-'))
  const { bytesLeft: _unused, ...real } = options(() => 0, 1)
  await lookAtRoom({ ...real, directories: [directory, join(directory, 'later')] })
  const all = lookAtRoom({ ...real, directories: [directory], bytesMin: Number.MAX_SAFE_INTEGER })
  await expect(all).rejects.toThrow(DiskFullError)
  await rm(directory, { recursive: true })
})
