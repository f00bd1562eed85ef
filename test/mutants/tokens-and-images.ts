/** Broken proofs: of tokens, keys, hashes and image bytes. */
import { type Mutant, mutant } from './mutant.ts'

const ACCESS = 'shared/crypto/access-token.ts'
const VERIFIER = 'shared/crypto/token-verifier.ts'
const VERIFIER_TEST = 'test/crypto/token-verifier.test.ts'
const REFRESH = 'shared/crypto/refresh-token.ts'
const REFRESH_TEST = 'test/crypto/refresh-token.test.ts'
const KEYS_TEST = 'test/crypto/signing-keys.test.ts'
const PHOTOS_TEST = 'test/image/photo-cleaner.test.ts'
const REFUSED_TEST = 'test/image/refused.test.ts'

export const TOKEN_MUTANTS: readonly Mutant[] = [
  mutant(
    'no signature is checked',
    [
      VERIFIER,
      'await jwtVerify(token, key, { ...expected, currentDate: now })',
      "{ payload: JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) }",
    ],
    [VERIFIER_TEST],
  ),
  {
    name: 'a token of another algorithm is believed',
    edits: [
      { file: ACCESS, from: "alg === 'ES256' && ", to: '' },
      {
        file: VERIFIER,
        from: 'await jwtVerify(token, key, { ...expected, currentDate: now })',
        to: "JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).alg === 'ES256' ? await jwtVerify(token, key, { ...expected, currentDate: now }) : { payload: JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) }",
      },
    ],
    test: VERIFIER_TEST,
  },
  mutant(
    'a header may have more members',
    [ACCESS, ' || Object.keys(others).length > 0', ''],
    [VERIFIER_TEST],
  ),
  mutant(
    'a token has a second spelling',
    [ACCESS, ' || JSON.stringify(parsed) !== text', ''],
    [VERIFIER_TEST],
  ),
  mutant('any issuer', [VERIFIER, 'issuer: config.TOKEN_ISSUER,', ''], [VERIFIER_TEST]),
  mutant('any audience', [VERIFIER, 'audience: config.TOKEN_AUDIENCE,', ''], [VERIFIER_TEST]),
  mutant('any client', [ACCESS, "payload['client_id'] !== CLIENT_ID || ", ''], [VERIFIER_TEST]),
  mutant(
    'a token of the future is taken',
    [VERIFIER, 'maxTokenAge: MAX_LIFETIME_SECONDS,', ''],
    [VERIFIER_TEST],
  ),
  mutant(
    'a clock may be an hour off',
    [ACCESS, 'CLOCK_SKEW_SECONDS = 60', 'CLOCK_SKEW_SECONDS = 3600'],
    [VERIFIER_TEST],
  ),
  mutant(
    'an access token lives as long as it says',
    [ACCESS, ' && lifetime <= MAX_LIFETIME_SECONDS * 1000', ''],
    [VERIFIER_TEST],
  ),
  mutant(
    'anybody makes refresh tokens',
    [REFRESH, 'timingSafeEqual(authenticate(secret, content), seen)', 'seen.length > 0'],
    [REFRESH_TEST],
  ),
  mutant(
    'a refresh token has a second spelling',
    [
      REFRESH,
      "bytes.length === TOKEN_BYTES && bytes.toString('base64url') === encoded",
      'bytes.length === TOKEN_BYTES',
    ],
    [REFRESH_TEST],
  ),
  mutant(
    'a published key may be private',
    [
      'shared/crypto/public-keys.ts',
      'PRIVATE_MEMBERS.some((member) => member in key)',
      'PRIVATE_MEMBERS.length === 0',
    ],
    [KEYS_TEST],
  ),
  mutant(
    'a key id is any text',
    ['shared/crypto/public-keys.ts', ' || kid !== thumbprint(x, y)', ''],
    [KEYS_TEST],
  ),
  mutant(
    'others may read a private key',
    ['shared/crypto/watched-file.ts', 'watch.secret && open && !watch.deployed', 'false'],
    [KEYS_TEST],
  ),
  mutant(
    'a signing key need not be a pair',
    ['shared/crypto/signing-keys.ts', 'selfTest(signing.key, shown)', ''],
    [KEYS_TEST],
  ),
  mutant(
    'a stored hash may ask for any work',
    ['shared/crypto/password-hash.ts', 'isBounded && isPossible', 'isPossible'],
    ['test/crypto/password-hasher.test.ts', 'a password hash'],
  ),
  mutant(
    'a verified token outlives its key',
    ['shared/crypto/verified-tokens.ts', 'keys.get(known.keyId) === known.key', 'true'],
    ['test/crypto/verified-tokens.test.ts'],
  ),
  mutant(
    'an unknown name costs no hash',
    [
      'shared/crypto/password-hasher.ts',
      'await compare(isOurs ? stored : dummy, password)',
      'isOurs && (await compare(stored, password))',
    ],
    ['test/auth/login.slow.test.ts', 'AUTH-02'],
  ),
  mutant(
    'an unknown name opens with any password',
    ['shared/crypto/password-hasher.ts', 'matches: isOurs && equal', 'matches: isOurs || !equal'],
    ['test/crypto/password-hasher.test.ts', 'a password hash'],
  ),
]

export const IMAGE_MUTANTS: readonly Mutant[] = [
  mutant(
    'any bytes are a photo',
    [
      'shared/image/sniff.ts',
      'if (head.startsWith(PNG_SIGNATURE))',
      "if (!head.startsWith('GIF') && !head.startsWith('RIFF') && head.slice(4, 8) !== 'ftyp')",
    ],
    [REFUSED_TEST, 'unsupported_image_type'],
  ),
  mutant(
    'no checksum of a PNG is compared',
    [
      'shared/image/png.ts',
      'if ((yield* photo.peek(CRC_BYTES)).readUInt32BE(0) !== crc) {',
      'if (false) {',
    ],
    [REFUSED_TEST, 'image_damaged'],
  ),
  mutant(
    'a photo may have any number of pixels',
    ['shared/image/photo-walk.ts', 'if (width * height > limits.maxPixels) {', 'if (false) {'],
    [PHOTOS_TEST, 'the stream'],
  ),
  mutant(
    'bytes after the image are kept',
    ['shared/image/photo-cleaner.ts', 'this.#trailingBytes += chunk.length', 'this.push(chunk)'],
    ['test/image/any-bytes.test.ts', 'how a photo is cut into chunks'],
  ),
  mutant(
    'EXIF with its place is kept',
    [
      'shared/image/jpeg-metadata.ts',
      'this.#takenAt = exif.takenAt\n',
      'this.#takenAt = exif.takenAt\n    return yield* photo.pass(bytes)\n',
    ],
    [PHOTOS_TEST, 'neither who nor where'],
  ),
  mutant(
    'XMP and comments are kept',
    [
      'shared/image/jpeg-metadata.ts',
      'yield* photo.drop(start + length - 2)',
      'yield* photo.pass(start + length - 2)',
    ],
    [PHOTOS_TEST, 'neither who nor where'],
  ),
  mutant(
    'a file may have any number of segments',
    ['shared/image/photo-walk.ts', 'this.#seen > MAX_SEGMENTS', 'false'],
    [REFUSED_TEST, 'is image_damaged'],
  ),
]
