// Google's runtime, in two ways. Its cloudEvent signature cannot answer with an event: it answers 204.
import * as framework from '@google-cloud/functions-framework'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { CloudEvent, HTTP } from 'cloudevents'

const denial = ({ accountId, clientOrderId }) =>
  new CloudEvent({
    source: '/bench/functions-framework',
    type: 'jts.order.denied.v1',
    subject: clientOrderId,
    data: { accountId, clientOrderId, code: 'TRADING_HALTED', detail: '' },
  })

if (process.env.SIGNATURE === 'cloudevent') {
  framework.cloudEvent('check', (event) => void denial(event.data))
} else {
  framework.http('check', (request, response) => {
    const event = HTTP.toEvent({ headers: request.headers, body: request.body })
    event.validate()
    const { headers, body } = HTTP.binary(denial(event.data))
    response.set(headers).status(200).send(body)
  })
}
getTestServer('check').listen(Number(process.env.PORT))
