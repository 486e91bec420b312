// What a broker pushes. One call is one connection; the supervisor in connectors/ decides about the next.
import type { ExecutionReport } from '#shared/domain/execution.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'

export type StreamMessage =
  | {
      readonly kind: 'market'
      readonly channel: string
      readonly instrumentId: InstrumentId
      readonly frame: string
    }
  | {
      readonly kind: 'execution'
      readonly report: ExecutionReport & { readonly brokerRoute: string; readonly detail?: string }
    }
  /** A frame that could not be read; it is reported, never dropped in silence. */
  | { readonly kind: 'unreadable'; readonly frame: string; readonly reason: string }

/** How one connection finished. The supervisor acts on nothing else. */
export type ConnectionOutcome =
  | { readonly kind: 'dropped'; readonly uptimeMs: number; readonly reason: string } // was live, then lost: dial again
  | { readonly kind: 'unreachable'; readonly reason: string } // never went live: dial later
  | { readonly kind: 'busy'; readonly reason: string } // another session holds our key: dial much later
  | { readonly kind: 'refused'; readonly reason: string } // told no for good: stop
  | { readonly kind: 'closed' } // we asked for it

export interface StreamRequest {
  readonly instrumentIds: readonly InstrumentId[]
  /** Trades always; the order book beside them where wanted. Both count against the broker's registrations. */
  readonly withOrderBook: boolean
  /** Called once everything is registered, before the first message is handed on. Messages wait for it. */
  readonly onLive: () => Promise<void>
  /** In order. The next message waits until it resolves only when `backlogMax` messages are waiting. */
  readonly onMessage: (message: StreamMessage) => Promise<void>
}

export interface BrokerStream {
  readonly broker: string
  /** Resolves when the connection has ended; never rejects for a reason that concerns the broker. */
  connect(request: StreamRequest, signal: AbortSignal): Promise<ConnectionOutcome>
  /** Data frames received since the process began. */
  framesReceived(): number
}
