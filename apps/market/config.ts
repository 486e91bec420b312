// Settings of the simulated market for a suite on servers. What the simulator and the connectors need besides is in the
// schemas of the embedded suite.
import * as z from 'zod'

const Port = z.coerce.number().int().min(0).max(65_535)

export const MarketConfig = z.object({
  JTS_SIMULATOR_HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address that the simulator listens on; 0.0.0.0 in a container.'),
  JTS_SIMULATOR_PORT: Port.default(9_443).describe("Port of the simulator's REST interface."),
  JTS_SIMULATOR_WEBSOCKET_PORT: Port.default(21_000).describe("Port of the simulator's websocket."),
})
export type MarketSettings = z.output<typeof MarketConfig>
