// What a session does with its client's stored messages. The rules are `InboxFlow`'s; here they meet the session's
// state and its connection.

import Common
import NIOCore

extension SessionStateMachine {
    /// A message was stored for the client.
    /// - Returns: nil when this is no session, or one that takes no stored messages.
    package mutating func stored(
        at position: StreamPosition, after previous: StreamPosition?, now: NIODeadline
    ) -> InboxFlow.Verdict? {
        let rules = rules.inbox
        return withLive { session in
            session.openInbox(rules: rules)?.stored(
                at: position, after: previous, takesBytes: session.takesBytes, now: now, rules: rules)
        } ?? nil
    }

    /// Sends and reads what can be sent and read now.
    package mutating func proceedInbox(now: NIODeadline) -> InboxFlow.Step {
        withFlow { flow, takesBytes, rules in flow.proceed(takesBytes: takesBytes, now: now, rules: rules) }
    }

    /// The store answered a `read`.
    package mutating func received(_ page: InboxPage, now: NIODeadline) -> InboxFlow.Step {
        withFlow { flow, takesBytes, rules in
            flow.received(page, takesBytes: takesBytes, now: now, rules: rules)
        }
    }

    /// The store did not answer a `read`: it is asked again later.
    package mutating func readFailed(now: NIODeadline) {
        _ = withFlow { flow, _, rules in
            flow.readFailed(now: now, rules: rules)
            return .nothing
        }
    }

    /// The inbox reaches this far: a delivery may have been lost on its way.
    package mutating func inboxReaches(_ head: StreamPosition, now: NIODeadline) -> InboxFlow.Step {
        let rules = rules.inbox
        return withLive { session in
            guard let flow = session.openInbox(rules: rules) else { return .nothing }
            flow.reaches(head)
            return flow.proceed(takesBytes: session.takesBytes, now: now, rules: rules)
        } ?? .nothing
    }

    mutating func acknowledge(_ id: MessageID, now: NIODeadline) -> InboxFlow.Step {
        guard let position = StreamPosition(id) else { return .nothing }
        let rules = rules
        return withLive { $0.acknowledge(upTo: position, now: now, rules: rules) } ?? .nothing
    }

    private mutating func withFlow(
        _ body: (InboxFlow, _ takesBytes: Bool, InboxFlow.Rules) -> InboxFlow.Step
    ) -> InboxFlow.Step {
        let rules = rules.inbox
        return withLive { session in
            session.inbox.map { body($0, session.takesBytes, rules) } ?? .nothing
        } ?? .nothing
    }
}
