// Settings of the bridge. How many bytes go into one request is JTS_BODY_BYTES_MAX, as for the functions that get it.
import * as z from 'zod'

const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

const FunctionPlaces = z.string().transform((text, context): ReadonlyMap<string, readonly string[]> => {
  const places = new Map<string, readonly string[]>()
  for (const entry of text.split(/\s+/).filter((word) => word !== '')) {
    const [, name = '', list = ''] = /^([a-z\d-]+)=(.+)$/.exec(entry) ?? []
    const urls = list.split(',')
    const isRight = name !== '' && urls.every(isHttpUrl)
    if (!isRight) context.addIssue({ code: 'custom', message: `must be name=url[,url…], not ${entry}` })
    else if (places.has(name)) context.addIssue({ code: 'custom', message: `names ${name} twice` })
    places.set(name, urls)
  }
  return places
})

const isHttpUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
}
const HttpUrl = z.string().refine(isHttpUrl, 'must be a URL of http or https')

export const BridgeConfig = z
  .object({
    JTS_BRIDGE_FUNCTIONS: FunctionPlaces.optional().describe(
      'Where functions are, for those of plain containers: name=url[,url…], separated by blanks. Each URL is an instance. What they consume is known from their definitions. This or JTS_BRIDGE_GATEWAY_URL must be set.',
    ),
    JTS_BRIDGE_GATEWAY_URL: HttpUrl.optional().describe(
      'OpenFaaS gateway that is asked which functions there are and through which they are called. What they consume is read from their annotations.',
    ),
    JTS_BRIDGE_GATEWAY_USER: z.string().default('admin').describe('User of the gateway.'),
    JTS_BRIDGE_GATEWAY_PASSWORD: z
      .string()
      .optional()
      .describe('Password of the gateway. Unset: it asks for none.')
      .meta({ secret: true }),
    JTS_BRIDGE_NAMESPACE: z
      .string()
      .min(1)
      .optional()
      .describe("Namespace of the functions at the gateway. Unset: the gateway's own default."),
    JTS_BRIDGE_RESOLVE: z
      .stringbool()
      .default(false)
      .describe(
        'Makes every address behind the host name of a function an instance of its own, so that a partition keeps to one of them.',
      ),
    JTS_BRIDGE_POLL_MS: wholeNumber(100, 600_000)
      .default(10_000)
      .describe('Time between two looks at which functions and instances there are, milliseconds.'),
    JTS_BRIDGE_BATCH_MAX: wholeNumber(1, 1_000)
      .default(250)
      .describe('Events in one request. 1 sends each alone, in binary mode.'),
    JTS_BRIDGE_IN_FLIGHT_MAX: wholeNumber(1, 1_000)
      .default(16)
      .describe('Requests to one function at once; each is of another partition.'),
    JTS_BRIDGE_TIMEOUT_MS: wholeNumber(100, 600_000)
      .default(30_000)
      .describe('Deadline of one event, for functions at a gateway that do not say theirs, milliseconds.'),
    JTS_BRIDGE_TIMEOUT_MARGIN_MS: wholeNumber(0, 60_000)
      .default(2_000)
      .describe('What an answer may take on top of the deadline of the function, milliseconds.'),
    JTS_BRIDGE_CONNECT_MS_MAX: wholeNumber(10, 60_000)
      .default(2_000)
      .describe('How long a connection to a function may take to stand, milliseconds.'),
    JTS_BRIDGE_ANSWER_BYTES_MAX: wholeNumber(1_024, 1_073_741_824)
      .default(33_554_432)
      .describe('Largest answer of a function that is read, bytes.'),
    JTS_BRIDGE_LEAVE_MS: wholeNumber(0, 60_000)
      .default(5_000)
      .describe(
        'What a request may still take when its partition goes to another bridge, or this one ends, milliseconds.',
      ),
    JTS_BRIDGE_ATTEMPTS_MAX: wholeNumber(1, 1_000)
      .default(14)
      .describe(
        'Deliveries of one event before it is set aside, at growing intervals: 14 are about a minute. Orders and executions are never set aside because the world was not ready.',
      ),
  })
  .superRefine((settings, context) => {
    const { JTS_BRIDGE_FUNCTIONS: functions, JTS_BRIDGE_GATEWAY_URL: gateway } = settings
    if (functions !== undefined && gateway !== undefined) {
      const message = 'is set, and so is JTS_BRIDGE_GATEWAY_URL: which one is meant?'
      context.addIssue({ code: 'custom', path: ['JTS_BRIDGE_FUNCTIONS'], message })
    }
    if (functions === undefined && gateway === undefined) {
      const message = 'is required where JTS_BRIDGE_GATEWAY_URL is not set'
      context.addIssue({ code: 'custom', path: ['JTS_BRIDGE_FUNCTIONS'], message })
    }
  })
export type BridgeSettings = z.output<typeof BridgeConfig>
