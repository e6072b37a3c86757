import GRPCCore

/// The server's door: runs before a call's messages are read, so that a caller without the secret costs one hash and
/// learns nothing, not even whether the method exists in this form.
struct SecretCheckingInterceptor: ServerInterceptor {
    let secret: SharedSecret

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>,
        context: ServerContext,
        next:
            @Sendable (StreamingServerRequest<Input>, ServerContext) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        var presented = request.metadata[stringValues: SharedSecret.metadataKey].makeIterator()
        // Exactly one value: with two, somebody between could decide which one counts.
        guard let credentials = presented.next(), presented.next() == nil, secret.matches(credentials) else {
            throw RPCError(code: .unauthenticated, message: "the shared secret is missing or wrong")
        }
        return try await next(request, context)
    }
}

/// The client's side of the same: every call carries the secret.
struct SecretAttachingInterceptor: ClientInterceptor {
    let secret: SharedSecret

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingClientRequest<Input>,
        context: ClientContext,
        next: (StreamingClientRequest<Input>, ClientContext) async throws -> StreamingClientResponse<Output>
    ) async throws -> StreamingClientResponse<Output> {
        var request = request
        request.metadata.replaceOrAddString(secret.credentials, forKey: SharedSecret.metadataKey)
        return try await next(request, context)
    }
}
