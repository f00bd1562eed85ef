/** An upload as the framework suggests it: the whole body in memory, then into the bucket by the SDK. */
import { http } from '@google-cloud/functions-framework'
import { Storage } from '@google-cloud/storage'

const bucket = new Storage().bucket(process.env['PHOTO_BUCKET'] ?? '')
let objects = 0

http('buffering', async (request, response) => {
  objects += 1
  const bytes = request.rawBody ?? Buffer.alloc(0)
  await bucket
    .file(`buffering/${process.pid}/${objects}`)
    .save(bytes, { resumable: false, contentType: 'image/jpeg' })
  response.status(201).send('')
})
