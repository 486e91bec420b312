// Every kind of strategy there is. A new one is a file beside this and a line here.
import type { Strategy } from '../strategy.ts'
import { movingAverageCross } from './moving-average-cross.ts'
import { rsiReversion } from './rsi-reversion.ts'

export const STRATEGIES: readonly Strategy[] = [movingAverageCross, rsiReversion]
