import Common
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL
import PushCore

/// What a connection meets between accept and its first byte: the PROXY header where a trusted balancer stands in
/// front, admission, TLS, and the shard that keeps it.
final class Entrance: Sendable {
    private struct Counts {
        var open = 0
        var refused = 0
        var headersRefused = 0
        var warning = WarningPace()
    }

    private let shards: [ObjectIdentifier: Shard]
    private let admission: NIOLockedValueBox<Admission>
    private let tls: NIOSSLContext?
    private let trustedProxies: [AddressBlock]
    private let logger: Logger
    private let counts = NIOLockedValueBox(Counts())

    init(hub: Hub, admission: Admission, tls: NIOSSLContext?, trustedProxies: [AddressBlock], logger: Logger) {
        shards = Dictionary(uniqueKeysWithValues: hub.shards.map { (ObjectIdentifier($0.loop), $0) })
        self.admission = NIOLockedValueBox(admission)
        self.tls = tls
        self.trustedProxies = trustedProxies
        self.logger = logger
    }

    /// Connections open now, with those that never said a word.
    var openConnections: Int { counts.withLockedValue { $0.open } }
    /// Connections refused by admission since the start.
    var refusedConnections: Int { counts.withLockedValue { $0.refused } }
    /// Connections of trusted proxies that did not begin with a PROXY header.
    var refusedHeaders: Int { counts.withLockedValue { $0.headersRefused } }

    /// Sets up an accepted connection. Called on its loop.
    /// - Parameter spoken: the one protocol of its port, if it has one.
    func receive(_ channel: any Channel, speaking spoken: SpokenProtocol? = nil) throws {
        let now = NIODeadline.now()
        counts.withLockedValue { $0.open += 1 }
        channel.closeFuture.whenComplete { [counts] _ in counts.withLockedValue { $0.open -= 1 } }
        let address = channel.remoteAddress.flatMap(IPAddress.init)
        guard let address, trustedProxies.contains(where: { $0.contains(address) }) else {
            return try admit(channel, speaking: spoken, from: address, acceptedAt: now)
        }
        // Its own address has no pace: all devices come from there.
        let deadline = now + shard(of: channel).rules.authenticationDeadline
        try channel.pipeline.syncOperations.addHandler(
            ProxyHeaderHandler(entrance: self, speaking: spoken, acceptedAt: now, deadline: deadline))
    }

    /// Decides about a connection whose origin is known, and gives it to the shard of its loop.
    /// - Parameter address: nil when there is none, as for a balancer's health check, which has the pace of the node
    ///   alone.
    func admit(
        _ channel: any Channel, speaking spoken: SpokenProtocol?, from address: IPAddress?, acceptedAt: NIODeadline
    ) throws {
        let paced = address.flatMap { $0.isLoopback ? nil : $0 }
        let open = openConnections
        let verdict = admission.withLockedValue { $0.decide(address: paced, open: open - 1, now: .now()) }
        if verdict != .admit { counts.withLockedValue { $0.refused += 1 } }
        // A protocol with a port of its own has no TLS there.
        let tls = spoken == nil ? tls : nil
        if let tls {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
        }
        try channel.pipeline.syncOperations.addHandler(
            SessionHandler(
                shard: shard(of: channel), speaking: spoken, refusal: Refusal(verdict), isPlain: tls == nil,
                now: acceptedAt))
    }

    /// A trusted proxy's connection began with something else, or with nothing in time. Most likely one of the two
    /// sides is not configured for it and no device gets in: the operator has to know, though not for each device.
    func refuseHeader(of channel: any Channel, for reason: CloseReason) {
        let (count, isToBeSaid) = counts.withLockedValue { counts in
            counts.headersRefused += 1
            return (counts.headersRefused, counts.warning.take(at: .now()))
        }
        shard(of: channel).sessionEnded(Ending(reason: reason, identity: nil))
        guard isToBeSaid else { return }
        logger.warning(
            "a trusted proxy sends no PROXY header",
            metadata: [
                Logger.Metadata.Key.count: "\(count)",
                Logger.Metadata.Key.address: "\(channel.remoteAddress?.ipAddress ?? "")",
                Logger.Metadata.Key.reason: "\(reason)",
            ])
    }

    /// As balancers end it that only look whether the port is open.
    func endedBeforeHeader(_ channel: any Channel) {
        shard(of: channel).sessionEnded(Ending(reason: .connectionLost, identity: nil))
    }

    private func shard(of channel: any Channel) -> Shard {
        guard let shard = shards[ObjectIdentifier(channel.eventLoop)] else {
            preconditionFailure("a connection lives on the loop of a shard")
        }
        return shard
    }
}

extension Refusal {
    fileprivate init?(_ verdict: Admission.Verdict) {
        guard case .refuse(let wait) = verdict else { return nil }
        let seconds = max(1, (wait.nanoseconds + 999_999_999) / 1_000_000_000)
        guard
            case .respond(let response, _) = HTTPOpening.Decision.problem(
                .overloaded, extra: "retry-after: \(seconds)\r\n")
        else { return nil }
        self.init(response: response)
    }
}

extension IPAddress {
    /// Nil for sockets without one.
    init?(_ address: SocketAddress) {
        switch address {
        case .v4(let four): self.init(ipv4: UInt32(bigEndian: four.address.sin_addr.s_addr))
        case .v6(let six):
            guard let address = withUnsafeBytes(of: six.address.sin6_addr, { IPAddress(bytes: $0) }) else { return nil }
            self = address
        case .unixDomainSocket: return nil
        }
    }
}
