import AsyncHTTPClient
import Common
import NIOCore

/// Makes one call, and says what came of it.
struct WebhookCaller: Sendable {
    let address: WebhookAddress
    let secret: String
    let timeout: Duration
    let answerBytesMax: Int
    let client: PinnedClient
    /// Unix seconds.
    let clock: @Sendable () -> Int64

    /// What the guard of the body throws: the call was not made.
    struct Withdrawn: Error {}

    /// - Parameter guardian: looked at when the connection is open; throws `Withdrawn` when the batch no longer holds.
    /// - Returns: nil when the batch was withdrawn.
    func call(
        _ batch: WebhookBatch, unless guardian: (@Sendable () async throws -> Void)?
    ) async -> WebhookVerdict? {
        await withTaskGroup(of: Optional<WebhookVerdict>.self) { group in
            group.addTask { await attempt(batch, guardian) }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return .again(reason: "timeout", after: nil)
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private func attempt(
        _ batch: WebhookBatch, _ guardian: (@Sendable () async throws -> Void)?
    ) async -> WebhookVerdict? {
        do {
            switch try await client.client() {
            case .refuse(let reason):
                // Tried again: DNS is mended, and a rebinding owner gets no other answer by waiting.
                return .again(reason: reason, after: nil)
            case .call(let client):
                let response = try await client.execute(request(batch, guardian), timeout: TimeAmount(timeout))
                await readOut(response.body)
                return WebhookVerdict(
                    status: Int(response.status.code), retryAfter: response.headers.first(name: "retry-after"),
                    unixSeconds: clock())
            }
        } catch is Withdrawn {
            return nil
        } catch let error as WindfireError {
            return .again(reason: error.code.name, after: nil)
        } catch {
            // Also when the time for the call was over, and it was cancelled.
            await client.wasSilent()
            let error = error as? HTTPClientError
            let isLate = error == .connectTimeout || error == .deadlineExceeded
            return .again(reason: isLate ? "timeout" : "no_answer", after: nil)
        }
    }

    private func request(
        _ batch: WebhookBatch, _ guardian: (@Sendable () async throws -> Void)?
    ) -> HTTPClientRequest {
        let body = batch.body
        var request = HTTPClientRequest(url: address.url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "user-agent", value: "windfire")
        request.headers.add(name: "windfire-event-id", value: batch.id.description)
        request.headers.add(
            name: WebhookSignature.header,
            value: WebhookSignature.value(body: body, unixSeconds: clock(), secret: secret))
        if let guardian {
            request.body = .stream(GuardedBody(bytes: body, check: guardian), length: .known(Int64(body.count)))
        } else {
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        return request
    }

    /// Read to its end a small body leaves the connection usable; of a large one the rest is not waited for, and the
    /// connection closes. Whatever it says, the status has decided.
    private func readOut(_ body: HTTPClientResponse.Body) async {
        var count = 0
        do {
            for try await part in body {
                count += part.readableBytes
                if count > answerBytesMax { return }
            }
        } catch {}
    }
}
