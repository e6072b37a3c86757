/// What to do with the reply to one command.
enum ReplyVerdict: Equatable {
    /// Hand it to the caller: a value, or an error that trying again does not change.
    case final
    /// There is no answer and asking again within the call is of no use: the caller learns why.
    case failed(RedisFailure)
    /// Load the script on that node, then again.
    case loadScript
    /// The slot has moved; remember that, then again on that node.
    case moved(Slot, RedisAddress)
    /// Once, on that node, with ASKING; the slot itself has not moved yet.
    case ask(RedisAddress)
    /// Again after a pause; `refresh`: and ask where the slots are, meanwhile.
    case later(refresh: Bool)
    /// The connection leads to a demoted server: dial again, then again after a pause.
    case reconnect

    init(_ reply: RedisReply) {
        switch reply {
        // Every command of ours is safe to repeat, so one whose connection died is sent again.
        case .failure(.connectionLost): self = .later(refresh: true)
        case .failure(let failure): self = .failed(failure)
        case .success(.error(let error)):
            switch error.kind {
            case .moved(let slot, let address): self = .moved(slot, address)
            case .ask(_, let address): self = .ask(address)
            case .tryAgain, .loading: self = .later(refresh: false)
            case .clusterDown, .masterDown: self = .later(refresh: true)
            case .noScript: self = .loadScript
            case .readOnly: self = .reconnect
            case .notAuthorized: self = .failed(.refused(error.text))
            case .other: self = .final
            }
        case .success: self = .final
        }
    }
}
