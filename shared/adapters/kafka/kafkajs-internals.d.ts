// The parts of kafkajs 2.2.4 that guards.ts reaches into. kafkajs.test.ts fails when they change their shape.
declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    readonly pending: readonly unknown[]
    scheduleCheckPendingRequests(): void
  }
}

declare module 'kafkajs/src/consumer/consumerGroup.js' {
  interface Positions {
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }

  export default class ConsumerGroup {
    readonly groupId: string
    readonly generationId: number
    readonly memberId: string
    readonly assigners: readonly object[]
    readonly coordinator: {
      heartbeat(member: { groupId: string; memberId: string; groupGenerationId: number }): Promise<unknown>
    }
    readonly offsetManager: {
      /** Fetches committed positions; where there is none, what `fromBeginning` says. */
      resolveOffsets(): Promise<void>
      committedOffsets(): Readonly<Record<string, Readonly<Record<string, string>>>>
    }
    /** Milliseconds that the broker may hold an empty fetch. Read before each one. */
    maxWaitTime: number
    assigned(): readonly { readonly topic: string; readonly partitions: readonly number[] }[]
    joinAndSync(): Promise<void>
    commitOffsets(positions: Positions): Promise<void>
  }
}
