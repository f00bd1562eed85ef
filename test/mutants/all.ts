import type { Mutant } from './mutant.ts'
import { REQUEST_MUTANTS, STORE_MUTANTS } from './requests.ts'
import { RULE_MUTANTS } from './rules.ts'
import { IMAGE_MUTANTS, TOKEN_MUTANTS } from './tokens-and-images.ts'

export const MUTANTS: readonly Mutant[] = [
  ...RULE_MUTANTS,
  ...TOKEN_MUTANTS,
  ...IMAGE_MUTANTS,
  ...REQUEST_MUTANTS,
  ...STORE_MUTANTS,
]
