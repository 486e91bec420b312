// What a process cannot do without, opened at its start.
import type { Log } from './log.ts'

/**
 * For main.ts. When it cannot be had, says so with the setting that names it, and ends the process with code 1: who
 * started it starts it again.
 */
export async function openOrExit<Opened>(
  setting: string,
  open: () => Promise<Opened>,
  log: Pick<Log, 'fatal'>,
): Promise<Opened> {
  try {
    return await open()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.fatal({ setting, error }, `${setting}: ${reason}`)
    return process.exit(1)
  }
}
