import Common
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// One Redis server: a few connections, each dialled again with backoff for as long as the node is wanted.
final class RedisNode: Sendable {
    /// What all nodes of a client share.
    struct Environment: Sendable {
        let configuration: RedisConfiguration
        let tls: NIOSSLContext?
        let group: any EventLoopGroup
        let logger: Logger
        /// Called when a connection is lost or cannot be made; a cluster looks then where its slots are.
        let troubled: @Sendable () -> Void
    }

    private typealias Waiter = CheckedContinuation<Result<RedisConnection, RedisFailure>, Never>
    private typealias State = RedisNodeStateMachine<RedisConnection, Waiter>

    let address: RedisAddress
    private let environment: Environment
    private let state: NIOLockedValueBox<State>
    private let tasks: NIOLockedValueBox<[Task<Void, Never>]>

    /// A connection that lived at least this long ends the backoff: one that dies at once must not be dialled at once.
    private static let healthyAfter: Duration = .seconds(5)

    /// Begins to dial at once. `shutDown()` must be called at the end.
    init(_ address: RedisAddress, _ environment: Environment) {
        self.address = address
        self.environment = environment
        let count = environment.configuration.connectionsPerNode
        state = NIOLockedValueBox(
            State(connections: count, waitersMax: environment.configuration.waitingCallersMax))
        tasks = NIOLockedValueBox([])
        tasks.withLockedValue { tasks in
            for index in 0..<count { tasks.append(Task { await self.keepConnected(index) }) }
        }
    }

    /// Sends the commands together on one connection. Each gets a reply or the reason why there is none, within twice
    /// the command timeout: once for a connection, once for the replies.
    func execute(_ commands: [RedisCommand]) async -> [RedisReply] {
        switch state.withLockedValue({ $0.lease() }) {
        case .use(let connection): return await connection.execute(commands)
        case .refuse(let failure): return commands.map { _ in .failure(failure) }
        case .wait: break
        }
        switch await waitForConnection() {
        case .success(let connection): return await connection.execute(commands)
        case .failure(let failure): return commands.map { _ in .failure(failure) }
        }
    }

    private func waitForConnection() async -> Result<RedisConnection, RedisFailure> {
        await withCheckedContinuation { continuation in
            switch state.withLockedValue({ $0.wait(continuation) }) {
            case .use(let connection): continuation.resume(returning: .success(connection))
            case .refuse(let failure): continuation.resume(returning: .failure(failure))
            case .waiting(let id):
                let limit = environment.configuration.commandTimeout
                environment.group.any().scheduleTask(in: TimeAmount(limit)) {
                    self.state.withLockedValue { $0.waiterExpired(id) }?
                        .resume(returning: .failure(.unreachable("no connection within \(limit)")))
                }
            }
        }
    }

    func shutDown() async {
        let (connections, waiters) = state.withLockedValue { $0.shutDown() }
        for waiter in waiters { waiter.resume(returning: .failure(.shutDown)) }
        let tasks = tasks.withLockedValue { $0 }
        for task in tasks { task.cancel() }
        for connection in connections { await connection.close() }
        for task in tasks { await task.value }
    }

    /// Closes all connections; they are dialled again. For a server that was demoted: its name may lead elsewhere now.
    func reconnect() async {
        for connection in state.withLockedValue(\.open) { await connection.close() }
    }

    // MARK: Staying connected

    private func keepConnected(_ index: Int) async {
        var failures = 0
        while !Task.isCancelled {
            do throws(RedisFailure) {
                let connection = try await RedisConnection.connect(
                    to: address, configuration: environment.configuration, tls: environment.tls,
                    on: environment.group)
                let start = ContinuousClock.now
                await serve(connection, at: index)
                failures = ContinuousClock.now - start >= Self.healthyAfter ? 0 : failures + 1
            } catch {
                failed(error, failures)
                failures += 1
            }
            guard !Task.isCancelled else { return }
            environment.troubled()
            let delay = environment.configuration.backoff.delay(attempt: failures, share: .random(in: 0...1))
            try? await Task.sleep(for: delay)
        }
    }

    /// Until the connection ends.
    private func serve(_ connection: RedisConnection, at index: Int) async {
        switch state.withLockedValue({ $0.connected(connection, at: index) }) {
        case .close:
            await connection.close()
        case .serve(let waiters):
            for waiter in waiters { waiter.resume(returning: .success(connection)) }
            environment.logger.debug("Redis connected", metadata: [Logger.Metadata.Key.address: "\(address)"])
            await connection.waitUntilClosed()
            state.withLockedValue { $0.disconnected(at: index) }
            environment.logger.debug("Redis disconnected", metadata: [Logger.Metadata.Key.address: "\(address)"])
        }
    }

    private func failed(_ failure: RedisFailure, _ failuresBefore: Int) {
        for waiter in state.withLockedValue({ $0.attemptFailed(failure) }) {
            waiter.resume(returning: .failure(failure))
        }
        // An operator must know, once; the rest of an outage is silence.
        guard failuresBefore == 0 else { return }
        environment.logger.warning(
            "Redis cannot be reached",
            metadata: [
                Logger.Metadata.Key.address: "\(address)", Logger.Metadata.Key.reason: "\(failure)",
            ])
    }
}
