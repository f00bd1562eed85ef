import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { clean } from './clean.ts'
import { type Photo, photos } from './corpus.ts'
import { imageBytes, thumbnails } from './heif-extents.ts'

const heics = photos.filter(({ contentType }) => contentType === 'image/heic')
const others = photos.filter(({ contentType }) => contentType !== 'image/heic')
const boxed = photos.filter(({ contentType }) => /avif|heic/.test(contentType))

/** All frames below one another, as stored; of an APNG the first. */
async function decode(file: Buffer): Promise<Buffer> {
  return sharp(file, { pages: -1, failOn: 'warning' }).raw({ depth: 'ushort' }).toBuffer()
}

async function appearance(file: Buffer): Promise<unknown> {
  const { orientation, icc, pages, delay, loop, hasAlpha, space, depth } = await sharp(file, {
    pages: -1,
  }).metadata()
  return { orientation, icc: icc?.toString('hex'), pages, delay, loop, hasAlpha, space, depth }
}

describe.for(others)('$name', (photo) => {
  const original = readFileSync(photo.file)

  test('decodes to the same pixels after the cleaning', async () => {
    const { output } = await clean(original)

    expect((await decode(output)).equals(await decode(original))).toBe(true)
  })

  test('keeps orientation, colour profile and animation', async () => {
    const { output } = await clean(original)

    expect(await appearance(output)).toEqual(await appearance(original))
    const { orientation, icc } = await sharp(output).metadata()
    expect({ orientation, hasProfile: icc !== undefined }).toEqual({
      orientation: photo.orientation,
      hasProfile: photo.hasProfile,
    })
  })
})

describe.for(boxed)('$name', (photo) => {
  test('keeps every byte of its images, and nothing of its thumbnails', async () => {
    const original = readFileSync(photo.file)
    const small = thumbnails(original)
    const images = imageBytes(original)

    const { output } = await clean(original)

    expect(imageBytes(output)).toEqual(images.filter(({ id }) => !small.includes(id)))
    for (const { hex } of images.filter(({ id }) => small.includes(id))) {
      expect(output.includes(hex, 0, 'hex')).toBe(false)
    }
  })
})

test('the pictures of an APNG are the same bytes after the cleaning', async () => {
  const file = photos.find(({ name }) => name === 'pillow-animated.png')?.file ?? ''
  const original = readFileSync(file)

  const { output } = await clean(original)

  expect(frameChunks(output)).toEqual(frameChunks(original))
  expect(frameChunks(output)).toHaveLength(11)
})

function frameChunks(file: Buffer): string[] {
  const found: string[] = []
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
    const chunk = file.toString('hex', at + 4, at + 12 + file.readUInt32BE(at))
    if (/^(acTL|fcTL|fdAT|IDAT)$/.test(file.toString('latin1', at + 4, at + 8))) found.push(chunk)
  }
  return found
}

const HEIC_DECODER = ['heif-dec', 'heif-convert'].find(runs)

test.for(heics)('$name decodes to the same pixels after the cleaning', async (photo, { skip }) => {
  skip(HEIC_DECODER === undefined, 'no program that decodes HEIC is installed (libheif-examples)')
  const original = readFileSync(photo.file)

  const { output } = await clean(original)

  expect(await decodeHeic(output, photo)).toEqual(await decodeHeic(original, photo))
})

function runs(program: string): boolean {
  try {
    execFileSync(program, ['--help'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function decodeHeic(file: Buffer, { name }: Photo): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'photo-'))
  try {
    writeFileSync(join(folder, name), file)
    execFileSync(HEIC_DECODER ?? '', [join(folder, name), join(folder, 'out.png')], {
      stdio: 'ignore',
    })
    const { data, info } = await sharp(join(folder, 'out.png')).raw().toBuffer({
      resolveWithObject: true,
    })
    return { pixels: data.toString('base64'), info }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
