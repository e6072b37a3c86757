import Common

/// How far this device has come in its client's stored messages: which were shown to the application, and up to which
/// it has dealt with them. Their ids rise, so a place says it all: whatever the server sends again after a reconnect, a
/// lost acknowledgement or a restart of the application is recognised without a list of what was seen.
struct InboxCursor: Equatable, Sendable {
    private(set) var shown = StreamPosition.start
    private(set) var acknowledged = StreamPosition.start

    enum Verdict: Equatable {
        case new
        /// It was shown before. The server does not seem to know that the application has dealt with it: tell it.
        case shown(acknowledge: Bool)
    }

    /// - Parameter saved: what `text` said when the application ran last; anything else counts as nothing.
    init(saved: String? = nil) {
        guard let saved, let position = StreamPosition(saved) else { return }
        (shown, acknowledged) = (position, position)
    }

    /// What to save; nil before the first acknowledgement.
    var text: String? { acknowledged == .start ? nil : acknowledged.description }

    /// - Returns: nil when the id is not that of a stored message.
    mutating func receive(_ id: String) -> Verdict? {
        guard let position = StreamPosition(id) else { return nil }
        guard position > shown else { return .shown(acknowledge: position <= acknowledged) }
        shown = position
        return .new
    }

    /// - Returns: whether the cursor moved.
    mutating func acknowledge(_ id: String) -> Bool {
        guard let position = StreamPosition(id), position > acknowledged else { return false }
        acknowledged = position
        shown = max(shown, position)
        return true
    }
}
