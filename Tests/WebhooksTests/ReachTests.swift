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

    /// Notes what would be dialled, and leads to 127.0.0.2: nobody listens there, and the kernel refuses at once.
    private final class Dialled: Sendable {
        private let noted = Mutex<[String]>([])

        var addresses: [String] { noted.withLock { $0 } }
        func route() throws -> AddressRoute {
            let nobody = try #require(IPAddress("127.0.0.2"))
            return AddressRoute { address in
                self.noted.withLock { $0.append("\(address)") }
                return nobody
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
        let dialled = Dialled()
        let route = try dialled.route()
        try await WebhookReceiver().serving { receiver in
            let configuration = try RunningSender.configuration(url(receiver)) {
                $0.allowsPrivate = false
                $0.rules.triesMax = 2
            }
            let resolver = Answers([[address]]).resolver
            try await RunningSender.running(configuration, resolver: resolver, route: route) { running in
                running.sender.post([event(1)])
                try await eventually("it is given up") { running.count("failed") == 1 }
            }
            #expect(receiver.calls.isEmpty)
            #expect(dialled.addresses.isEmpty)
        }
    }

    /// Rebinding: the first answer is public, the next ones lead inside.
    @Test func aNameThatTurnsInwardsBetweenTwoCallsIsNotFollowed() async throws {
        let dialled = Dialled()
        let route = try dialled.route()
        try await WebhookReceiver().serving { receiver in
            let answers = Answers([["198.41.0.4"], ["127.0.0.1"]])
            let configuration = try RunningSender.configuration(url(receiver)) {
                $0.allowsPrivate = false
                $0.rules.triesMax = 3
            }
            try await RunningSender.running(configuration, resolver: answers.resolver, route: route) { running in
                running.sender.post([event(1)])
                try await eventually("it is given up") { running.count("failed") == 1 }
                #expect(answers.asked == 3)
            }
            #expect(receiver.calls.isEmpty)
        }
        #expect(dialled.addresses == ["198.41.0.4"], "the second and the third answer are not dialled")
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

    /// Literals ask neither a hosts file nor a server, and still come through getaddrinfo(3), one for each family.
    @Test(arguments: ["127.0.0.1", "::1"]) func theSystemsResolverReadsBothFamilies(_ literal: String) async throws {
        let address = try #require(IPAddress(literal))
        #expect(try await NameResolver.system.addresses(literal) == [address])
    }

    /// A label of 64 bytes is no name (RFC 1035, section 2.3.4): it is refused before anybody is asked.
    @Test func whatCannotBeLookedUpIsAnError() async throws {
        let name = String(repeating: "x", count: 64) + ".invalid"
        await #expect(throws: WindfireError.self) { try await NameResolver.system.addresses(name) }
    }
}
