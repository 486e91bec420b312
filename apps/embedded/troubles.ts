// What is wrong right now, one line a part: for the person at the terminal, and once each in the log.
import type { Log } from '#shared/runtime/log.ts'

export interface Troubles {
  /** What is wrong with a part; undefined once it is well again. */
  tell(part: string, words: string | undefined): void
  /** The oldest trouble, one line; undefined when there is none. */
  oldest(): string | undefined
}

export function troublesOf(log: Pick<Log, 'warn' | 'info'>): Troubles {
  const now = new Map<string, string>()
  return {
    tell(part, words) {
      const isNew = !now.has(part)
      if (words !== undefined) {
        now.set(part, words)
        if (isNew) log.warn({ part, trouble: words }, 'trouble')
      } else if (now.delete(part)) log.info({ part }, 'trouble is over')
    },
    oldest: () => [...now.values()][0]?.split('\n')[0],
  }
}
