// The runtime of the language template: hosts a handler that imports nothing of ours. Contracts are given by name.
import * as z from 'zod'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { CONTRACTS } from '#shared/events/catalogue.ts'
import { type Event, type EventContract, output } from '#shared/events/contract.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import { CONFIG_EXIT_CODE, type Environment, loadConfigOrExit } from '#shared/runtime/config.ts'
import { defineFunction } from '#shared/runtime/function.ts'
import { ServeConfig, type Serving, serve } from '#shared/runtime/serve.ts'

const TIMEOUT_MS = 10_000

const Name = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower-case letters, digits and dashes')
const Contract = z.string().transform((name, context): EventContract => {
  const found = CONTRACTS.find((contract) => contract.name === name)
  if (found !== undefined) return found
  context.addIssue({ code: 'custom', message: `there is no event ${name}; docs/events.md names them all` })
  return z.NEVER
})
const Handle = z.custom<Handle>((value) => typeof value === 'function', 'must be a function')
const HandlerModule = z.object({
  definition: z.strictObject({
    /** Part of the ids of what it emits: no other function may have it. */
    name: Name,
    summary: z.string().default(''),
    consumes: z.array(Contract).min(1),
    produces: z.array(Contract).default([]),
    timeoutMs: z.number().int().min(1).max(600_000).default(TIMEOUT_MS),
  }),
  handle: Handle,
})

/** What the handler gets beside its event. The two errors are there to be thrown; anything else thrown is a defect. */
export interface HandlerKit {
  /** Aborts at the deadline. */
  readonly signal: AbortSignal
  /** The world was not ready: deliver the event again. */
  readonly RetryableError: typeof RetryableError
  /** The event can never be handled: dead-letter it. */
  readonly PoisonError: typeof PoisonError
}

/** May answer with or without a promise. */
type Handle = (event: Event, kit: HandlerKit) => unknown

const Outputs = z
  .array(z.strictObject({ contract: Contract, data: z.unknown() }))
  .nullish()
  .transform((outputs) => outputs ?? [])

/** Serves what `handler.js` exports until a signal ends it. A module that is wrong ends the process with code 2. */
export async function serveHandler(module: unknown, environment: Environment): Promise<Serving> {
  const parsed = HandlerModule.safeParse(module)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `  ${path.join('.')}: ${message}`)
    process.stderr.write(`${['The handler is wrong:', ...faults].join('\n')}\n`)
    return process.exit(CONFIG_EXIT_CODE)
  }
  const { definition, handle } = parsed.data
  const config = loadConfigOrExit(ServeConfig, environment)
  const hosted = defineFunction({ ...definition, scale: { min: 0, max: 1 } })
  return serve(
    hosted,
    async (event, { signal }) => {
      const answered = Outputs.parse(await handle(event, { signal, RetryableError, PoisonError }))
      return answered.map(({ contract, data }) => output(contract, data))
    },
    { config, clock: systemClock, stopwatch: systemStopwatch },
  )
}
