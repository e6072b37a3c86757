import CZooKeeper
import Common
import Logging
import Synchronization

/// The one owner of a `zhandle_t`: one handle, at most one session. Opened and closed on named threads; everything
/// between is the asynchronous API (`ZooKeeperHandle+Operations.swift`), which only queues.
///
/// **Threads.** The library runs two per handle: one does I/O, the other calls completions and watchers, one after the
/// other (zookeeper.h, THREADED; "Programmer's Guide", C binding). Our callbacks hand a value to a continuation, a
/// stream or a `Signal` and return; they never call the library and never block.
///
/// **Locks.** `pointer` is behind a mutex that is held while a call is queued. Closing takes the pointer out under the
/// mutex and calls zookeeper_close outside of it, so no call can reach a closed handle ("calling any other zookeeper
/// method after calling close is undefined behaviour"), and a completion that runs during close never waits for us.
///
/// **Memory.** What callbacks point to (`HandleContext`, the watches' `Signal`s) is retained until zookeeper_close has
/// returned: it joins both threads and fails what is outstanding with ZCLOSING, so nothing is called after it. A
/// completion's context is retained by the call and released by its one callback.
final class ZooKeeperHandle: Sendable {
    /// A plain C pointer; the library's own locks make its calls safe from any thread.
    struct Pointer: @unchecked Sendable {
        let raw: OpaquePointer
    }

    let pointer: Mutex<Pointer?>
    let usesCredentials: Bool
    private let context: HandleContext
    /// Kept for the pointers the library has to them.
    private let watches: [Signal]

    private init(_ raw: Pointer, context: HandleContext, watches: [Signal], usesCredentials: Bool) {
        pointer = Mutex(raw)
        self.context = context
        self.watches = watches
        self.usesCredentials = usesCredentials
    }

    deinit {
        // Close needs a thread that may block, and a deinit runs anywhere.
        precondition(pointer.withLock { $0 == nil }, "A handle is closed before it is let go.")
    }

    /// Starts a handle; it connects by itself and says so in `events`.
    /// - Parameters:
    ///   - watches: the signals that operations on this handle may name as their watches.
    ///   - events: gets each change of the session, from the library's thread.
    /// - Throws: the system error of zookeeper_init, such as a name that cannot be resolved.
    static func open(
        _ address: ZooKeeperAddress, sessionTimeout: Duration, watches: [Signal], logger: Logger,
        events: @escaping @Sendable (SessionEvent) -> Void
    ) async throws(ZooKeeperError) -> ZooKeeperHandle {
        let context = HandleContext(events)
        LibraryLog.route(to: logger)
        let servers = address.connectString
        let milliseconds = Int32(
            clamping: sessionTimeout.components.seconds * 1000
                + sessionTimeout.components.attoseconds / 1_000_000_000_000_000)
        let opened = await onThread(named: "zookeeper-open") { () -> Result<Pointer, ZooKeeperError> in
            let raw = zookeeper_init2(
                servers, sessionChanged, milliseconds, nil, Unmanaged.passUnretained(context).toOpaque(), 0,
                LibraryLog.callback)
            guard let raw else { return .failure(ZooKeeperError(code: ZSYSTEMERROR.rawValue, operation: "init")) }
            // Look names up again only when a connection was lost; the default is at every turn of the I/O thread.
            zoo_set_servers_resolution_delay(raw, -1)
            return .success(Pointer(raw: raw))
        }
        let handle = ZooKeeperHandle(
            try opened.get(), context: context, watches: watches, usesCredentials: address.credentials != nil)
        if let credentials = address.credentials {
            do {
                try handle.authenticate("\(credentials.user):\(credentials.password)")
            } catch {
                await handle.close()
                throw error
            }
        }
        return handle
    }

    /// Ends the session, if one stands, and with it its ephemeral entries. Every outstanding call fails with ZCLOSING
    /// before this returns.
    func close() async {
        guard
            let raw = pointer.withLock({ pointer in
                defer { pointer = nil }
                return pointer
            })
        else { return }
        _ = await onThread(named: "zookeeper-close") { zookeeper_close(raw.raw) }
        // Here ends what the callbacks may point to.
        withExtendedLifetime((context, watches)) {}
    }
}

/// What the session watcher points to.
private final class HandleContext: Sendable {
    let events: @Sendable (SessionEvent) -> Void
    init(_ events: @escaping @Sendable (SessionEvent) -> Void) { self.events = events }
}

/// The handle's own watcher: session events only. On the library's completion thread.
private func sessionChanged(
    handle: OpaquePointer?, type: Int32, state: Int32, path: UnsafePointer<CChar>?, context: UnsafeMutableRawPointer?
) {
    guard let handle, let context, type == ZOO_SESSION_EVENT else { return }
    let events = Unmanaged<HandleContext>.fromOpaque(context).takeUnretainedValue().events
    switch state {
    case ZOO_CONNECTED_STATE:
        // zookeeper.h: both are valid "if the last watcher state is ZOO_CONNECTED_STATE", so here.
        let session = zoo_client_id(handle)?.pointee.client_id ?? 0
        events(.connected(session: session, timeout: .milliseconds(zoo_recv_timeout(handle))))
    case ZOO_EXPIRED_SESSION_STATE:
        events(.expired)
    case ZOO_AUTH_FAILED_STATE:
        events(.authenticationFailed)
    default:
        // Connecting, associating, not connected. Read-only servers are not asked for.
        events(.connecting)
    }
}
