import NIOCore
import NIOEmbedded
import Testing

@testable import RedisStore

/// One connection, with a channel and a clock in the test's hands.
@Suite struct RedisConnectionTests {
    private struct Line {
        let channel: NIOAsyncTestingChannel
        let connection: RedisConnection
    }

    private func connect(_ configuration: RedisConfiguration? = nil) async throws -> Line {
        let address = RedisAddress(host: "redis", port: 6379)
        let configuration = configuration ?? RedisConfiguration(topology: .single, addresses: [address])
        let channel = NIOAsyncTestingChannel()
        let connection = try await channel.testingEventLoop.executeInContext {
            try RedisConnection.attach(to: channel, address: address, configuration: configuration, tls: nil)
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 6379)).get()
        return Line(channel: channel, connection: connection)
    }

    @Test func commandsOfOneRequestLeaveInOneWriteAndRepliesFindTheirCaller() async throws {
        let line = try await connect()
        async let first = line.connection.execute([RedisCommand("ECHO", "a"), RedisCommand("ECHO", "b")])
        let wire = try await line.channel.waitForOutboundWrite(as: ByteBuffer.self)
        #expect(wire == ByteBuffer(string: "*2\r\n$4\r\nECHO\r\n$1\r\na\r\n*2\r\n$4\r\nECHO\r\n$1\r\nb\r\n"))
        async let second = line.connection.execute([RedisCommand("ECHO", "c")])
        _ = try await line.channel.waitForOutboundWrite(as: ByteBuffer.self)

        try await line.channel.writeInbound(ByteBuffer(string: "$1\r\na\r\n$1\r"))
        try await line.channel.writeInbound(ByteBuffer(string: "\nb\r\n$1\r\nc\r\n"))
        #expect(await first == [.success(.text("a")), .success(.text("b"))])
        #expect(await second == [.success(.text("c"))])
        await line.connection.close()
    }

    @Test func aCommandWithoutAReplyTimesOutAndTakesTheConnectionWithIt() async throws {
        let line = try await connect()
        async let replies = line.connection.execute([RedisCommand("ECHO", "a"), RedisCommand("ECHO", "b")])
        _ = try await line.channel.waitForOutboundWrite(as: ByteBuffer.self)
        try await line.channel.writeInbound(ByteBuffer(string: "$1\r\na\r\n"))
        await line.channel.testingEventLoop.advanceTime(by: .milliseconds(999))
        #expect(line.channel.isActive)
        await line.channel.testingEventLoop.advanceTime(by: .milliseconds(1))
        #expect(await replies == [.success(.text("a")), .failure(.timedOut)])
        #expect(!line.channel.isActive)
        let closed = RedisFailure.connectionLost("already closed")
        #expect(await line.connection.execute([RedisCommand("PING")]) == [.failure(closed)])
    }

    @Test func theEndOfTheConnectionFailsWhatWaits() async throws {
        let line = try await connect()
        async let replies = line.connection.execute([RedisCommand("PING")])
        _ = try await line.channel.waitForOutboundWrite(as: ByteBuffer.self)
        try await line.channel.close()
        let lost = RedisFailure.connectionLost("closed by the server")
        #expect(await replies == [.failure(lost)])
        #expect(await line.connection.execute([RedisCommand("PING")]).count == 1)
    }

    @Test func whatIsNotRESPEndsTheConnectionByName() async throws {
        let line = try await connect()
        async let replies = line.connection.execute([RedisCommand("PING")])
        _ = try await line.channel.waitForOutboundWrite(as: ByteBuffer.self)
        try await line.channel.writeInbound(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))
        guard case .failure(.malformedReply) = await replies[0] else {
            Issue.record("malformed")
            return
        }
        #expect(!line.channel.isActive)
    }

    @Test func signingInSendsUserPasswordAndDatabase() async throws {
        let configuration = try RedisConfiguration(url: "redis://ann:s%3Acret@redis/3")
        let line = try await connect(configuration)
        async let signedIn: Void = line.connection.signIn(configuration)
        let wire = try await line.channel.waitForOutboundWrite(as: ByteBuffer.self)
        let expected = [
            RedisCommand("AUTH", "ann", "s:cret"), RedisCommand("SELECT", "3"), RedisCommand("PING"),
        ]
        #expect(wire == expected.reduce(into: ByteBuffer()) { _ = $0.writeImmutableBuffer($1.wire) })
        try await line.channel.writeInbound(ByteBuffer(string: "+OK\r\n+OK\r\n+PONG\r\n"))
        try await signedIn
        await line.connection.close()
    }

    @Test(arguments: [
        (
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n-NOAUTH no\r\n",
            RedisFailure.refused("WRONGPASS invalid username-password pair or user is disabled.")
        ),
        ("+OK\r\n-LOADING Redis is loading the dataset in memory\r\n", nil),
        ("+OK\r\n-ERR max number of clients reached\r\n", .unreachable("ERR max number of clients reached")),
    ])
    func signingInSaysWhyItFails(_ answer: String, _ expected: RedisFailure?) async throws {
        let configuration = try RedisConfiguration(url: "redis://:secret@redis")
        let line = try await connect(configuration)
        async let outcome: RedisFailure? = {
            do throws(RedisFailure) {
                try await line.connection.signIn(configuration)
                return nil
            } catch {
                return error
            }
        }()
        _ = try await line.channel.waitForOutboundWrite(as: ByteBuffer.self)
        try await line.channel.writeInbound(ByteBuffer(string: answer))
        #expect(await outcome == expected)
        await line.connection.close()
    }
}
