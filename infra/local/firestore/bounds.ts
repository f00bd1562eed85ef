import { successor } from './order-key.ts'

export type RangeOperator = '==' | '<' | '<=' | '>' | '>='

/** Above every key inside a prefix. */
const TOP = Buffer.of(0xff)
const BOTTOM = Buffer.alloc(0)

/** Lower and upper bound on the sortable part of the keys, both in byte order. */
export class Bounds {
  low: Buffer = BOTTOM
  high: Buffer = TOP

  atLeast(key: Buffer | undefined): void {
    const bound = key ?? TOP
    if (Buffer.compare(bound, this.low) > 0) this.low = bound
  }

  below(key: Buffer | undefined): void {
    if (key !== undefined && Buffer.compare(key, this.high) < 0) this.high = key
  }

  /** Keys that start with `key` or lie above. */
  from(key: Buffer, included: boolean): void {
    this.atLeast(included ? key : successor(key))
  }

  /** Keys that lie below `key`, or start with it. */
  until(key: Buffer, included: boolean): void {
    this.below(included ? successor(key) : key)
  }

  compare(op: RangeOperator, key: Buffer): void {
    if (op === '==' || op === '>' || op === '>=') this.from(key, op !== '>')
    if (op === '==' || op === '<' || op === '<=') this.until(key, op !== '<')
  }

  /** The same, for values: only those of the operand's type. */
  compareTyped(op: RangeOperator, key: Buffer, type: { low: Buffer; high: Buffer }): void {
    this.atLeast(type.low)
    this.below(type.high)
    this.compare(op, key)
  }
}
