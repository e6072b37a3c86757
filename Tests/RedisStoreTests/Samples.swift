import Common
import NIOCore
import Synchronization
import TestKit

@testable import RedisStore

/// A node and life of this test process.
let sampleIncarnation = Incarnation.new(of: NodeID(unchecked: "n1"))

func sampleClaim(_ client: ClientID, _ device: String, _ session: UInt64) -> RouteClaim {
    RouteClaim(
        client: client, device: DeviceID(unchecked: device), incarnation: sampleIncarnation,
        session: SessionID(high: session, low: 7), generation: .first)
}

func sampleEntry(_ claim: RouteClaim, _ epoch: Epoch) -> ClientRoute {
    ClientRoute(
        client: claim.client,
        route: Route(device: claim.device, incarnation: claim.incarnation, session: claim.session, epoch: epoch))
}

/// So many new clients, each claimed once.
func claimMany(_ count: Int, on store: RedisRouteStore) async throws -> [ClientRoute] {
    let run = UInt64.random(in: .min ... .max).hex16
    var entries: [ClientRoute] = []
    for number in 0..<count {
        let claim = sampleClaim(ClientID(unchecked: "c\(number)-\(run)"), "phone", UInt64(number))
        guard case .granted(let epoch, displaced: [], inbox: _) = try await store.claim(claim) else {
            throw ChildProcessFailure("claim \(number) was not granted")
        }
        entries.append(sampleEntry(claim, epoch))
    }
    return entries
}

/// Work that goes on in the background of a test.
final class Load: Sendable {
    private let roundCount = Atomic(0)
    private let stopped = Atomic(false)

    var rounds: Int { roundCount.load(ordering: .relaxed) }
    var isStopped: Bool { stopped.load(ordering: .relaxed) }
    func finishedRound() { roundCount.add(1, ordering: .relaxed) }
    func stop() { stopped.store(true, ordering: .relaxed) }
}

extension RESPValue {
    static func text(_ text: String) -> RESPValue { .bulk(ByteBuffer(string: text)) }
}

/// A message of a push of its own, for an hour, that says a number.
func sampleMessage(_ number: Int) -> StoredMessage {
    let now = WallClock.milliseconds()
    return StoredMessage(
        push: UUIDv7(unixMilliseconds: now, random: (.random(in: .min ... .max), .random(in: .min ... .max))),
        data: Array("\(number)".utf8), timestampMilliseconds: now, expiresAtMilliseconds: now + 3_600_000)
}
