import { expect, test } from 'vitest'
import { contract } from './firestore-suite.ts'
import { openReal, realEmulator } from './firestore-target.ts'

const real = realEmulator()

if ('jar' in real) {
  contract('the real Firestore emulator', () => openReal(real.jar), {
    parallel: 12,
    timeout: 150_000,
  })
} else {
  test('the real Firestore emulator is not here', () => {
    process.stderr.write(`real emulator skipped: ${real.reason}\n`)
    expect(real.reason).not.toBe('')
  })
}
