import TestKit
import Testing

@testable import PushClient

/// Topics, against a server that does what the test says.
@Suite(.timeLimit(.minutes(1))) struct TopicsTests {
    private let epoch = "00061f0000000000"

    private func client(
        _ node: FakeNode, _ change: (inout PushClient.Configuration) -> Void = { _ in }
    ) -> PushClient {
        var configuration = PushClient.Configuration(login: .provider { node.assignment() })
        change(&configuration)
        return PushClient(configuration: configuration)
    }

    /// Connects and is welcomed.
    private func welcome(_ node: FakeNode) async throws -> FakeConnection {
        let connection = try #require(await node.connections.next())
        let hello = try #require(await connection.nextText())
        #expect(hello.hasPrefix(#"{"op":"hello","token":"#))
        connection.welcome(node)
        return connection
    }

    private func connected(_ client: PushClient) async {
        for await state in client.states { if case .connected = state { return } }
    }

    private func message(_ id: String, at offset: Int) -> String {
        #"{"op":"message","topic":"room/1","id":"\#(id)","data":1,"ts":1,"position":"\#(offset)-\#(epoch)","ack":false}"#
    }

    @Test func `a reconnect goes on where the messages ended, and shows nothing twice`() async throws {
        let node = try await FakeNode.start()
        let client = client(node)
        try await client.subscribe(to: "room/1")
        await client.start()
        var messages = client.messages.makeAsyncIterator()

        var connection = try await welcome(node)
        #expect(await connection.nextText() == #"{"op":"subscribe","topic":"room/1","ref":1}"#)
        connection.send(#"{"op":"ok","ref":1,"position":"40-\#(epoch)"}"#)
        connection.send(message("a", at: 41))
        // Of another publisher, and on its way while 42 is not there yet.
        connection.send(message("c", at: 43))
        let first = try #require(await messages.next())
        #expect(first.topic == "room/1")
        #expect(first.position == "41-\(epoch)")
        #expect(await messages.next()?.id == "c")
        connection.cut()

        connection = try await welcome(node)
        #expect(
            await connection.nextText() == #"{"op":"subscribe","topic":"room/1","since":"41-\#(epoch)","ref":2}"#)
        connection.send(#"{"op":"ok","ref":2}"#)
        for (id, offset) in [("b", 42), ("c", 43), ("d", 44)] { connection.send(message(id, at: offset)) }
        #expect(await messages.next()?.id == "b")
        #expect(await messages.next()?.id == "d")
        let subscription = await client.subscription(to: "room/1")
        #expect(subscription?.isStanding == true)
        #expect(subscription?.position == "44-\(epoch)")
        #expect(subscription?.missed == 0)
        await client.close()
        #expect(await client.subscription(to: "room/1")?.isStanding == false)
    }

    @Test func `a lost connection whose answers were lost is no loss`() async throws {
        let node = try await FakeNode.start()
        let client = client(node)
        await client.start()
        let first = try await welcome(node)
        await connected(client)
        let waiting = Task { try await client.subscribe(to: "room/1", since: "7-\(epoch)") }
        let said = #"{"op":"subscribe","topic":"room/1","since":"7-\#(epoch)""#
        #expect(await first.nextText() == said + #","ref":1}"#)
        first.cut()
        // Noted, and said with the next welcome.
        try await waiting.value
        let second = try await welcome(node)
        #expect(await second.nextText() == said + #","ref":2}"#)
        await client.close()
    }

    @Test func `a call returns with the answer, and a final refusal throws its code`() async throws {
        let node = try await FakeNode.start()
        let client = client(node)
        await client.start()
        let connection = try await welcome(node)
        await connected(client)
        var notices = client.topicNotices.makeAsyncIterator()

        let good = Task { try await client.subscribe(to: "room/+") }
        #expect(await connection.nextText() == #"{"op":"subscribe","topic":"room/+","ref":1}"#)
        connection.send(#"{"op":"ok","ref":1}"#)
        try await good.value
        #expect(await notices.next() == .subscribed(topic: "room/+"))
        // It stands already.
        try await client.subscribe(to: "room/+")

        let bad = Task { try await client.subscribe(to: "secret") }
        #expect(await connection.nextText() == #"{"op":"subscribe","topic":"secret","ref":2}"#)
        connection.send(#"{"op":"error","ref":2,"code":"forbidden","message":"no"}"#)
        let error = await #expect(throws: PushClientError.self) { try await bad.value }
        #expect(error?.kind == .refused)
        #expect(error?.code == "forbidden")
        #expect(await notices.next() == .refused(topic: "secret", code: "forbidden", message: "no"))
        #expect(await client.subscription(to: "secret")?.refusal == "forbidden")

        // An older server.
        let old = Task { try await client.subscribe(to: "room/1") }
        _ = await connection.nextText()
        connection.send(#"{"op":"error","ref":3,"code":"unknown_op","message":""}"#)
        let unknown = await #expect(throws: PushClientError.self) { try await old.value }
        #expect(unknown?.code == "unknown_op")
        #expect(await notices.next() == .refused(topic: "room/1", code: "unknown_op", message: ""))
        await client.close()
        #expect(await notices.next() == nil)
    }

    @Test func `a server that cannot take it now is asked again, and the call waits`() async throws {
        let node = try await FakeNode.start()
        let client = client(node)
        await client.start()
        let connection = try await welcome(node)
        await connected(client)
        let waiting = Task { try await client.subscribe(to: "room/1") }
        _ = await connection.nextText()
        connection.send(#"{"op":"error","ref":1,"code":"overloaded","message":""}"#)
        #expect(await connection.nextText() == #"{"op":"subscribe","topic":"room/1","ref":2}"#)
        connection.send(#"{"op":"ok","ref":2}"#)
        try await waiting.value
        #expect(await client.subscription(to: "room/1")?.isStanding == true)
        await client.close()
    }

    @Test func `a call without an answer times out, and the subscription stays noted`() async throws {
        let node = try await FakeNode.start()
        let client = client(node) { $0.requestTimeout = .milliseconds(50) }
        await client.start()
        let connection = try await welcome(node)
        await connected(client)
        let error = await #expect(throws: PushClientError.self) { try await client.subscribe(to: "room/1") }
        #expect(error?.kind == .timedOut)
        _ = await connection.nextText()
        connection.send(#"{"op":"ok","ref":1}"#)
        try await eventually("it stands") { await client.subscription(to: "room/1")?.isStanding == true }
        await client.close()
    }

    @Test func `a move takes the subscriptions along`() async throws {
        let old = try await FakeNode.start("old")
        let new = try await FakeNode.start("new")
        let client = client(old)
        try await client.subscribe(to: "room/1", since: "9-\(epoch)")
        await client.start()
        var messages = client.messages.makeAsyncIterator()
        let first = try await welcome(old)
        _ = await first.nextText()
        first.send(#"{"op":"ok","ref":1}"#)
        first.send(
            #"{"op":"move","after_ms":10,"node":{"id":"new","endpoints":{"ws":"\#(new.node.url)"}},"reason":"drain"}"#)
        let second = try #require(await new.connections.next())
        _ = await second.nextText()
        first.send(message("a", at: 10))
        #expect(await messages.next()?.id == "a")
        second.welcome(new)
        #expect(await second.nextText() == #"{"op":"subscribe","topic":"room/1","since":"10-\#(epoch)","ref":2}"#)
        second.send(#"{"op":"ok","ref":2}"#)
        second.send(message("a", at: 10))
        second.send(message("b", at: 11))
        #expect(await messages.next()?.id == "b")
        #expect(await first.closes.next() == 1000)
        await client.close()
    }

    @Test func `a batch comes as single messages in order, and what was left out is counted`() async throws {
        let node = try await FakeNode.start()
        let client = client(node)
        try await client.subscribe(to: "room/1")
        await client.start()
        let connection = try await welcome(node)
        _ = await connection.nextText()
        connection.send(#"{"op":"ok","ref":1,"position":"40-\#(epoch)"}"#)
        let one = #"{"id":"a","data":{"x":1},"ts":5,"position":"42-\#(epoch)"}"#
        let two = #"{"id":"b","data":2,"ts":6,"from":"bob","position":"43-\#(epoch)"}"#
        connection.send(#"{"op":"batch","topic":"room/1","left_out":1,"messages":[\#(one),\#(two)]}"#)
        var messages = client.messages.makeAsyncIterator()
        let first = try #require(await messages.next())
        #expect(first.id == "a")
        #expect(String(decoding: first.data, as: UTF8.self) == #"{"x":1}"#)
        let second = try #require(await messages.next())
        #expect(second.id == "b")
        #expect(second.from == "bob")
        #expect(second.topic == "room/1")
        let subscription = await client.subscription(to: "room/1")
        #expect(subscription?.leftOut == 1)
        #expect(subscription?.position == "43-\(epoch)")
        await client.close()
    }

    @Test func `a gap is told, and added to the subscription`() async throws {
        let node = try await FakeNode.start()
        let client = client(node)
        try await client.subscribe(to: "room/1", since: "9-\(epoch)")
        var notices = client.topicNotices.makeAsyncIterator()
        await client.start()
        let connection = try await welcome(node)
        _ = await connection.nextText()
        connection.send(#"{"op":"ok","ref":1}"#)
        connection.send(#"{"op":"gap","topic":"room/1","missed":12,"reason":"trimmed"}"#)
        connection.send(message("a", at: 22))
        #expect(await notices.next() == .subscribed(topic: "room/1"))
        #expect(await notices.next() == .gap(topic: "room/1", missed: 12, reason: "trimmed"))
        var messages = client.messages.makeAsyncIterator()
        #expect(await messages.next()?.id == "a")
        let subscription = await client.subscription(to: "room/1")
        #expect(subscription?.missed == 12)
        #expect(subscription?.position == "22-\(epoch)")
        #expect(await client.missedMessages == 0)
        await client.close()
    }

    @Test func `unsubscribing waits for the server, and a reconnect does not bring it back`() async throws {
        let node = try await FakeNode.start()
        let client = client(node)
        try await client.subscribe(to: "room/1")
        try await client.subscribe(to: "room/2")
        await client.start()
        var connection = try await welcome(node)
        for ref in 1...2 {
            _ = await connection.nextText()
            connection.send(#"{"op":"ok","ref":\#(ref)}"#)
        }
        try await eventually("both stand") { await client.subscription(to: "room/2")?.isStanding == true }
        let leaving = Task { try await client.unsubscribe(from: "room/1") }
        #expect(await connection.nextText() == #"{"op":"unsubscribe","topic":"room/1","ref":3}"#)
        connection.send(#"{"op":"ok","ref":3}"#)
        try await leaving.value
        #expect(await client.subscription(to: "room/1") == nil)
        try await client.unsubscribe(from: "room/1")
        connection.cut()
        connection = try await welcome(node)
        #expect(await connection.nextText() == #"{"op":"subscribe","topic":"room/2","ref":4}"#)
        await client.close()
    }

    @Test func `messages of topics are not acknowledged, and do not displace what is`() async throws {
        let node = try await FakeNode.start()
        let client = client(node)
        await client.start()
        var messages = client.messages.makeAsyncIterator()
        var connection = try await welcome(node)
        connection.message("1-0", acknowledge: true)
        connection.send(message("a", at: 1))
        let stored = try #require(await messages.next())
        let live = try #require(await messages.next())
        connection.cut()
        connection = try #require(await node.connections.next())
        _ = await connection.nextText()
        await client.acknowledge(stored)
        await client.acknowledge(live)
        connection.welcome(node)
        #expect(await connection.nextText() == #"{"op":"ack","id":"1-0"}"#)
        await client.close()
    }

    @Test func `a publish tells how many it reached`() async throws {
        let node = try await FakeNode.start()
        let client = client(node)
        await client.start()
        let connection = try await welcome(node)
        await connected(client)
        async let delivered = client.publish(Array(#"{"x":1}"#.utf8), to: "room/1")
        #expect(await connection.nextText() == #"{"op":"publish","topic":"room/1","data":{"x":1},"ref":1}"#)
        connection.send(#"{"op":"ok","ref":1,"delivered":2}"#)
        #expect(try await delivered == 2)
        for (data, topic) in [("1,2", "room/1"), ("1", "room/#"), ("1", "")] {
            let error = await #expect(throws: PushClientError.self) {
                try await client.publish(Array(data.utf8), to: topic)
            }
            #expect(error?.kind == .invalidInput)
        }
        await client.close()
    }

    @Test func `what can never be a subscription is refused at once`() async throws {
        let node = try await FakeNode.start()
        let client = client(node)
        let bad: [(String, String?)] = [
            ("", nil), ("a/#/b", nil), ("a\u{0}", nil), ("room/1", "41"), ("room/#", "1-\(epoch)"),
            (String(repeating: "x", count: 257), nil),
        ]
        for (topic, since) in bad {
            let error = await #expect(throws: PushClientError.self) {
                try await client.subscribe(to: topic, since: since)
            }
            #expect(error?.kind == .invalidInput, "\(topic)")
        }
        for number in 0..<Subscriptions.countMax { try await client.subscribe(to: "t/\(number)") }
        let error = await #expect(throws: PushClientError.self) { try await client.subscribe(to: "room/1") }
        #expect(error?.kind == .invalidInput)
        await client.close()
        let closed = await #expect(throws: PushClientError.self) { try await client.subscribe(to: "t/1") }
        #expect(closed?.kind == .notConnected)
    }
}
