import type { ProblemCode } from '../../shared/domain/problem.ts'

/** A file that is refused. */
export type DamagedRow = {
  readonly name: string
  readonly bytes: () => Buffer
  /** `image_damaged` where it is not said. */
  readonly code?: ProblemCode
}
