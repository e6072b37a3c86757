import CZooKeeper

// The calls, each as an async function. A call that is queued always comes back: with its result, with a connection
// error when the connection is lost, or with ZCLOSING when the handle is closed. So none needs a deadline or
// cancellation.

/// What ZooKeeper knows of an entry besides its bytes.
struct EntryStat: Equatable, Sendable {
    /// The transaction that created it: another one means that it was made anew.
    let created: Int64
    let version: Int32
    /// The session that owns it; 0 when it is not ephemeral.
    let owner: Int64
}

extension ZooKeeperHandle {
    /// Creates an entry for everybody, or with credentials for their holders alone.
    func create(_ path: String, _ bytes: [UInt8], ephemeral: Bool) async throws(ZooKeeperError) {
        try await call("create", Void.self) { handle, reply in
            bytes.withUnsafeBytes {
                windfire_zoo_acreate(
                    handle, path, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count),
                    usesCredentials ? 1 : 0, ephemeral ? 1 : 0, created, reply)
            }
        }
    }

    /// The bytes and the facts; nil when there is no entry. Arms the watch if there is one: it fires on the next change
    /// or removal after this reading.
    func get(_ path: String, watch: Signal?) async throws(ZooKeeperError) -> (bytes: [UInt8], stat: EntryStat)? {
        do {
            return try await call("get", DataReply.self) { handle, reply in
                zoo_awget(handle, path, watch == nil ? nil : watchFired, watch?.watchContext, dataRead, reply)
            }
        } catch  where error.isNoNode {
            return nil
        }
    }

    /// The names below a path. Arms the watch: it fires on the next child that comes or goes after this reading.
    func children(_ path: String, watch: Signal?) async throws(ZooKeeperError) -> [String] {
        try await call("children", [String].self) { handle, reply in
            zoo_awget_children2(
                handle, path, watch == nil ? nil : watchFired, watch?.watchContext, childrenRead, reply)
        }
    }

    func set(_ path: String, _ bytes: [UInt8], version: Int32) async throws(ZooKeeperError) {
        try await call("set", Void.self) { handle, reply in
            bytes.withUnsafeBytes {
                zoo_aset(
                    handle, path, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count), version,
                    written,
                    reply)
            }
        }
    }

    func delete(_ path: String, version: Int32) async throws(ZooKeeperError) {
        try await call("delete", Void.self) { handle, reply in zoo_adelete(handle, path, version, done, reply) }
    }

    /// Deletes an ephemeral entry and creates it anew for this session, in one transaction: readers see no gap.
    func replace(_ path: String, version: Int32, _ bytes: [UInt8]) async throws(ZooKeeperError) {
        let results = OperationResults(count: 2)
        try await call("replace", Void.self) { handle, reply in
            bytes.withUnsafeBytes {
                windfire_zoo_areplace(
                    handle, path, version, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count),
                    usesCredentials ? 1 : 0, results.pointer, done, reply)
            }
        }
        // The library wrote there until the completion.
        withExtendedLifetime(results) {}
    }

    /// Kept by the library and said again at each reconnect. What it answers comes as a session event.
    func authenticate(_ userAndPassword: String) throws(ZooKeeperError) {
        let code = pointer.withLock { pointer -> Int32 in
            guard let pointer else { return ZCLOSING.rawValue }
            return zoo_add_auth(
                pointer.raw, "digest", userAndPassword, Int32(userAndPassword.utf8.count), { _, _ in }, nil)
        }
        try ZooKeeperError.check(code, "add_auth")
    }

    /// Queues a call, and waits for its completion.
    private func call<Value: Sendable>(
        _ operation: String, _: Value.Type, _ start: (OpaquePointer, UnsafeRawPointer) -> Int32
    ) async throws(ZooKeeperError) -> Value {
        let result: Result<Value, ZooKeeperError> = await withCheckedContinuation { continuation in
            let reply = Unmanaged.passRetained(Reply<Value>(operation, continuation))
            let code = pointer.withLock { pointer in
                pointer.map { start($0.raw, reply.toOpaque()) } ?? ZCLOSING.rawValue
            }
            // Refused at once: then the completion is never called.
            if code != ZOK.rawValue { reply.takeRetainedValue().fail(code) }
        }
        return try result.get()
    }
}

