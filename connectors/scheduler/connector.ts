// Publishes session phases and timers, on whatever clock it is given.
import { SessionPhaseChanged, TimerFired } from '#shared/events/timers.ts'

/** What this connector publishes; the event catalogue is printed from it. */
export const produces = [SessionPhaseChanged, TimerFired]
