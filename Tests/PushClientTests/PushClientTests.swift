import Testing

@testable import PushClient

/// The client against a server that does what the test says.
@Suite(.timeLimit(.minutes(1))) struct PushClientTests {
    private func client(
        _ login: @escaping @Sendable () async throws -> PushClient.Assignment,
        _ change: (inout PushClient.Configuration) -> Void = { _ in }
    ) -> PushClient {
        var configuration = PushClient.Configuration(login: .provider(login))
        change(&configuration)
        return PushClient(configuration: configuration)
    }

    /// Connects and says hello; the welcome is the test's.
    private func accept(_ node: FakeNode) async throws -> FakeConnection {
        let connection = try #require(await node.connections.next())
        let hello = try #require(await connection.nextText())
        #expect(hello.hasPrefix(#"{"op":"hello","token":"#))
        return connection
    }

    private func reached(_ client: PushClient, _ isIt: (PushClient.State) -> Bool) async -> PushClient.State? {
        for await state in client.states where isIt(state) { return state }
        return nil
    }

    private func isConnected(_ state: PushClient.State) -> Bool { if case .connected = state { true } else { false } }

    @Test func `it says hello in the subprotocol, and is connected when welcomed`() async throws {
        let node = try await FakeNode.start()
        let client = client { node.assignment("secret-token") }
        #expect(client.state == .idle)
        await client.start()
        let connection = try #require(await node.connections.next())
        #expect(connection.subprotocol == "windfire.v1")
        #expect(connection.target == "/v1/connect")
        #expect(await connection.nextText() == #"{"op":"hello","token":"secret-token"}"#)
        #expect(client.state == .connecting)
        connection.welcome(node)
        #expect(await reached(client, isConnected) == .connected(node: "n1"))
        await client.close()
        #expect(await connection.closes.next() == 1000)
        #expect(client.state == .closed(.closedByUser))
    }

    @Test func `messages come in order, each once, also over a reconnect, and acknowledgements go back`() async throws {
        let node = try await FakeNode.start()
        let client = client { node.assignment() }
        await client.start()
        var messages = client.messages.makeAsyncIterator()

        var connection = try await accept(node)
        connection.welcome(node)
        connection.message("1-0", #"{"hi":1}"#, acknowledge: true)
        connection.message("2-0", acknowledge: true)
        let first = try #require(await messages.next())
        #expect(String(decoding: first.data, as: UTF8.self) == #"{"hi":1}"#)
        #expect(first.wantsAcknowledgement)
        await client.acknowledge(first)
        #expect(await connection.nextText() == #"{"op":"ack","id":"1-0"}"#)
        #expect(await messages.next()?.id == "2-0")
        connection.cut()

        connection = try await accept(node)
        await client.acknowledge(upTo: "2-0")
        connection.welcome(node)
        #expect(await connection.nextText() == #"{"op":"ack","id":"2-0"}"#)
        connection.message("2-0", acknowledge: true)
        connection.message("3-0")
        #expect(await messages.next()?.id == "3-0")
        await client.close()
        #expect(await messages.next() == nil)
    }

    @Test func `pings of the server are answered with their bytes`() async throws {
        let node = try await FakeNode.start()
        let client = client { node.assignment() }
        await client.start()
        let connection = try await accept(node)
        connection.ping()
        #expect(await connection.nextText() == "pong:beat")
        await client.close()
    }

    @Test func `send and ping wait for their answers`() async throws {
        let node = try await FakeNode.start()
        let client = client { node.assignment() }
        await client.start()
        let connection = try await accept(node)
        connection.welcome(node)
        _ = await reached(client, isConnected)

        async let delivered = client.send(to: "bob", data: Array(#"{"x":1}"#.utf8))
        #expect(await connection.nextText() == #"{"op":"send","to":"bob","data":{"x":1},"ref":1}"#)
        connection.send(#"{"op":"ok","ref":1,"delivered":2}"#)
        #expect(try await delivered == 2)

        let refused = Task { try await client.send(to: "eve", data: Array("1".utf8)) }
        _ = await connection.nextText()
        connection.send(#"{"op":"error","ref":2,"code":"forbidden","message":"no"}"#)
        let error = await #expect(throws: PushClientError.self) { try await refused.value }
        #expect(error?.code == "forbidden")

        async let time = client.ping()
        #expect(await connection.nextText() == #"{"op":"ping"}"#)
        connection.send(#"{"op":"pong"}"#)
        #expect(try await time > .zero)

        let invalid = await #expect(throws: PushClientError.self) {
            try await client.send(to: "bob", data: Array(#"1,"op":"ack""#.utf8))
        }
        #expect(invalid?.kind == .invalidInput)
        await client.close()
        let closed = await #expect(throws: PushClientError.self) { try await client.send(to: "bob", data: [0x31]) }
        #expect(closed?.kind == .notConnected)
    }

    @Test func `a request under way fails with its connection`() async throws {
        let node = try await FakeNode.start()
        let client = client { node.assignment() }
        await client.start()
        let connection = try await accept(node)
        connection.welcome(node)
        _ = await reached(client, isConnected)
        let answer = Task { try await client.send(to: "bob", data: [0x31]) }
        _ = await connection.nextText()
        connection.cut()
        let error = await #expect(throws: PushClientError.self) { try await answer.value }
        #expect(error?.kind == .notConnected)
        await client.close()
    }

    @Test func `a request without an answer times out`() async throws {
        let node = try await FakeNode.start()
        let client = client({ node.assignment() }) { $0.requestTimeout = .milliseconds(50) }
        await client.start()
        let connection = try await accept(node)
        connection.welcome(node)
        _ = await reached(client, isConnected)
        let error = await #expect(throws: PushClientError.self) { try await client.ping() }
        #expect(error?.kind == .timedOut)
        await client.close()
    }

    @Test func `a server that wants it back gets it back, one that does not is left alone`() async throws {
        let node = try await FakeNode.start()
        let client = client { node.assignment() }
        await client.start()
        var connection = try await accept(node)
        connection.welcome(node)
        connection.close(4010)
        connection = try await accept(node)
        connection.welcome(node)
        connection.send(#"{"op":"error","code":"replaced","message":"elsewhere","reconnect":"never"}"#)
        // A subscription that a new token does not allow: no reason of a close.
        connection.send(#"{"op":"error","code":"forbidden","message":"the new token does not allow room/1"}"#)
        connection.close(4001)
        let closed = await reached(client) { if case .closed = $0 { true } else { false } }
        #expect(closed == .closed(.rejected(reason: "replaced", number: 4001, message: "elsewhere")))
        for await message in client.messages { Issue.record("unexpected \(message.id)") }
    }

    @Test func `a refused token is replaced by a new one`() async throws {
        let node = try await FakeNode.start()
        let tokens = Counter()
        let client = client { node.assignment("t\(tokens.next())") }
        await client.start()
        let connection = try #require(await node.connections.next())
        #expect(await connection.nextText() == #"{"op":"hello","token":"t1"}"#)
        connection.send(#"{"op":"error","code":"token_expired","message":"","reconnect":"new_token"}"#)
        connection.close(4006)
        let second = try #require(await node.connections.next())
        #expect(await second.nextText() == #"{"op":"hello","token":"t2"}"#)
        await client.close()
    }

    @Test func `a server that turns away after the welcome meets longer and longer waits`() async throws {
        let node = try await FakeNode.start()
        let client = client { node.assignment() }
        await client.start()
        var waits = 0
        for _ in 0..<5 {
            let connection = try await accept(node)
            connection.welcome(node)
            connection.close(4010)
            if case .waiting = await reached(client, { if case .waiting = $0 { true } else { false } }) { waits += 1 }
        }
        #expect(waits == 5)
        #expect(await client.machine.backoff.failures == 5)
        await client.close()
    }

    @Test func `a dead node and a full one give way to the alternative`() async throws {
        let dead = try await FakeNode.start("dead")
        try await dead.stop()
        let full = try await FakeNode.start("full", door: .refuse(.serviceUnavailable, retryAfter: "0"))
        let good = try await FakeNode.start("good")
        let client = client { dead.assignment(alternatives: [full, good]) }
        await client.start()
        let connection = try await accept(good)
        connection.welcome(good)
        #expect(await reached(client, isConnected) == .connected(node: "good"))
        await client.close()
    }

    @Test func `a node that accepts and stays silent is given up`() async throws {
        let silent = try await FakeNode.start("silent")
        let good = try await FakeNode.start("good")
        let client = client({ silent.assignment(alternatives: [good]) }) { $0.welcomeTimeout = .seconds(1) }
        await client.start()
        let first = try #require(await silent.connections.next())
        let connection = try await accept(good)
        connection.welcome(good)
        #expect(await first.closes.next() == 1006)
        #expect(await reached(client, isConnected) == .connected(node: "good"))
        await client.close()
    }

    @Test func `closed in the middle of the upgrade, it hangs up without a word`() async throws {
        let told = Inbox<String>()
        let node = try await FakeNode.start(door: .silent(told))
        let client = client { node.assignment() }
        await client.start()
        #expect(await told.next() == "asked")
        await client.close()
        #expect(await told.next() == "ended")
        #expect(client.state == .closed(.closedByUser))
    }

    @Test func `a server that falls silent is asked for a sign of life`() async throws {
        let node = try await FakeNode.start()
        let client = client { node.assignment() }
        await client.start()
        let connection = try await accept(node)
        connection.welcome(node, heartbeat: 0.1)
        #expect(await connection.nextText() == #"{"op":"ping"}"#)
        connection.send(#"{"op":"pong"}"#)
        #expect(await connection.nextText() == #"{"op":"ping"}"#)
        await client.close()
    }

    @Test func `a move changes nodes without a gap`() async throws {
        let old = try await FakeNode.start("old")
        let new = try await FakeNode.start("new")
        let client = client { old.assignment() }
        await client.start()
        var messages = client.messages.makeAsyncIterator()
        let first = try await accept(old)
        first.welcome(old)
        first.send(
            #"{"op":"move","after_ms":10,"node":{"id":"new","endpoints":{"ws":"\#(new.node.url)"}},"reason":"drain"}"#)
        let second = try await accept(new)
        first.message("1")
        #expect(await messages.next()?.id == "1")
        second.welcome(new)
        second.message("2")
        #expect(await messages.next()?.id == "2")
        #expect(await first.closes.next() == 1000)
        #expect(client.state == .connected(node: "new"))
        await client.close()
    }

    @Test func `an application that does not read stops the reading, and loses nothing`() async throws {
        let node = try await FakeNode.start()
        let client = client({ node.assignment() }) { $0.bufferedMessagesMax = 8 }
        await client.start()
        let connection = try await accept(node)
        connection.welcome(node)
        for id in 0..<2_000 { connection.message("\(id)", "\"\(String(repeating: "x", count: 1_000))\"") }
        var messages = client.messages.makeAsyncIterator()
        var pausedOnce = false
        for id in 0..<2_000 {
            let isPaused = await client.isReadingPaused
            pausedOnce = pausedOnce || isPaused
            #expect(await messages.next()?.id == "\(id)")
        }
        #expect(pausedOnce)
        await client.close()
    }

    @Test func `a token service that refuses closes the client`() async {
        let client = client { throw PushClientError(.refused, "", code: "unauthorized") }
        await client.start()
        #expect(
            await reached(client) { if case .closed = $0 { true } else { false } }
                == .closed(.tokenRefused(code: "unauthorized")))
    }

    @Test func `a client that is let go closes its connection`() async throws {
        let node = try await FakeNode.start()
        var connection: FakeConnection?
        do {
            let client = client { node.assignment() }
            await client.start()
            connection = try await accept(node)
        }
        #expect(await connection?.closes.next() == 1006)
    }
}
