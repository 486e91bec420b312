// Keeps the KIS websocket open and passes on what it says: market frames as they are, execution reports in house terms.
import { ExecutionReported, StreamConnected, StreamLost } from '#shared/events/executions.ts'
import { FrameReceived } from '#shared/events/market.ts'
import { NotificationRequested } from '#shared/events/notifications.ts'

/** What this connector publishes; the event catalogue is printed from it. */
export const produces = [FrameReceived, ExecutionReported, StreamConnected, StreamLost, NotificationRequested]
