// Tells the person on call that an order was refused, and why.

export const definition = {
  // Give it the name of your function: ids of what it emits are made of it.
  name: 'my-function',
  // Names of events, as in docs/events.md of JTS.
  consumes: ['OrderDenied'],
  produces: ['NotificationRequested'],
  timeoutMs: 5_000,
}

// What happened, as a list of events; the runtime gives them ids and times. Called again for an event that it may have
// seen before, and gives the same answer then. `throw new RetryableError('…')` has the event delivered again,
// `throw new PoisonError('…')` sets it aside; both come with the second argument, as `signal` does.
export async function handle(event) {
  const { accountId, clientOrderId, code, detail } = event.data
  return [
    {
      contract: 'NotificationRequested',
      data: {
        recipient: 'on-call',
        severity: 'warning',
        title: `Order ${clientOrderId} refused: ${code}`,
        body: `Account ${accountId}. ${detail}`,
      },
    },
  ]
}
