// From a broker's market data frame to house terms.
import type { QuoteTick, TradeTick } from '#shared/domain/market-data.ts'
import type { Instant } from '#shared/domain/time.ts'

/** Records in the order of the frame. */
export interface DecodedFrame {
  readonly trades: readonly TradeTick[]
  readonly quotes: readonly QuoteTick[]
}

export interface FrameDecoder {
  readonly broker: string
  /**
   * `receivedTime` supplies the date where a frame carries only a time of day.
   * @throws PoisonError that names the field and the record, for anything that is not a whole, sane frame. A frame is
   * decoded whole or not at all.
   */
  decode(frame: string, receivedTime: Instant): DecodedFrame
}
