import type { RangeOperator } from './bounds.ts'
import type { StoredDocument } from './document.ts'
import { getField, isNameField } from './field-path.ts'
import type { Condition } from './normal-form.ts'
import { typeRange, valueKey } from './order-key.ts'
import type { Value } from './value.ts'

export type Test = (document: StoredDocument) => boolean

/** Does this key satisfy the comparison? Range operators only match values of the operand's type. */
function comparison(op: RangeOperator, value: Value): (key: Buffer) => boolean {
  const operand = valueKey(value)
  if (op === '==') return (key) => key.equals(operand)
  const { low, high } = typeRange(value)
  const sameType = (key: Buffer) => Buffer.compare(key, low) >= 0 && Buffer.compare(key, high) < 0
  const holds = {
    '<': (order: number) => order < 0,
    '<=': (order: number) => order <= 0,
    '>': (order: number) => order > 0,
    '>=': (order: number) => order >= 0,
  }[op]
  return (key) => sameType(key) && holds(Buffer.compare(key, operand))
}

function onValue(condition: Condition): (value: Value) => boolean {
  if (condition.op === 'none-of') {
    const excluded = condition.values.map(valueKey)
    return (value) => {
      if (value.kind === 'null') return false
      const key = valueKey(value)
      return !excluded.some((other) => other.equals(key))
    }
  }
  if (condition.op === 'contains') {
    const operand = valueKey(condition.value)
    return (value) =>
      value.kind === 'array' && value.value.some((item) => valueKey(item).equals(operand))
  }
  const test = comparison(condition.op, condition.value)
  return (value) => test(valueKey(value))
}

/** The conditions that the index does not settle, as one test on the document. */
export function compile(conditions: readonly Condition[], databaseName: string): Test | undefined {
  if (conditions.length === 0) return undefined
  const tests = conditions.map((condition): Test => {
    const test = onValue(condition)
    if (isNameField(condition.path))
      return ({ path }) => test({ kind: 'reference', value: `${databaseName}/documents/${path}` })
    return (document) => {
      const value = getField(document.fields, condition.path)
      return value !== undefined && test(value)
    }
  })
  return (document) => tests.every((test) => test(document))
}
