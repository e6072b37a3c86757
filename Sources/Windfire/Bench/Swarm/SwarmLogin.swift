import AsyncHTTPClient
import Foundation
import Histogram
import NIOCore
import NIOPosix
import PushClient

/// Logs the devices of a helper in: token, dial, welcome; so many at once, each refusal tried again.
struct SwarmLogin: Sendable {
    static let attemptsMax = 60

    let options: BenchSwarmCommand
    let loop: any EventLoop
    let tally: NIOLoopBound<SwarmTally>

    /// Devices, refusals and times.
    struct Times: Sendable {
        var refusals = 0
        var tokens = Histogram<UInt64>.microseconds
        var dials = Histogram<UInt64>.microseconds
        var logins = Histogram<UInt64>.microseconds

        mutating func add(_ other: Times) {
            refusals += other.refusals
            tokens.add(other.tokens)
            dials.add(other.dials)
            logins.add(other.logins)
        }
    }

    func all() async throws -> SwarmLogins {
        let times = try await withThrowingTaskGroup(of: Times.self) { group in
            let workers = min(options.concurrency, options.count)
            for worker in 0..<workers {
                group.addTask {
                    var times = Times()
                    for device in stride(from: worker, to: options.count, by: workers) {
                        try await logIn(device, &times)
                    }
                    return times
                }
            }
            var all = Times()
            for try await times in group { all.add(times) }
            return all
        }
        return SwarmLogins(
            devices: options.count, refusals: times.refusals, tokens: times.tokens.sparse, dials: times.dials.sparse,
            logins: times.logins.sparse)
    }

    private func logIn(_ device: Int, _ times: inout Times) async throws {
        var attempt = 0
        while true {
            attempt += 1
            do {
                let start = NIODeadline.now()
                let assignment = try await token(device)
                let dialled = NIODeadline.now()
                try await dial(device, assignment)
                let end = NIODeadline.now()
                times.tokens.record(nanoseconds: UInt64((dialled - start).nanoseconds))
                times.dials.record(nanoseconds: UInt64((end - dialled).nanoseconds))
                times.logins.record(nanoseconds: UInt64((end - start).nanoseconds))
                return
            } catch {
                times.refusals += 1
                guard attempt < Self.attemptsMax else {
                    throw CommandFailure("device \(device) was refused \(attempt) times, last: \(error)")
                }
                // Spread, so that the refused do not come back together.
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...1_000)))
            }
        }
    }

    private func token(_ device: Int) async throws -> PushClient.Assignment {
        var request = HTTPClientRequest(url: options.auth + "/v1/token")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        let client = options.prefix + String(options.first + device)
        let body = ["client": client, "device": "bench", "secret": options.secret]
        request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let answer = Data(try await response.body.collect(upTo: 64 << 10).readableBytesView)
        guard response.status == .ok else { throw CommandFailure("token: HTTP status \(response.status.code)") }
        return try PushClient.Assignment(json: answer)
    }

    private func dial(_ device: Int, _ assignment: PushClient.Assignment) async throws {
        guard let url = URLComponents(string: assignment.node.url), url.scheme == "ws", let host = url.host,
            let port = url.port
        else { throw CommandFailure("the bench dials ws:// addresses with a port only") }
        let target = url.percentEncodedPath.isEmpty ? "/" : url.percentEncodedPath
        let opening = ByteBuffer(
            string: """
                GET \(target) HTTP/1.1\r
                Host: \(host):\(port)\r
                Connection: Upgrade\r
                Upgrade: websocket\r
                Sec-WebSocket-Version: 13\r
                Sec-WebSocket-Key: d2luZGZpcmUtYmVuY2gtMQ==\r
                Sec-WebSocket-Protocol: windfire.v1\r
                \r

                """)
        // The token's text is base64 and dots (RFC 7515, section 7.1): it needs no escapes.
        let hello = #"{"op":"hello","token":"\#(assignment.token)","device":"bench"}"#
        let welcomed = loop.makePromise(of: Void.self)
        // A server that accepts and says nothing; completing a promise again changes nothing.
        let timeout = loop.scheduleTask(in: .seconds(30)) { welcomed.fail(CommandFailure("no welcome within 30 s")) }
        defer { timeout.cancel() }
        let address = 2 + (options.first + device) % options.sourceAddresses
        let source = try SocketAddress(ipAddress: "127.0.0.\(address)", port: 0)
        do {
            _ = try await ClientBootstrap(group: loop)
                .connectTimeout(.seconds(30))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                // The port is chosen at connect, by the pair of addresses: else 28,000 would be the end for all nodes
                // together (ip(7), IP_BIND_ADDRESS_NO_PORT).
                .channelOption(.ipOption(.init(rawValue: Self.bindAddressNoPort)), value: 1)
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2_048))
                .bind(to: source)
                .channelInitializer { [tally] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            DeviceHandler(
                                device: device, acknowledges: options.acknowledge, opening: opening, hello: hello,
                                tally: tally.value, welcomed: welcomed))
                    }
                }
                .connect(host: host, port: port).get()
        } catch {
            welcomed.fail(error)
        }
        try await welcomed.futureResult.get()
    }

    /// `IP_BIND_ADDRESS_NO_PORT` of linux/in.h, which Glibc's module does not show.
    private static let bindAddressNoPort: CInt = 24
}
