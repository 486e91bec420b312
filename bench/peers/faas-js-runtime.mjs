// Knative's runtime for Node functions, with a function that takes a CloudEvent and answers with one.
import { CloudEvent } from 'cloudevents'
import runtime from 'faas-js-runtime'

const handle = (_context, event) => {
  const { accountId, clientOrderId } = event.data
  return new CloudEvent({
    source: '/bench/faas-js-runtime',
    type: 'jts.order.denied.v1',
    subject: clientOrderId,
    data: { accountId, clientOrderId, code: 'TRADING_HALTED', detail: '' },
  })
}

// Its own default level is warn, so that nothing is logged for a request.
await runtime.start(handle, { port: Number(process.env.PORT) })
