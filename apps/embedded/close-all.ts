/**
 * Closes one after the other, and each although one before it failed: a server that nobody stops outlives us.
 * @throws the fault, or an AggregateError of all of them.
 */
export async function closeAll(closers: readonly (() => Promise<unknown>)[]): Promise<void> {
  const faults: unknown[] = []
  for (const close of closers) await close().catch((error: unknown) => faults.push(error))
  if (faults.length === 1) throw faults[0]
  if (faults.length > 1) throw new AggregateError(faults, faults.map(String).join('; '))
}
