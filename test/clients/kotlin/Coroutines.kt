// What the client uses of kotlinx-coroutines, as signatures alone.
package kotlinx.coroutines
import kotlin.coroutines.CoroutineContext
interface CoroutineScope
object Dispatchers { val IO: CoroutineContext get() = throw UnsupportedOperationException() }
suspend fun <T> withContext(context: CoroutineContext, block: suspend CoroutineScope.() -> T): T = throw UnsupportedOperationException()
