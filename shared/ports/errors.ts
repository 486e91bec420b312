// The failures that are not defects. What each means to a trigger stands in shared/runtime/delivery.ts.

/** Operational: the world was not ready. Deliver the event again. */
export class RetryableError extends Error {
  override name = 'RetryableError'
}

/** The message can never be handled. Dead-letter it, do not deliver it again. */
export class PoisonError extends Error {
  override name = 'PoisonError'
}
