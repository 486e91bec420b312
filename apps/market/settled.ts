// When the whole suite has nothing left to do, this process and those behind the bus.
import { type Activity, quiet } from '../embedded/quiet.ts'

export interface SuiteActivity extends Activity {
  /** Whether every function has handled everything on its topics. */
  readonly haveCaughtUp: () => Promise<boolean>
}

/** Resolves once this process is quiet and was so while everybody else had caught up, or the signal aborts. */
export async function settled(activity: SuiteActivity, signal: AbortSignal): Promise<void> {
  for (;;) {
    await quiet(activity, signal)
    if (signal.aborted) return
    const sent = activity.sent()
    const isDone = await activity.haveCaughtUp()
    // What a function did at the broker comes back as frames.
    if (isDone && sent === activity.sent() && activity.parts.every((isQuiet) => isQuiet())) return
  }
}
