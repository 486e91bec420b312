// A session is one trading day at a venue, in phases.
import type { Instant, SessionDate } from './time.ts'

export const SESSION_PHASES = ['closed', 'openingAuction', 'continuous', 'closingAuction'] as const
/** `closed` is everything outside the others, nights and holidays included. */
export type SessionPhase = (typeof SESSION_PHASES)[number]

/** `from` inclusive, `to` exclusive. */
export interface PhaseSpan {
  readonly phase: SessionPhase
  readonly from: Instant
  readonly to: Instant
}

export interface Session {
  readonly date: SessionDate
  /** In order, without gaps, from the first order entry to the close. */
  readonly phases: readonly PhaseSpan[]
}
