// What the client uses of OkHttp 4, as signatures alone: enough to compile against.
package okhttp3

import java.io.Closeable
import java.io.File

class MediaType {
    companion object {
        fun String.toMediaType(): MediaType = MediaType()
    }
}

abstract class RequestBody {
    companion object {
        fun ByteArray.toRequestBody(contentType: MediaType? = null, offset: Int = 0, byteCount: Int = size): RequestBody = throw UnsupportedOperationException()
        fun String.toRequestBody(contentType: MediaType? = null): RequestBody = throw UnsupportedOperationException()
        fun File.asRequestBody(contentType: MediaType? = null): RequestBody = throw UnsupportedOperationException()
    }
}

class Request {
    fun newBuilder(): Builder = Builder()

    open class Builder {
        open fun url(url: String): Builder = this
        open fun header(name: String, value: String): Builder = this
        open fun get(): Builder = this
        open fun post(body: RequestBody): Builder = this
        open fun put(body: RequestBody): Builder = this
        open fun build(): Request = Request()
    }
}

class ResponseBody {
    fun string(): String = throw UnsupportedOperationException()
}

class Response : Closeable {
    val code: Int = throw UnsupportedOperationException()
    val body: ResponseBody? = throw UnsupportedOperationException()
    fun header(name: String, defaultValue: String? = null): String? = throw UnsupportedOperationException()
    override fun close() = throw UnsupportedOperationException()
}

interface Call {
    fun execute(): Response
}

open class OkHttpClient {
    open fun newCall(request: Request): Call = throw UnsupportedOperationException()
}
