// What the client uses of kotlinx-coroutines, as signatures alone.
package kotlinx.coroutines.sync
interface Mutex
fun Mutex(locked: Boolean = false): Mutex = throw UnsupportedOperationException()
suspend inline fun <T> Mutex.withLock(owner: Any? = null, action: () -> T): T = action()
