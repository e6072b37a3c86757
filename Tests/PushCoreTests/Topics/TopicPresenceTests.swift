import Common
import NIOCore
import PushCore
import Testing

struct TopicPresenceTests {
    private let start = NIODeadline.uptimeNanoseconds(7_000_000_000)
    private let room = TopicPattern(unchecked: "room/1")

    private func presence(_ change: (inout TopicPresence.Rules) -> Void = { _ in }) -> TopicPresence {
        var rules = TopicPresence.Rules()
        change(&rules)
        return TopicPresence(rules: rules, now: start)
    }

    /// The first subscriber is there, and the store knows.
    private func joined(_ change: (inout TopicPresence.Rules) -> Void = { _ in }) throws -> TopicPresence {
        var presence = presence(change)
        #expect(try presence.gained(room, now: start) == .joining)
        #expect(presence.actions(now: start) == [.join(room)])
        #expect(presence.finished(.join(room), succeeded: true, now: start) == true)
        return presence
    }

    @Test func joinsAtTheFirstSubscriberAndLeavesSomeTimeAfterTheLast() throws {
        var presence = try joined()
        #expect(presence.isMember(of: room))
        #expect(try presence.gained(room, now: start) == .member)
        #expect(presence.actions(now: start) == [])
        presence.lost(room, now: start)
        presence.lost(room, now: start)
        #expect(presence.actions(now: start + .milliseconds(4_999)) == [])
        #expect(presence.actions(now: start + .milliseconds(5_250)) == [.leave(room)])
        #expect(presence.finished(.leave(room), succeeded: true, now: start + .seconds(6)) == false)
        #expect(!presence.isMember(of: room))
        #expect(presence.count == 0)
        #expect(presence.actions(now: start + .seconds(1_000)) == [])
    }

    @Test func whoComesBackInTimeDoesNotReachTheStore() throws {
        var presence = try joined()
        for second in 0..<20 {
            presence.lost(room, now: start + .seconds(Int64(second)))
            #expect(presence.actions(now: start + .seconds(Int64(second))) == [])
            #expect(try presence.gained(room, now: start + .seconds(Int64(second))) == .member)
        }
        #expect(presence.actions(now: start + .seconds(20)) == [])
    }

    @Test func aSuccessForgetsWhatFailedBefore() throws {
        var presence = presence()
        _ = try presence.gained(room, now: start)
        var now = start
        for _ in 0..<5 {
            #expect(presence.actions(now: now) == [.join(room)])
            #expect(presence.finished(.join(room), succeeded: false, now: now) == false)
            now = now + .seconds(20)
        }
        #expect(presence.actions(now: now) == [.join(room)])
        #expect(presence.finished(.join(room), succeeded: true, now: now) == true)
        #expect(presence.actions(now: now + .seconds(60)) == [.join(room)])
        #expect(presence.finished(.join(room), succeeded: false, now: now + .seconds(60)) == false)
        #expect(presence.actions(now: now + .milliseconds(60_750)) == [.join(room)], "half a second, as at first")
    }

