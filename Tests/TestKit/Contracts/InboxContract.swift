import Common
import Testing

/// Routes and inboxes in one place, as both stores have them.
package typealias MessageStore = RouteStore & InboxStore

/// Somewhere messages are kept. Each store it makes stands for a process of its own, looking at the same place.
package protocol InboxHarness: Sendable {
    func makeMessageStore(_ limits: Limits) async throws -> any MessageStore
}

/// What every inbox store promises, one case a promise; runs like `RouteStoreContract`.
package struct InboxContract: Sendable, CustomTestStringConvertible {
    typealias Cast = RouteStoreContract.Cast

    package let name: String
    private let body: @Sendable (any InboxHarness, Cast) async throws -> Void

    package var testDescription: String { name }

    package func check(_ harness: any InboxHarness) async throws { try await body(harness, Cast()) }

    init(_ name: String, _ body: @escaping @Sendable (any InboxHarness, Cast) async throws -> Void) {
        self.name = name
        self.body = body
    }

    package static let all: [InboxContract] = storing + collapsing + devices + bounds + races + pushes
}

/// A push of its own for each call.
func newPush(at milliseconds: UInt64 = WallClock.milliseconds()) -> UUIDv7 {
    UUIDv7(unixMilliseconds: milliseconds, random: (.random(in: .min ... .max), .random(in: .min ... .max)))
}

/// A message of a push of its own, sent now, that says a number.
func newMessage(
    _ number: Int = 0, ttl: Duration = .seconds(600), key: String? = nil, job: JobID? = nil
) -> StoredMessage {
    let now = WallClock.milliseconds()
    return StoredMessage(
        push: newPush(at: now), data: Array("\(number)".utf8), timestampMilliseconds: now,
        expiresAtMilliseconds: now + ttl.wholeMilliseconds, collapseKey: key, job: job)
}

/// What is known of a message that was stored.
struct Stored: Equatable {
    let id: StreamPosition
    let previous: StreamPosition?
    let isRepeat: Bool
    let sessions: [Route]
}

extension InboxStore {
    /// Stores what nothing stands in the way of.
    @discardableResult
    func put(
        _ message: StoredMessage, for client: ClientID, isRepeat: Bool = false,
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> Stored {
        let results = await store(message, for: [client], isRepeat: isRepeat)
        guard results.count == 1,
            case .stored(let id, let previous, let isRepeat, let sessions) = results[0]
        else {
            Issue.record("not stored but \(results)", sourceLocation: location)
            throw NotInTime(what: "a message is stored", limit: .zero, lastError: nil)
        }
        return Stored(id: id, previous: previous, isRepeat: isRepeat, sessions: sessions)
    }

    /// Stores messages with these numbers, one after the other, and gives their ids.
    @discardableResult
    func put(_ numbers: Range<Int>, for client: ClientID, job: JobID? = nil) async throws -> [StreamPosition] {
        var ids: [StreamPosition] = []
        for number in numbers { ids.append(try await put(newMessage(number, job: job), for: client).id) }
        return ids
    }

    /// The device's cursor afterwards and what was acknowledged for the first time.
    @discardableResult
    func acknowledge(
        _ client: ClientID, _ device: DeviceID, upTo id: StreamPosition,
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> (upTo: StreamPosition, first: [JobID: Int]) {
        let results = await acknowledge([Acknowledgement(client: client, device: device, upTo: id)])
        guard results.count == 1, case .acknowledged(let upTo, let first) = results[0] else {
            Issue.record("not acknowledged but \(results)", sourceLocation: location)
            throw NotInTime(what: "a message is acknowledged", limit: .zero, lastError: nil)
        }
        return (upTo, first)
    }
}

extension RouteStore {
    /// The page that a claim gives.
    func page(
        of claim: RouteClaim, _ location: SourceLocation = #_sourceLocation
    ) async throws -> InboxPage {
        guard case .granted(_, _, let inbox) = try await self.claim(claim) else {
            Issue.record("the claim is granted", sourceLocation: location)
            return .empty
        }
        return inbox
    }
}

extension InboxPage {
    /// The numbers that its messages say.
    var numbers: [Int] { messages.compactMap { Int(String(decoding: $0.message.data, as: UTF8.self)) } }
}

extension RouteStoreContract.Cast {
    func device(_ name: String) -> DeviceID { DeviceID(unchecked: name) }
    func job() -> JobID { JobID(newPush()) }
}
