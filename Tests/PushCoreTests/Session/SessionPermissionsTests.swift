import Common
import PushCore
import Testing

struct SessionPermissionsTests {
    private let permissions = SessionPermissions(
        Permissions(publish: ["room/+", "up/alice"], subscribe: ["room/+", "news/#", "$SYS/load"]))

    @Test(arguments: ["room/1", "room/+", "news", "news/#", "news/+/today", "$SYS/load"])
    func allowsSubscription(_ text: String) throws {
        try permissions.checkSubscribe(to: TopicPattern(text))
    }

    /// Nobody sees by a wildcard what he may not see by name.
    @Test(arguments: ["room/#", "#", "+/1", "+", "room", "room/1/2", "$SYS/+", "up/alice", "Room/1"])
    func refusesSubscription(_ text: String) {
        #expect(throws: WindfireError(.forbidden, "the token does not allow this subscription")) {
            try permissions.checkSubscribe(to: TopicPattern(text))
        }
    }

    @Test func publishingIsAnotherPermission() throws {
        try permissions.checkPublish(to: Topic("room/1"))
        try permissions.checkPublish(to: Topic("up/alice"))
        for text in ["news", "room", "room/1/2", "up/bob"] {
            #expect(throws: WindfireError(.forbidden, "the token does not allow publishing to this topic")) {
                try permissions.checkPublish(to: Topic(text))
            }
        }
    }

    @Test func noPermissionIsNone() throws {
        #expect(throws: WindfireError.self) { try SessionPermissions.none.checkSubscribe(to: TopicPattern("a")) }
        #expect(throws: WindfireError.self) { try SessionPermissions.none.checkPublish(to: Topic("a")) }
    }

    @Test func whatIsNoPatternAllowsNothingAndIsCounted() throws {
        let broken = SessionPermissions(Permissions(publish: ["", "a"], subscribe: ["#/a", "b+", "ok"]))
        #expect(broken.ignoredCount == 3)
        try broken.checkSubscribe(to: TopicPattern("ok"))
        try broken.checkPublish(to: Topic("a"))
        for text in ["a", "b", "b+x/1"] {
            #expect(throws: WindfireError.self) { try broken.checkSubscribe(to: TopicPattern(text)) }
        }
    }

    /// Together the two cover every level, but none of them says so.
    @Test func twoPatternsDoNotMakeAWiderOne() throws {
        let two = SessionPermissions(Permissions(subscribe: ["+", "+/+/#"]))
        #expect(throws: WindfireError.self) { try two.checkSubscribe(to: TopicPattern("#")) }
    }
}
