// Takes events from topics to functions over HTTP, and publishes what they answer.
import type { EventContract } from '#shared/events/contract.ts'

/** Nothing of its own: what it publishes is what the functions emit. */
export const produces: readonly EventContract[] = []
