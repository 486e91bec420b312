/** Servers that JTS uses, and the setting by which each is found. */
export const SERVICES = {
  kafka: 'JTS_KAFKA_BROKERS',
  redis: 'REDIS_URL',
  postgres: 'JTS_POSTGRES_URL',
} as const
export type Service = keyof typeof SERVICES