    @Test func pausesDoubleUpToThirtyTwoTimes() throws {
        var presence = presence { $0.retryDelay = .seconds(1) }
        _ = try presence.gained(room, now: start)
        var now = start
        var pauses: [Int64] = []
        #expect(presence.actions(now: now) == [.join(room)])
        for _ in 0..<8 {
            _ = presence.finished(.join(room), succeeded: false, now: now)
            let failedAt = now
            repeat { now = now + .milliseconds(250) } while presence.actions(now: now) == []
            pauses.append((now - failedAt).nanoseconds / 1_000_000_000)
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 32, 32])
    }

    @Test func aJoinWhoseAnswerWasLostIsTakenBackWhenNobodyIsThere() throws {
        var presence = presence()
        _ = try presence.gained(room, now: start)
        #expect(presence.actions(now: start) == [.join(room)])
        presence.lost(room, now: start)
        #expect(presence.finished(.join(room), succeeded: false, now: start) == false)
        #expect(presence.actions(now: start + .seconds(6)) == [.leave(room)])
        #expect(presence.finished(.leave(room), succeeded: false, now: start + .seconds(6)) == false)
        #expect(presence.actions(now: start + .seconds(7)) == [.leave(room)])
        #expect(presence.finished(.leave(room), succeeded: true, now: start + .seconds(7)) == false)
        #expect(presence.count == 0)
    }

    /// A leave under way must not end after the join that follows it.
    @Test func joinsAgainOnlyAfterTheLeaveIsAnswered() throws {
        var presence = try joined()
        presence.lost(room, now: start)
        let later = start + .seconds(6)
        #expect(presence.actions(now: later) == [.leave(room)])
        #expect(try presence.gained(room, now: later) == .joining, "the store may have done it already")
        #expect(presence.actions(now: later) == [])
        #expect(presence.finished(.leave(room), succeeded: true, now: later) == false)
        #expect(presence.actions(now: later) == [.join(room)])
        #expect(presence.finished(.join(room), succeeded: true, now: later) == true)
    }

    @Test func announcesAgainAndAgain() throws {
        var presence = try joined()
        var now = start
        var joins = 0
        for _ in 0..<(4 * 300) {
            now = now + .milliseconds(250)
            for action in presence.actions(now: now) {
                #expect(action == .join(room))
                #expect(presence.finished(action, succeeded: true, now: now) == false, "it was a member before")
                joins += 1
            }
        }
        #expect((300 / 46...300 / 30).contains(joins))
    }

    @Test func aRepetitionThatFailsDoesNotEndTheMembership() throws {
        var presence = try joined()
        #expect(presence.actions(now: start + .seconds(50)) == [.join(room)])
        #expect(presence.finished(.join(room), succeeded: false, now: start + .seconds(50)) == false)
        #expect(presence.isMember(of: room))
        #expect(presence.actions(now: start + .seconds(51)) == [.join(room)])
    }

    @Test func aStoreThatReturnsIsToldEverythingSpreadOut() throws {
        var presence = presence()
        let topics = (0..<1_000).map { TopicPattern(unchecked: "t/\($0)") }
        for topic in topics { _ = try presence.gained(topic, now: start) }
        for action in presence.actions(now: start) { _ = presence.finished(action, succeeded: true, now: start) }
        presence.storeReturned(over: .seconds(10), now: start)
        #expect(presence.actions(now: start).count < 50)
        let half = presence.actions(now: start + .seconds(5)).count
        #expect((350...650).contains(half))
        let all = presence.actions(now: start + .milliseconds(10_250)).count
        #expect(half + all > 950)
    }

    @Test func soManyCallsAreOnTheirWayAtOnce() throws {
        var presence = presence { $0.inFlightMax = 3 }
        let topics = (0..<5).map { TopicPattern(unchecked: "t/\($0)") }
        for topic in topics { _ = try presence.gained(topic, now: start) }
        #expect(presence.actions(now: start) == topics[..<3].map { .join($0) })
        #expect(presence.actions(now: start) == [])
        _ = presence.finished(.join(topics[1]), succeeded: false, now: start)
        #expect(presence.actions(now: start) == [.join(topics[3])])
    }

    @Test func wildcardsAreAnnouncedLikeTopicsAndBounded() throws {
        var presence = presence { $0.wildcardsMax = 1 }
        let (one, two) = (TopicPattern(unchecked: "a/+"), TopicPattern(unchecked: "#"))
        #expect(try presence.gained(one, now: start) == .joining)
        #expect(throws: WindfireError(.tooManyPatterns, "the node has 1 patterns with wildcards")) {
            try presence.gained(two, now: start)
        }
        #expect(try presence.gained(one, now: start) == .joining, "another shard has the same pattern")
        #expect(try presence.gained(room, now: start) == .joining, "topics are not counted")
        #expect(presence.actions(now: start) == [.join(one), .join(room)])
        #expect(presence.finished(.join(one), succeeded: true, now: start) == true)
        presence.lost(one, now: start)
        presence.lost(one, now: start)
        #expect(throws: WindfireError.self, "it is announced still") { try presence.gained(two, now: start) }
        #expect(presence.actions(now: start + .seconds(6)) == [.leave(one)])
        _ = presence.finished(.leave(one), succeeded: true, now: start + .seconds(6))
        #expect(try presence.gained(two, now: start + .seconds(6)) == .joining)
    }

    @Test func whatWasNeverGainedIsNotLost() {
        var presence = presence()
        presence.lost(room, now: start)
        #expect(presence.finished(.join(room), succeeded: true, now: start) == false)
        #expect(presence.count == 0)
        #expect(presence.actions(now: start + .seconds(60)) == [])
    }
}
