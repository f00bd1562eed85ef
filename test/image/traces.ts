/** Looks for places and names in a file as another program would, not as the cleaner does. */

const WORDS = [
  'SECRET',
  'Acme',
  'GPSLatitude',
  'ns.adobe.com',
  'adobe:ns:meta',
  'Photoshop 3.0',
  'iPhone',
  'Canon',
  'MPF\0',
  'MotionPhoto',
  'ftypisom',
]

/** Words of the fixtures that say who, where, or with what. */
export function tellingWords(file: Buffer): string[] {
  return WORDS.filter((word) => file.includes(word, 0, 'latin1'))
}

/** The latitudes (24 bytes each) of every TIFF block anywhere in the file. */
export function latitudes(file: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (const order of ['II*\0', 'MM\0*']) {
    for (let at = file.indexOf(order); at !== -1; at = file.indexOf(order, at + 4)) {
      const latitude = latitudeOf(file.subarray(at), order === 'MM\0*')
      if (latitude !== undefined) found.push(latitude)
    }
  }
  return found
}

const GPS_DIRECTORY = 0x8825
const LATITUDE = 2
const LATITUDE_BYTES = 24

function latitudeOf(tiff: Buffer, bigEndian: boolean): Buffer | undefined {
  const number = (from: number, bytes: 2 | 4): number => {
    if (from + bytes > tiff.length) return 0
    return bigEndian ? tiff.readUIntBE(from, bytes) : tiff.readUIntLE(from, bytes)
  }
  const valueIn = (directory: number, tag: number): number | undefined => {
    for (let n = 0; n < number(directory, 2); n += 1) {
      const entry = directory + 2 + 12 * n
      if (number(entry, 2) === tag) return number(entry + 8, 4)
    }
    return undefined
  }
  const gps = valueIn(number(4, 4), GPS_DIRECTORY)
  const at = gps === undefined ? undefined : valueIn(gps, LATITUDE)
  return at === undefined ? undefined : tiff.subarray(at, at + LATITUDE_BYTES)
}
