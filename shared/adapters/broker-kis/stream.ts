// The KIS adapter of BrokerStream: approval key, session, delivery, and how it all ended.
import type { BrokerStream, ConnectionOutcome, StreamRequest } from '#shared/ports/broker-stream.ts'
import { BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import type { KisAccount, KisSettings } from './accounts.ts'
import { type Delivery, delivery } from './delivery.ts'
import { httpClient, reasonOf } from './http.ts'
import { noticeReader } from './notices.ts'
import { registrationsOf } from './registrations.ts'
import { Session, type SessionEnd, SessionEndedError } from './session.ts'
import { approvalKey, withDeadline } from './token.ts'
import { noticeChannel } from './tr-ids.ts'

export interface KisStreamOptions {
  readonly settings: KisSettings
  /** Its app key has one session at a time, in all processes together. */
  readonly account: KisAccount
  readonly hotState: HotState
  readonly clock: Clock
  /** Credentials live by the clock on the wall, whatever business time does. Default: `clock`. */
  readonly wallClock?: Clock
  readonly stopwatch: Stopwatch
  /** Messages that may wait before the socket is read no further. Default 1,000. */
  readonly backlogMax?: number
  /** A session without any frame for this long is dead. Default 120,000 ms: idle heartbeats are far apart. */
  readonly silenceMs?: number
}

export type KisStream = BrokerStream & {
  /** Notices of other accounts of the same HTS ID, since the process began. */
  noticesIgnored(): number
}

const BACKLOG_MAX = 1_000
const SILENCE_MS = 120_000
const APPROVAL_MS_MAX = 15_000
/** While registrations are answered the socket cannot pause; what comes in then is kept up to here. */
const EARLY_BACKLOG_MAX = 50_000

export function kisStream(options: KisStreamOptions): KisStream {
  const { account, clock, wallClock = clock, hotState, settings, stopwatch } = options
  const counters = { frames: 0, ignored: 0 }
  let stale: string | undefined

  const approval = async (signal: AbortSignal): Promise<string> => {
    const http = httpClient(settings.apiBaseUrl)
    const credential = approvalKey({ account, http, hotState, clock: wallClock, stopwatch })
    try {
      return await withDeadline(stopwatch, APPROVAL_MS_MAX, signal, (deadline) =>
        stale === undefined ? credential.current(deadline) : credential.renew(stale, deadline),
      )
    } finally {
      http.close()
    }
  }

  return {
    broker: 'kis',
    framesReceived: () => counters.frames,
    noticesIgnored: () => counters.ignored,
    async connect(request, signal) {
      if (signal.aborted) return { kind: 'closed' }
      const wanted = registrationsOf(settings, account, request.instrumentIds, request.withOrderBook)
      if (wanted.outcome === 'refused') return { kind: 'refused', reason: wanted.reason }
      let key: string
      try {
        key = await approval(signal)
      } catch (error) {
        if (signal.aborted) return { kind: 'closed' }
        return {
          kind: error instanceof BrokerRefusedError ? 'refused' : 'unreachable',
          reason: reasonOf(error),
        }
      }
      stale = undefined
      const outcome = await run(options, request, wanted.registrations, key, counters, signal)
      if (outcome.stale) stale = key
      return outcome.outcome
    },
  }
}

async function run(
  options: KisStreamOptions,
  request: StreamRequest,
  registrations: Parameters<Session['open']>[0],
  approval: string,
  counters: { frames: number; ignored: number },
  signal: AbortSignal,
): Promise<{ readonly outcome: ConnectionOutcome; readonly stale: boolean }> {
  const { account, clock, settings, stopwatch } = options
  let isOpen = false
  const outbox: Delivery = delivery({
    onMessage: request.onMessage,
    backlogMax: options.backlogMax ?? BACKLOG_MAX,
    onPause: () => {
      if (isOpen) link.pause()
    },
    onResume: () => link.resume(),
    onFault: (reason) => link.end({ kind: 'lost', reason }),
  })
  const link = new Session({
    url: settings.websocketUrl,
    approval,
    noticeChannel: noticeChannel(settings.paperTrading),
    notices: noticeReader(account.accountId),
    clock,
    stopwatch,
    silenceMs: options.silenceMs ?? SILENCE_MS,
    onDataFrame: () => (counters.frames += 1),
    onOtherAccount: () => (counters.ignored += 1),
    onMessage: (message) => {
      outbox.push(message)
      if (!isOpen && outbox.backlog() > EARLY_BACKLOG_MAX) {
        link.end({ kind: 'lost', reason: `${EARLY_BACKLOG_MAX} messages before everything was registered` })
      }
    },
  })
  const onAbort = (): void => link.end({ kind: 'closed', reason: 'asked to close' })
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()

  let liveAtMs: number | undefined
  try {
    await link.open(registrations)
    isOpen = true
    if (outbox.backlog() >= (options.backlogMax ?? BACKLOG_MAX)) link.pause()
    await request.onLive()
    liveAtMs = stopwatch.elapsedMs()
    outbox.start()
  } catch (error) {
    if (!(error instanceof SessionEndedError))
      link.end({ kind: 'lost', reason: `going live: ${reasonOf(error)}` })
  }
  const end = await link.ended
  signal.removeEventListener('abort', onAbort)
  await outbox.drained()
  const uptimeMs = liveAtMs === undefined ? undefined : stopwatch.elapsedMs() - liveAtMs
  return { outcome: outcomeOf(end, uptimeMs), stale: end.kind === 'staleApproval' }
}

function outcomeOf({ kind, reason }: SessionEnd, uptimeMs: number | undefined): ConnectionOutcome {
  switch (kind) {
    case 'closed':
      return { kind }
    case 'busy':
    case 'refused':
      return { kind, reason }
    case 'lost':
    case 'staleApproval':
      return uptimeMs === undefined ? { kind: 'unreachable', reason } : { kind: 'dropped', uptimeMs, reason }
  }
}
