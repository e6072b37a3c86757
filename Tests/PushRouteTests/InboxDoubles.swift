import Common

@testable import PushRoute

/// What the inboxes of a `ScriptedRouteStore` answer, and what they were asked.
struct InboxScript {
    struct Stored: Equatable {
        let message: StoredMessage
        let clients: [ClientID]
        let isRepeat: Bool
    }

    /// Answers to come for a client, the next one first; afterwards the message is stored.
    var results: [ClientID: [StoreResult]] = [:]
    var stored: [Stored] = []
    var pushes: [String: String] = [:]
    var acknowledged: [JobID: Int] = [:]
    /// Durations that keys are remembered for.
    var memories: [Duration] = []
    private var sequence: UInt64 = 0

    mutating func position() -> StreamPosition {
        sequence += 1
        return StreamPosition(milliseconds: 1_000, sequence: sequence)
    }
}

extension ScriptedRouteStore: InboxStore {
    func script(_ change: @Sendable (inout InboxScript) -> Void) { change(&inboxes) }

    func store(_ message: StoredMessage, for clients: [ClientID], isRepeat: Bool) async -> [StoreResult] {
        inboxes.stored.append(InboxScript.Stored(message: message, clients: clients, isRepeat: isRepeat))
        if let failure { return clients.map { _ in .failed(failure) } }
        return clients.map { client in
            if var answers = inboxes.results[client], !answers.isEmpty {
                defer { inboxes.results[client] = answers }
                return answers.removeFirst()
            }
            let previous = inboxes.position()
            return .stored(
                id: inboxes.position(), previous: previous, isRepeat: isRepeat, sessions: routes[client] ?? [])
        }
    }

    func rememberPush(
        key: String, as id: String, for duration: Duration
    ) async throws(WindfireError) -> String? {
        try check()
        inboxes.memories.append(duration)
        if let earlier = inboxes.pushes[key] { return earlier == id ? nil : earlier }
        inboxes.pushes[key] = id
        return nil
    }

    func forgetPush(key: String) async throws(WindfireError) {
        try check()
        inboxes.pushes[key] = nil
    }

    func acknowledgedCounts(_ jobs: [JobID]) async throws(WindfireError) -> [Int] {
        try check()
        return jobs.map { inboxes.acknowledged[$0] ?? 0 }
    }

    // Not asked by this role.
    func readInbox(
        of client: ClientID, for device: DeviceID, after: StreamPosition?
    ) async throws(WindfireError) -> InboxPage { .empty }
    func acknowledge(_ acknowledgements: [Acknowledgement]) async -> [AcknowledgeResult] { [] }
    func inboxHeads(_ clients: [ClientID]) async throws(WindfireError) -> [StreamPosition?] { [] }
    func inboxSummary(of client: ClientID) async throws(WindfireError) -> InboxSummary { .none }
    func purgeInbox(of client: ClientID) async throws(WindfireError) -> Int { 0 }
    func countAcknowledged(_ counts: [JobID: Int]) async throws(WindfireError) {}
}

/// A job intake that keeps what it was told, and fails when the test says so.
actor RecordingJobs: JobIntake {
    enum Event: Equatable {
        case began(owner: String)
        case added(index: Int, count: Int)
        case sealed(PushParameters, total: Int, chunks: Int, skipped: Int)
        case abandoned(String)
    }

    private(set) var events: [Event] = []
    private(set) var clients: [ClientID] = []
    private(set) var ids: [JobID] = []
    private var addFailure: (index: Int, error: WindfireError)?
    private var sealFailure: WindfireError?

    func fail(atChunk index: Int, _ error: WindfireError) { addFailure = (index, error) }
    func failToSeal(_ error: WindfireError) { sealFailure = error }

    func begin(owner: String) async throws(WindfireError) -> JobID {
        events.append(.began(owner: owner))
        let id = JobID(UUIDv7(unixMilliseconds: 1_700_000_000_000, random: (UInt64(ids.count), 7)))
        ids.append(id)
        return id
    }

    func add(_ chunk: [ClientID], index: Int, to job: JobID) async throws(WindfireError) {
        if let addFailure, addFailure.index == index { throw addFailure.error }
        events.append(.added(index: index, count: chunk.count))
        clients += chunk
    }

    func seal(
        _ job: JobID, push: PushParameters, total: Int, chunks: Int, skippedLines: Int
    ) async throws(WindfireError) {
        if let sealFailure { throw sealFailure }
        events.append(.sealed(push, total: total, chunks: chunks, skipped: skippedLines))
    }

    func abandon(_ job: JobID, reason: String) async { events.append(.abandoned(reason)) }
}
