// What is not KIS: a small door for tests and for people who want to see something go wrong. Under /simulator.
import * as z from 'zod'
import { formatInstant } from '#shared/domain/time.ts'
import { FaultSettings, ShotRequest } from '../faults.ts'
import { jsonObject } from './oauth.ts'
import type { Desk, Reply } from './reply.ts'

export interface Controls {
  readonly dropSockets: () => number
}

const answer = (body: Readonly<Record<string, unknown>>, status = 200): Reply => ({ status, body })

const invalid = (error: z.ZodError): Reply => answer({ error: z.prettifyError(error) }, 400)

function change(desk: Desk, bodyText: string): Reply {
  const parsed = FaultSettings.partial().safeParse(jsonObject(bodyText))
  if (!parsed.success) return invalid(parsed.error)
  // Defaults of settings that were not named would switch them back.
  const named = Object.fromEntries(
    Object.entries(parsed.data).filter(([name]) => name in (jsonObject(bodyText) ?? {})),
  )
  desk.faults.change(named)
  return status(desk)
}

function load(desk: Desk, bodyText: string): Reply {
  const parsed = ShotRequest.safeParse(jsonObject(bodyText))
  if (!parsed.success) return invalid(parsed.error)
  desk.faults.load(parsed.data.shot, parsed.data.times)
  return status(desk)
}

const status = (desk: Desk): Reply =>
  answer({ settings: desk.faults.settings(), shots: desk.faults.loaded() })

/** `undefined` for a path that is none of ours. */
export function control(
  desk: Desk,
  controls: Controls,
  request: { readonly method: string; readonly path: string; readonly bodyText: string },
): Reply | undefined {
  switch (`${request.method} ${request.path}`) {
    case 'GET /simulator/report':
      return answer({ ...desk.broker.report() })
    case 'GET /simulator/time':
      return answer({ now: formatInstant(desk.broker.now()), phase: desk.broker.exchange.venue.phase })
    case 'GET /simulator/faults':
      return status(desk)
    case 'POST /simulator/faults':
      return change(desk, request.bodyText)
    case 'POST /simulator/faults/shots':
      return load(desk, request.bodyText)
    case 'POST /simulator/faults/clear':
      desk.faults.clear()
      return status(desk)
    case 'POST /simulator/sockets/drop':
      return answer({ dropped: controls.dropSockets() })
    case 'POST /simulator/tokens/expire':
      desk.customers.expireTokens()
      return answer({})
    default:
      return undefined
  }
}
