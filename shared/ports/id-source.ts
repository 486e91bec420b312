// Identity comes in through the door too. Ids of caused events are not made here: they are a function of their cause.

export interface IdSource {
  /** A new id that no other process makes; URL-safe, at most 40 characters. */
  next(): string
}
