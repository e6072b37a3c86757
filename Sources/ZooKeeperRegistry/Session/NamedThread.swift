import Foundation

/// Runs `body`, which may block, on a thread of its own that ends with it. zookeeper_init resolves names and
/// zookeeper_close flushes and joins (zookeeper.h: "it may block"); neither may hold a thread of the cooperative pool.
func onThread<Value: Sendable>(
    named name: String, _ body: @escaping @Sendable () -> Value
) async -> Value {
    await withCheckedContinuation { continuation in
        let thread = Thread { continuation.resume(returning: body()) }
        thread.name = name
        thread.stackSize = 512 << 10
        thread.start()
    }
}
