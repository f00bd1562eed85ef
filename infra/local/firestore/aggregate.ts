import type { Aggregation } from './aggregation-message.ts'
import type { StoredDocument } from './document.ts'
import { getField } from './field-path.ts'
import { NULL, type Value } from './value.ts'

const MAX_INT64 = 2n ** 63n - 1n
const MIN_INT64 = -(2n ** 63n)

/** Sums integers exactly until they leave int64, then (and with any double) in doubles. */
class Sum {
  #exact: bigint = 0n
  #double = 0
  #inexact = false
  numbers = 0

  add(value: Value | undefined): void {
    if (value?.kind === 'int') this.#exact += value.value
    else if (value?.kind === 'double') {
      this.#double += value.value
      this.#inexact = true
    } else return
    this.numbers += 1
  }

  get total(): Value {
    const fits = this.#exact <= MAX_INT64 && this.#exact >= MIN_INT64
    if (!this.#inexact && fits) return { kind: 'int', value: this.#exact }
    return { kind: 'double', value: this.#number }
  }

  get average(): Value {
    return this.numbers === 0 ? NULL : { kind: 'double', value: this.#number / this.numbers }
  }

  get #number(): number {
    return Number(this.#exact) + this.#double
  }
}

/** Results of `aggregations` over documents that are handed in one by one. */
export class Aggregator {
  readonly #aggregations: readonly Aggregation[]
  readonly #sums: readonly Sum[]
  #count = 0

  constructor(aggregations: readonly Aggregation[]) {
    this.#aggregations = aggregations
    this.#sums = aggregations.map(() => new Sum())
  }

  /** Only documents that have every summed field count, for all aggregations. */
  add(document: StoredDocument): void {
    const values = this.#aggregations.map(({ field }) =>
      field === undefined ? undefined : getField(document.fields, field),
    )
    const lacking = this.#aggregations.some(
      ({ field }, i) => field !== undefined && values[i] === undefined,
    )
    if (lacking) return
    this.#count += 1
    this.#sums.forEach((sum, i) => {
      sum.add(values[i])
    })
  }

  results(): [string, Value][] {
    return this.#aggregations.map(({ alias, op, upTo }, i) => {
      const sum = this.#sums[i]
      if (op === 'sum') return [alias, sum?.total ?? NULL]
      if (op === 'average') return [alias, sum?.average ?? NULL]
      return [alias, countValue(this.#count, upTo)]
    })
  }
}

export function countValue(count: number, upTo: bigint | undefined): Value {
  const value = BigInt(count)
  return { kind: 'int', value: upTo !== undefined && upTo < value ? upTo : value }
}
