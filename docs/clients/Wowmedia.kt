// Wowmedia for Android and the JVM: copy this file. Needs kotlinx-coroutines and OkHttp; the worker at its end WorkManager.
package wowmedia

import java.io.File
import java.io.IOException
import java.io.RandomAccessFile
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody
import okhttp3.RequestBody.Companion.asRequestBody
import okhttp3.RequestBody.Companion.toRequestBody
import okhttp3.Response
import org.json.JSONObject

data class Tokens(val access: String, val refresh: String)

/** Where the tokens are kept: a file encrypted with a key of the Android Keystore. */
interface TokenStore {
    suspend fun read(): Tokens?

    /** Returns once they are kept for good; null removes them. */
    suspend fun write(tokens: Tokens?)
}

/** An error of the API; decide by `code`. */
class WowmediaException(val status: Int, problem: JSONObject) : IOException(problem.optString("detail")) {
    val code: String = problem.optString("code")
    val retryable: Boolean = problem.optBoolean("retryable")
    val signInAgain: Boolean = problem.optBoolean("sign_in_again")
}

class SignedOut : Exception()

private val JSON = "application/json".toMediaType()
private val NOTHING = ByteArray(0).toRequestBody()
private const val PIECE_BYTES = 8 * 1024 * 1024 // a multiple of 256 KiB

class Wowmedia(private val base: String, private val store: TokenStore, private val http: OkHttpClient = OkHttpClient()) {
    private val refreshing = Mutex()

    /** `/registration` or `/login`. */
    suspend fun signIn(username: String, password: String, path: String = "/login") {
        val body = JSONObject().put("username", username).put("password", password)
        store.write(tokensOf(send(to(path).post(body.toString().toRequestBody(JSON)).build())))
    }

    /** Ends the session on the server, then forgets the tokens. */
    suspend fun signOut() {
        val tokens = store.read() ?: return
        send(to("/logout/refresh").post(NOTHING).build(), tokens.refresh)
        store.write(null)
    }

    /** A call with the access token; one refresh where that is old. */
    suspend fun call(request: Request): JSONObject {
        val tokens = store.read() ?: throw SignedOut()
        try {
            return try {
                send(request, tokens.access)
            } catch (error: WowmediaException) {
                if (error.code != "token_expired" && error.code != "token_invalid") throw error
                send(request, freshToken(tokens.access))
            }
        } catch (error: WowmediaException) {
            if (error.signInAgain && error.code != "reauthentication_required") store.write(null)
            throw error
        }
    }

    suspend fun photos(): JSONObject = call(to("/photos").get().build())

    /** One photo in one request. Keep the key until it is answered: with it a repeat is the same photo. */
    suspend fun upload(file: File, type: String, key: String): JSONObject {
        val body = file.asRequestBody(type.toMediaType())
        return call(to("/file").header("Idempotency-Key", key).post(body).build())
    }

    /** A large photo, straight into the bucket; called again with the same key, it goes on where it was. */
    suspend fun uploadLarge(file: File, type: String, key: String): JSONObject {
        val announced = JSONObject()
            .put("content_type", type).put("bytes", file.length()).put("original_name", file.name)
        val announce = to("/uploads").header("Idempotency-Key", key)
        val upload = call(announce.post(announced.toString().toRequestBody(JSON)).build())
        val url = upload.getString("upload_url")
        val total = file.length()
        var at = put(url, NOTHING, "*", total)
        while (at < total) {
            val piece = pieceOf(file, at)
            at = put(url, piece.toRequestBody(), "$at-${at + piece.size - 1}", total)
        }
        return call(to("/uploads/${upload.getString("id")}/complete").post(NOTHING).build())
    }

    /** One refresh at a time: whoever waited takes what the first one got. */
    private suspend fun freshToken(old: String): String = refreshing.withLock {
        val stored = store.read() ?: throw SignedOut()
        if (stored.access != old) return@withLock stored.access
        // A lost answer is asked for again with the same token: the next call does that.
        val tokens = tokensOf(send(to("/token/refresh").post(NOTHING).build(), stored.refresh))
        store.write(tokens) // before the access token is used
        tokens.access
    }

    /** Sends a piece, or with `*` asks; without our token. How many bytes have arrived: 308 says it in `Range`. */
    private suspend fun put(url: String, piece: RequestBody, range: String, total: Long): Long {
        val request = Request.Builder().url(url).header("Content-Range", "bytes $range/$total").put(piece).build()
        return answer(request) { response ->
            when (response.code) {
                200, 201 -> total
                308 -> response.header("Range")?.substringAfterLast('-')?.toLong()?.plus(1) ?: 0L
                else -> throw IOException("The bucket answered ${response.code}")
            }
        }
    }

    private fun to(path: String) = Request.Builder().url(base + path)

    private suspend fun send(request: Request, token: String? = null): JSONObject {
        val signed = request.newBuilder().apply { if (token != null) header("Authorization", "Bearer $token") }.build()
        return answer(signed) { response ->
            val text = response.body?.string().orEmpty()
            val json = if (text.startsWith("{")) JSONObject(text) else JSONObject()
            if (response.code >= 400) throw WowmediaException(response.code, json)
            json
        }
    }

    private suspend fun <T> answer(request: Request, read: (Response) -> T): T =
        withContext(Dispatchers.IO) { http.newCall(request).execute().use(read) }
}

private fun tokensOf(answer: JSONObject) = Tokens(answer.getString("access_token"), answer.getString("refresh_token"))

private fun pieceOf(file: File, at: Long): ByteArray = RandomAccessFile(file, "r").use { source ->
    source.seek(at)
    val piece = ByteArray(minOf(PIECE_BYTES.toLong(), source.length() - at).toInt())
    source.readFully(piece)
    piece
}

/*
In the background: a CoroutineWorker with the file, its type and its key as input, and NetworkType.CONNECTED as constraint.

    override suspend fun doWork(): Result = try {
        wowmedia.upload(File(path), type, key)
        Result.success()
    } catch (error: WowmediaException) {
        if (error.retryable) Result.retry() else Result.failure()
    } catch (error: IOException) {
        Result.retry() // with the same key it is the same photo
    }
*/
