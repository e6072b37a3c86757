import Common

/// What a token allows its bearer: with topics, and whether it may send to other clients.
///
/// A subscription is allowed when one of the token's patterns contains it, so that nobody sees by a wildcard what he
/// may not see by name. Several patterns that only together cover a wildcard do not allow it: whoever issues tokens
/// writes the wider pattern if that is meant.
///
/// Made from a token's lists once, when it is presented, and shared by all sessions with equal permissions: one word
/// each. A check looks at the patterns one after the other; a token of 16 KiB has room for some thousand.
package final class SessionPermissions: Equatable, Sendable {
    package static let none = SessionPermissions(.none)

    /// Whether it may send to other clients directly.
    package let send: Bool
    private let publish: [TopicPattern]
    private let subscribe: [TopicPattern]
    /// Texts of the token that are no patterns: they allow nothing, and whoever issued them should know.
    package let ignoredCount: Int

    package init(_ permissions: Permissions) {
        send = permissions.send
        publish = permissions.publish.compactMap(Self.pattern)
        subscribe = permissions.subscribe.compactMap(Self.pattern)
        ignoredCount = permissions.publish.count + permissions.subscribe.count - publish.count - subscribe.count
    }

    /// - Throws: `forbidden`.
    package func checkSubscribe(to pattern: TopicPattern) throws(WindfireError) {
        guard subscribe.contains(where: { $0.contains(pattern) }) else {
            throw WindfireError(.forbidden, "the token does not allow this subscription")
        }
    }

    /// - Throws: `forbidden`.
    package func checkPublish(to topic: Topic) throws(WindfireError) {
        guard publish.contains(where: { $0.matches(topic) }) else {
            throw WindfireError(.forbidden, "the token does not allow publishing to this topic")
        }
    }

    private static func pattern(_ text: String) -> TopicPattern? { try? TopicPattern(text) }

    package static func == (left: SessionPermissions, right: SessionPermissions) -> Bool {
        left === right
            || (left.send == right.send && left.publish == right.publish && left.subscribe == right.subscribe)
    }
}
