// The room on the disks that everything is kept on.
//
// A database that meets a full disk stops where it stands. So JTS ends first, in good order, while there is still room to
// finish what is under way; and says so long before.
import { statfs } from 'node:fs/promises'
import type { Stopwatch } from '#shared/ports/clock.ts'

export class DiskFullError extends Error {
  override name = 'DiskFullError'
}

export interface DiskRoomOptions {
  /** One that is not there (yet) is passed over. */
  readonly directories: readonly string[]
  /** JTS ends below this. 0 never ends it. */
  readonly bytesMin: number
  readonly stopwatch: Stopwatch
  /** A warning for a person; undefined once there is room again. */
  readonly tell: (words: string | undefined) => void
  /** Default: what the system says. */
  readonly bytesLeft?: (directory: string) => Promise<number>
}

const MIB = 1024 * 1024
/** A busy day of ticks takes some hundred MiB: below this a person should look. */
const WARN_BYTES = 1024 * MIB
const LOOK_EVERY_MS = 500

const systemBytesLeft = async (directory: string): Promise<number> => {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Infinity
    throw error
  }
}

/** Looks once. @throws DiskFullError when there is too little room to go on. */
export async function lookAtRoom(options: DiskRoomOptions): Promise<void> {
  const { directories, bytesMin, tell, bytesLeft = systemBytesLeft } = options
  let warning: string | undefined
  for (const directory of directories) {
    const bytes = await bytesLeft(directory)
    const left = `${Math.floor(bytes / MIB)} MiB are left`
    if (bytes < bytesMin) {
      throw new DiskFullError(
        `the disk that holds ${directory} is full: ${left}, JTS needs ${Math.ceil(bytesMin / MIB)} ` +
          '(JTS_DISK_MIB_MIN) to end in good order. Make room and start again: it goes on where it stopped',
      )
    }
    if (bytes < WARN_BYTES) warning ??= `the disk that holds ${directory} is nearly full: ${left}`
  }
  tell(warning)
}

/** Looks again and again. Resolves with the fault once there is too little room, with undefined once the signal aborts. */
export async function watchRoom(
  options: DiskRoomOptions,
  signal: AbortSignal,
): Promise<DiskFullError | undefined> {
  while (!signal.aborted) {
    try {
      await lookAtRoom(options)
    } catch (error) {
      if (error instanceof DiskFullError) return error
      throw error
    }
    await options.stopwatch.sleep(LOOK_EVERY_MS, signal).catch(() => undefined)
  }
  return undefined
}
