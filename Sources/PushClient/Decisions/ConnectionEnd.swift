import Common

/// How a connection ended, as far as it decides what comes next. Made from what was heard: an HTTP refusal, the `error`
/// frame before a close, the number of the close frame, or nothing at all.
struct ConnectionEnd: Equatable, Sendable {
    /// What the server's `error` frame said about coming back.
    enum Advice: String, Sendable {
        case never, after
        case newToken = "new_token"
    }

    /// Status of an HTTP answer that was not 101.
    var httpStatus: Int?
    /// Of the close frame.
    var number: UInt16?
    /// `code` and `message` of the last `error` frame without `ref`.
    var name: String?
    var message: String?
    var advice: Advice?
    var retryAfter: Duration?

    /// Why it was never opened, where that is known.
    var failure: PushClientError?

    static let silent = ConnectionEnd()

    enum Consequence: Equatable {
        case giveUp
        /// No sooner than after this time, with jitter on top.
        case comeBack(after: Duration, elsewhere: Bool)
        case fetchToken(after: Duration)
    }

    /// The frame's own words first, then the table of close reasons, then the HTTP status.
    var consequence: Consequence {
        let reason = number.flatMap(CloseReason.init(number:))
        let wait = retryAfter ?? .zero
        // Where a node sends everybody away, its neighbours are asked first.
        let elsewhere = reason == .nodeStopping || reason == .overloaded
        switch advice {
        case .never: return .giveUp
        case .newToken: return .fetchToken(after: wait)
        case .after: return .comeBack(after: wait, elsewhere: elsewhere)
        case nil: break
        }
        if let reason {
            return switch reason.comeBack {
            case .never: .giveUp
            case .after(let least): .comeBack(after: max(least, wait), elsewhere: elsewhere)
            case .withNewToken: .fetchToken(after: wait)
            }
        }
        if let httpStatus {
            return httpStatus == 401 || httpStatus == 403
                ? .fetchToken(after: wait) : .comeBack(after: wait, elsewhere: true)
        }
        // A number that is not in the table comes from a newer server or from a proxy: carefully again.
        return .comeBack(after: number == nil ? wait : max(wait, .seconds(5)), elsewhere: false)
    }

    /// For the application, to tell why there is no connection.
    var error: PushClientError {
        if let failure { return failure }
        let reason = number.flatMap(CloseReason.init(number:))
        if let code = reason?.name ?? name {
            return PushClientError(.refused, message ?? reason?.meaning ?? "", code: code, retryAfter: retryAfter)
        }
        if let httpStatus {
            return PushClientError(
                .refused, "the node answers HTTP status \(httpStatus)", code: "http_\(httpStatus)",
                retryAfter: retryAfter)
        }
        return PushClientError(.unavailable, "the node does not answer, or the connection was lost")
    }

    /// For the application, when this end is final.
    var final: PushClient.Ending {
        let reason = number.flatMap(CloseReason.init(number:))
        return .rejected(
            reason: reason?.name ?? name ?? "unknown", number: number, message: message ?? reason?.meaning ?? "")
    }
}
