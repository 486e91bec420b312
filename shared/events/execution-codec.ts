// Execution reports between the wire and the domain.
import type { ExecutionReport } from '#shared/domain/execution.ts'
import { instrumentId } from '#shared/domain/instrument.ts'
import { formatInstant, parseInstant } from '#shared/domain/time.ts'
import { formatMoney, formatPrice, formatQuantity, money, price, quantity } from '#shared/domain/values.ts'
import type { DataOf } from './contract.ts'
import type { ExecutionReported } from './executions.ts'

export type WiredReport = ExecutionReport & {
  readonly origin: 'stream' | 'list'
  readonly brokerRoute: string
  readonly detail?: string
}
type ReportData = DataOf<typeof ExecutionReported>

/** Data that its contract has validated. */
export function reportFromWire(data: ReportData): WiredReport {
  return {
    executionId: data.executionId,
    accountId: data.accountId,
    kind: data.kind,
    origin: data.origin,
    brokerOrderId: data.brokerOrderId,
    brokerRoute: data.brokerRoute,
    ...(data.originalBrokerOrderId === undefined
      ? {}
      : { originalBrokerOrderId: data.originalBrokerOrderId }),
    instrumentId: instrumentId(data.instrumentId),
    side: data.side,
    orderQuantity: quantity(data.orderQuantity),
    ...(data.orderPrice === undefined || !/[1-9]/.test(data.orderPrice)
      ? {}
      : { orderPrice: price(data.orderPrice) }),
    ...(data.lastQuantity === undefined ? {} : { lastQuantity: quantity(data.lastQuantity) }),
    ...(data.lastPrice === undefined ? {} : { lastPrice: price(data.lastPrice) }),
    ...(data.filledQuantity === undefined ? {} : { filledQuantity: quantity(data.filledQuantity) }),
    ...(data.filledNotional === undefined ? {} : { filledNotional: money(data.filledNotional) }),
    ...(data.endedQuantity === undefined ? {} : { endedQuantity: quantity(data.endedQuantity) }),
    ...(data.detail === undefined ? {} : { detail: data.detail }),
    eventTime: parseInstant(data.eventTime),
  }
}

export function reportToWire(report: WiredReport): ReportData {
  return {
    executionId: report.executionId,
    accountId: report.accountId,
    kind: report.kind,
    origin: report.origin,
    brokerOrderId: report.brokerOrderId,
    brokerRoute: report.brokerRoute,
    ...(report.originalBrokerOrderId === undefined
      ? {}
      : { originalBrokerOrderId: report.originalBrokerOrderId }),
    instrumentId: report.instrumentId,
    side: report.side,
    orderQuantity: formatQuantity(report.orderQuantity),
    ...(report.orderPrice === undefined ? {} : { orderPrice: formatPrice(report.orderPrice) }),
    ...(report.lastQuantity === undefined ? {} : { lastQuantity: formatQuantity(report.lastQuantity) }),
    ...(report.lastPrice === undefined ? {} : { lastPrice: formatPrice(report.lastPrice) }),
    ...(report.filledQuantity === undefined ? {} : { filledQuantity: formatQuantity(report.filledQuantity) }),
    ...(report.filledNotional === undefined ? {} : { filledNotional: formatMoney(report.filledNotional) }),
    ...(report.endedQuantity === undefined ? {} : { endedQuantity: formatQuantity(report.endedQuantity) }),
    ...(report.detail === undefined ? {} : { detail: report.detail }),
    eventTime: formatInstant(report.eventTime),
  }
}
