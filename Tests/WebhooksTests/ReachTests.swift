import Common
import Synchronization
import TestKit
import Testing

@testable import Webhooks

/// What is checked is what is called: names, their addresses, and names that change their mind.
@Suite struct ReachTests {
    private func url(_ receiver: WebhookReceiver) -> String { "http://hooks.test:\(receiver.port)/hook" }

    /// A resolver that gives these answers, the last one again and again, and counts.
    private final class Answers: Sendable {
        private let state: Mutex<(lists: [[String]], asked: Int)>
        init(_ lists: [[String]]) { state = Mutex((lists, 0)) }

        var asked: Int { state.withLock(\.asked) }
        var resolver: NameResolver {
            NameResolver { _ throws(WindfireError) in
                self.state.withLock { state in
                    state.asked += 1
                    return (state.lists.count > 1 ? state.lists.removeFirst() : state.lists[0]).compactMap {
                        IPAddress($0)
                    }
                }
            }
        }
    }

    /// `hooks.test` has no address in any DNS (RFC 6761): the call can only have gone where it was pinned to.
    @Test func theCallGoesToTheAddressThatWasChecked() async throws {
        try await WebhookReceiver().serving { receiver in
            let answers = Answers([["127.0.0.1"]])
            let configuration = try RunningSender.configuration(url(receiver))
            try await RunningSender.running(configuration, resolver: answers.resolver) { running in
                running.sender.post([event(1)])
                try await eventually("it has come") { running.count("sent") == 1 }
                #expect(receiver.calls.first?.header("host") == "hooks.test:\(receiver.port)")
                #expect(answers.asked == 1, "one look-up for a call, and it is ours")
            }
        }
    }

    @Test(arguments: ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fd00::1", "0.0.0.0"])
    func aNameAtAPrivateAddressIsNeverCalled(_ address: String) async throws {
        try await WebhookReceiver().serving { receiver in
            let configuration = try RunningSender.configuration(url(receiver)) {
                $0.allowsPrivate = false
                $0.rules.triesMax = 2
            }
            try await RunningSender.running(configuration, resolver: Answers([[address]]).resolver) { running in
                running.sender.post([event(1)])
                try await eventually("it is given up") { running.count("failed") == 1 }
            }
            #expect(receiver.calls.isEmpty)
        }
    }

    /// Rebinding: the first answer is public, the next one leads inside. 192.0.2.1 of RFC 5737 would be refused, so a
    /// public address stands for the owner's; the call to it cannot succeed here, and must not become one to loopback.
    @Test func aNameThatTurnsInwardsBetweenTwoCallsIsNotFollowed() async throws {
        try await WebhookReceiver().serving { receiver in
            let answers = Answers([["198.41.0.4"], ["127.0.0.1"]])
            let configuration = try RunningSender.configuration(url(receiver)) {
                $0.allowsPrivate = false
                $0.rules.triesMax = 3
                $0.timeout = .milliseconds(300)
                $0.connectTimeout = .milliseconds(200)
            }
            try await RunningSender.running(configuration, resolver: answers.resolver) { running in
                running.sender.post([event(1)])
                try await eventually("it is given up") { running.count("failed") == 1 }
                #expect(answers.asked == 3)
            }
            #expect(receiver.calls.isEmpty)
        }
    }

    /// Nobody listens on 127.0.0.2: the machine behind a name's first address is down.
    @Test func ofANameWithTwoAddressesTheOneThatAnswersIsFound() async throws {
        try await WebhookReceiver().serving { receiver in
            let configuration = try RunningSender.configuration(url(receiver))
            let answers = Answers([["127.0.0.2", "127.0.0.1"]])
            try await RunningSender.running(configuration, resolver: answers.resolver) { running in
                running.sender.post([event(1)])
                try await eventually("the second address is called") { running.count("sent") == 1 }
                running.sender.post([event(2)])
                try await eventually("and stays") { running.count("sent") == 2 }
                #expect(running.retries == 1)
            }
            #expect(receiver.numbers == [1, 2])
        }
    }

    @Test func theSystemsResolverFindsWhatIsInHosts() async throws {
        let found = try await NameResolver.system.addresses("localhost")
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { $0.isLoopback })
        await #expect(throws: WindfireError.self) { try await NameResolver.system.addresses("no-such-host.invalid") }
    }
}
