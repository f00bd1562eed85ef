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
        fun ByteArray.toRequestBody(contentType: MediaType? = null, offset: Int = 0, byteCount: Int = size): RequestBody = TODO()
        fun String.toRequestBody(contentType: MediaType? = null): RequestBody = TODO()
        fun File.asRequestBody(contentType: MediaType? = null): RequestBody = TODO()
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
    fun string(): String = TODO()
}

class Response : Closeable {
    val code: Int = TODO()
    val body: ResponseBody? = TODO()
    fun header(name: String, defaultValue: String? = null): String? = TODO()
    override fun close() = TODO()
}

interface Call {
    fun execute(): Response
}

open class OkHttpClient {
    open fun newCall(request: Request): Call = TODO()
}
