import { ProblemError } from '../../shared/domain/problem.ts'
import { PhotoCleaner, type PhotoFacts } from '../../shared/image/photo-cleaner.ts'

export type Cleaned = { readonly output: Buffer; readonly facts: PhotoFacts }

const MAX_PIXELS = 200_000_000

/** Sends `photo` through a cleaner in pieces of so many bytes; rejects with what the cleaner fails with. */
export async function clean(
  photo: Buffer,
  pieceBytes = 65_536,
  limits: { maxPixels: number; maxFrames?: number } = { maxPixels: MAX_PIXELS },
): Promise<Cleaned> {
  const pieces: Buffer[] = []
  for (let at = 0; at < photo.length; at += pieceBytes) {
    pieces.push(photo.subarray(at, at + pieceBytes))
  }
  return cleanPieces(pieces, limits)
}

/** Sends pieces through a cleaner as they are. */
export function cleanPieces(
  pieces: readonly Buffer[],
  limits: { maxPixels: number; maxFrames?: number } = { maxPixels: MAX_PIXELS },
): Promise<Cleaned> {
  const cleaner = new PhotoCleaner(limits)
  const output: Buffer[] = []
  return new Promise((resolve, reject) => {
    cleaner.on('data', (bytes: Buffer) => output.push(bytes))
    cleaner.on('error', reject)
    cleaner.on('end', () => resolve({ output: Buffer.concat(output), facts: cleaner.facts }))
    for (const piece of pieces) cleaner.write(piece)
    cleaner.end()
  })
}

/** The problem's code, `accepted`, or what else was thrown. */
export async function verdict(photo: Buffer, pieceBytes?: number): Promise<unknown> {
  try {
    await clean(photo, pieceBytes)
    return 'accepted'
  } catch (error) {
    return error instanceof ProblemError ? error.code : error
  }
}