extension Signal {
    /// What the library keeps with a watch. Always the same for a signal: the library holds equal (function, context)
    /// pairs of a path once, so arming an armed watch adds nothing. The handle keeps the signal.
    fileprivate var watchContext: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
}

/// On the library's completion thread. Session events come to watches, too; looking again is right then as well.
private func watchFired(
    handle: OpaquePointer?, type: Int32, state: Int32, path: UnsafePointer<CChar>?, context: UnsafeMutableRawPointer?
) {
    guard let context else { return }
    Unmanaged<Signal>.fromOpaque(context).takeUnretainedValue().fire()
}

/// One outstanding call.
private final class Reply<Value: Sendable>: Sendable {
    private let operation: String
    private let continuation: CheckedContinuation<Result<Value, ZooKeeperError>, Never>

    init(_ operation: String, _ continuation: CheckedContinuation<Result<Value, ZooKeeperError>, Never>) {
        self.operation = operation
        self.continuation = continuation
    }

    /// Takes over the reference that the call retained: a completion is called exactly once.
    static func take(_ data: UnsafeRawPointer?) -> Reply? {
        data.map { Unmanaged<Reply>.fromOpaque($0).takeRetainedValue() }
    }

    func finish(_ code: Int32, _ value: @autoclosure () -> Value) {
        do throws(ZooKeeperError) {
            try ZooKeeperError.check(code, operation)
            continuation.resume(returning: .success(value()))
        } catch {
            continuation.resume(returning: .failure(error))
        }
    }

    func fail(_ code: Int32) {
        continuation.resume(returning: .failure(ZooKeeperError(code: code, operation: operation)))
    }
}

/// Where the library notes how each operation of a transaction went. We need only the whole's result. Written by its
/// completion thread, before the completion, and read by nobody.
private final class OperationResults: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<zoo_op_result_t>

    init(count: Int) {
        pointer = .allocate(capacity: count)
        pointer.initialize(repeating: zoo_op_result_t(), count: count)
    }

    deinit { pointer.deallocate() }
}

private typealias DataReply = (bytes: [UInt8], stat: EntryStat)

// The completions, one for each C signature, on the library's completion thread. What they are handed is the library's
// and valid until they return ("the programmer is NOT responsible for freeing"), so it is copied.

private func done(code: Int32, data: UnsafeRawPointer?) {
    Reply<Void>.take(data)?.finish(code, ())
}

private func created(code: Int32, path: UnsafePointer<CChar>?, data: UnsafeRawPointer?) {
    Reply<Void>.take(data)?.finish(code, ())
}

private func written(code: Int32, stat: UnsafePointer<Stat>?, data: UnsafeRawPointer?) {
    Reply<Void>.take(data)?.finish(code, ())
}

private func dataRead(
    code: Int32, value: UnsafePointer<CChar>?, length: Int32, stat: UnsafePointer<Stat>?, data: UnsafeRawPointer?
) {
    // The length is -1 for an entry without bytes.
    let bytes = value.map {
        Array(UnsafeRawBufferPointer(start: $0, count: code == ZOK.rawValue ? max(0, Int(length)) : 0))
    }
    let facts = code == ZOK.rawValue ? stat?.pointee : nil
    Reply<DataReply>.take(data)?.finish(
        code,
        (
            bytes ?? [],
            EntryStat(created: facts?.czxid ?? 0, version: facts?.version ?? 0, owner: facts?.ephemeralOwner ?? 0)
        ))
}

private func childrenRead(
    code: Int32, names: UnsafePointer<String_vector>?, stat: UnsafePointer<Stat>?, data: UnsafeRawPointer?
) {
    var list: [String] = []
    if code == ZOK.rawValue, let names = names?.pointee, let first = names.data {
        list = UnsafeBufferPointer(start: first, count: Int(names.count)).compactMap { $0.map { String(cString: $0) } }
    }
    Reply<[String]>.take(data)?.finish(code, list)
}
