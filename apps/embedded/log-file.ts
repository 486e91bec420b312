// The log of a run. A disk that takes no more lines must not end what trades.
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { destination } from 'pino'

export const logFileIn = (directory: string): string => join(directory, 'jts.log')

/** Held while the file takes nothing; what comes then is dropped. */
const BYTES_HELD_MAX = 4 * 1024 * 1024

export interface LogFile {
  /** For `createLog`. */
  readonly stream: ReturnType<typeof destination>
  /** Writes what is held, as far as the disk takes it. Nothing is written afterwards. */
  end(): void
}

/**
 * Opens it at once, so that nothing is lost however early the run ends. `say` is told the first time that lines cannot be written; they are tried again with
 * the next one.
 * @throws Error of the system when the file cannot be opened.
 */
export function openLogFile(path: string, say: (words: string) => void): LogFile {
  const stream = destination({ dest: openSync(path, 'a'), sync: false, maxLength: BYTES_HELD_MAX })
  let isSaid = false
  const onError = (error: Error): void => {
    if (isSaid) return
    isSaid = true
    say(`the log ${path} cannot be written: ${error.message}`)
  }
  stream.on('error', onError)
  return {
    stream,
    end() {
      try {
        stream.flushSync()
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)))
      }
      stream.destroy()
    },
  }
}
