// At most so many at once; the others wait in line.

export interface Slots {
  /** Rejects with the signal's reason when it aborts before there is room. */
  run<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result>
}

export function slots(max: number): Slots {
  let free = max
  const waiting = new Set<() => void>()

  const room = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        waiting.delete(enter)
        reject(signal.reason as Error)
      }
      signal.throwIfAborted()
      waiting.add(enter)
      signal.addEventListener('abort', leave, { once: true })
    })
  const release = (): void => {
    const [next] = waiting
    if (next === undefined) free += 1
    else {
      waiting.delete(next)
      next()
    }
  }

  return {
    async run(work, signal) {
      if (free > 0) free -= 1
      else await room(signal)
      try {
        return await work()
      } finally {
        release()
      }
    },
  }
}
