// Time as events, so that a replay has the same timers.
import * as z from 'zod'
import { SESSION_PHASES } from '#shared/domain/session.ts'
import { defineEvent } from './contract.ts'
import { DateString, Id, Time } from './wire.ts'

export const SessionPhaseChanged = defineEvent({
  name: 'SessionPhaseChanged',
  type: 'jts.session-phase.changed.v1',
  topic: 'timers',
  summary: 'A venue entered a phase of its session.',
  key: (phase) => phase.venue,
  schema: z.strictObject({
    venue: z.string().min(1).max(8),
    sessionDate: DateString,
    phase: z.enum(SESSION_PHASES),
    changedTime: Time,
  }),
})

export const TimerFired = defineEvent({
  name: 'TimerFired',
  type: 'jts.timer.fired.v1',
  topic: 'timers',
  summary: 'A timer came due.',
  key: (timer) => timer.timer,
  schema: z.strictObject({ timer: Id, dueTime: Time }),
})
