import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// Gets tokens the way the configuration says.
final class TokenService: Sendable {
    /// An answer is about 2 KiB.
    private static let answerBytesMax = 64 << 10

    private let login: PushClient.Configuration.Login
    private let timeout: Duration
    private let client: HTTPClient

    init(_ configuration: PushClient.Configuration) {
        login = configuration.login
        timeout = configuration.requestTimeout
        var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
        // Coming back is the client's own to decide, and it wants to know why there was no connection.
        settings.connectionPool.retryConnectionEstablishment = false
        if let file = configuration.trustRootsFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(file)
            settings.tlsConfiguration = tls
        }
        client = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: settings)
    }

    deinit { client.shutdown { _ in } }

    func fetch() async throws(PushClientError) -> PushClient.Assignment {
        switch login {
        case .provider(let provide):
            do {
                return try await provide()
            } catch let error as PushClientError {
                throw error
            } catch {
                throw PushClientError(.unavailable, "the token provider failed")
            }
        case .secret(let service, let name, let device, let secret):
            return try await ask(service, client: name, device: device, secret: secret)
        }
    }

    private func ask(
        _ service: String, client name: String, device: String, secret: String
    ) async throws(PushClientError) -> PushClient.Assignment {
        let base = service.hasSuffix("/") ? String(service.dropLast()) : service
        var request = HTTPClientRequest(url: base + "/v1/token")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        let fields = [("client", name), ("device", device), ("secret", secret)]
        let body = fields.map { "\(ClientFrame.quoted($0)):\(ClientFrame.quoted($1))" }.joined(separator: ",")
        request.body = .bytes(ByteBuffer(string: "{\(body)}"))

        let status: Int
        let retryAfter: Duration?
        let answer: Data
        do {
            let response = try await client.execute(request, timeout: TimeAmount(timeout))
            status = Int(response.status.code)
            retryAfter = response.headers.first(name: "retry-after").flatMap(Int64.init).map {
                .seconds(min($0, 86_400))
            }
            answer = Data(try await response.body.collect(upTo: Self.answerBytesMax).readableBytesView)
        } catch {
            throw PushClientError(untrusted: error)
                ?? PushClientError(.unavailable, "the token service does not answer")
        }
        switch status {
        case 200: return try PushClient.Assignment(json: answer)
        case 400, 401, 403, 404:
            let problem = JSONFields([UInt8](answer))
            throw PushClientError(
                .refused, problem?.string("detail") ?? problem?.string("title") ?? "HTTP status \(status)",
                code: problem?.string("code") ?? "http_\(status)")
        default:
            throw PushClientError(
                .unavailable, "the token service answers HTTP status \(status)", retryAfter: retryAfter)
        }
    }
}
