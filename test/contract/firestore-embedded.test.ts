import { contract } from './firestore-suite.ts'
import { openEmbedded } from './firestore-target.ts'

contract('the embedded Firestore', openEmbedded, { parallel: 8, timeout: 60_000 })
