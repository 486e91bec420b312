import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'

/** Milliseconds by a clock that processes of this machine share to some microseconds, and that never jumps. */
export const machineMs = (): number => performance.timeOrigin + systemStopwatch.elapsedMs()
