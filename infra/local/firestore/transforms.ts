import { type Micros, timestampOf } from './document.ts'
import { getField, withField } from './field-path.ts'
import type { Transform, TransformOperation } from './messages.ts'
import { valueKey } from './order-key.ts'
import { invalid } from './status.ts'
import { checkArray, checkFieldName } from './validate.ts'
import { type Fields, NULL, type Value } from './value.ts'

const MAX_INT64 = 2n ** 63n - 1n
const MIN_INT64 = -(2n ** 63n)

const isNumber = (value: Value | undefined): value is Extract<Value, { kind: 'int' | 'double' }> =>
  value?.kind === 'int' || value?.kind === 'double'

/** Integers stay integers and stop at the limits of int64; with any double the sum is a double. */
export function add(a: Value | undefined, b: Value): Value {
  if (!isNumber(a) || !isNumber(b)) return b
  if (a.kind === 'int' && b.kind === 'int') {
    const sum = a.value + b.value
    if (sum > MAX_INT64) return { kind: 'int', value: MAX_INT64 }
    return { kind: 'int', value: sum < MIN_INT64 ? MIN_INT64 : sum }
  }
  return { kind: 'double', value: Number(a.value) + Number(b.value) }
}

/** The operand where it is beyond the stored number in the wanted direction, else the stored value with its type. */
function extreme(stored: Value | undefined, operand: Value, wanted: 1 | -1): Value {
  if (!isNumber(stored)) return operand
  return Buffer.compare(valueKey(operand), valueKey(stored)) === wanted ? operand : stored
}

const identity = (value: Value) => valueKey(value).toString('latin1')
const elements = (value: Value | undefined) => (value?.kind === 'array' ? value.value : [])

function union(stored: readonly Value[], added: readonly Value[]): Value[] {
  const known = new Set(stored.map(identity))
  const result = [...stored]
  for (const value of added) {
    const id = identity(value)
    if (!known.has(id)) result.push(value)
    known.add(id)
  }
  return result
}

function without(stored: readonly Value[], removed: readonly Value[]): Value[] {
  const gone = new Set(removed.map(identity))
  return stored.filter((value) => !gone.has(identity(value)))
}

/** The commit's time in whole milliseconds, which is what Firestore writes. */
function requestTime(time: Micros): Value {
  return { kind: 'timestamp', value: timestampOf(Math.floor(time / 1000) * 1000) }
}

function transformed(
  stored: Value | undefined,
  operation: TransformOperation,
  time: Micros,
): Value {
  switch (operation.kind) {
    case 'requestTime':
      return requestTime(time)
    case 'increment':
      return add(stored, operation.operand)
    case 'maximum':
      return extreme(stored, operation.operand, 1)
    case 'minimum':
      return extreme(stored, operation.operand, -1)
    case 'union':
      return { kind: 'array', value: union(elements(stored), operation.values) }
    case 'remove':
      return { kind: 'array', value: without(elements(stored), operation.values) }
    case 'none':
      throw invalid('A transform has no operation.')
  }
}

function checkOperation(operation: TransformOperation, depth: number): void {
  if (operation.kind === 'none') throw invalid('A transform has no operation.')
  if ('values' in operation) checkArray(operation.values, depth)
  if ('operand' in operation && !isNumber(operation.operand))
    throw invalid('The operand of a transform is not a number.')
}

/** Throws INVALID_ARGUMENT for operands that no document could hold. */
export function checkTransforms(transforms: readonly Transform[]): void {
  for (const { path, operation } of transforms) {
    for (const segment of path) checkFieldName(segment)
    checkOperation(operation, path.length - 1)
  }
}

/** Applies them in order, each on the result of the one before; array operations report null, as Firestore does. */
export function applyTransforms(
  fields: Fields,
  transforms: readonly Transform[],
  time: Micros,
): { fields: Fields; results: Value[] } {
  let current = fields
  const results: Value[] = []
  for (const { path, operation } of transforms) {
    const value = transformed(getField(current, path), operation, time)
    current = withField(current, path, value)
    results.push(value.kind === 'array' ? NULL : value)
  }
  return { fields: current, results }
}
