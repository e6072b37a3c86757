import AsyncHTTPClient
import Common
import NIOCore

/// An HTTP client whose connections go to an address that was checked, and to no other.
///
/// DNS rebinding: whoever owns a name can answer the check with a public address and the call, a moment later, with
/// `127.0.0.1`. So the name is looked up here, once for each call; its addresses are checked; and the client is told to
/// connect to the one chosen (`dnsOverride`), so that no second look-up happens. Certificates are still checked for the
/// name. A connection that is kept open leads to the address that was checked when it was opened; when the name moves
/// away from it, the client with its connections is replaced.
actor PinnedClient {
    private let address: WebhookAddress
    private let allowsPrivate: Bool
    private let resolver: NameResolver
    private let route: AddressRoute
    private let connectTimeout: TimeAmount
    private var pinned: (address: IPAddress, client: HTTPClient)?
    private var isSilent = false

    enum Choice {
        case call(HTTPClient)
        case refuse(reason: String)
    }

    init(
        _ address: WebhookAddress, allowsPrivate: Bool, resolver: NameResolver, route: AddressRoute,
        connectTimeout: Duration
    ) {
        self.address = address
        self.allowsPrivate = allowsPrivate
        self.resolver = resolver
        self.route = route
        self.connectTimeout = TimeAmount(connectTimeout)
    }

    /// - Throws: `backend_unavailable` when the name cannot be looked up.
    func client() async throws(WindfireError) -> Choice {
        let found =
            if let literal = address.literal { [literal] } else { try await resolver.addresses(address.host) }
        let choice = AddressChoice(
            found, current: pinned?.address, isSilent: isSilent, allowsPrivate: allowsPrivate)
        isSilent = false
        switch choice {
        case .refuse(let reason):
            await close()
            return .refuse(reason: reason)
        case .call(let chosen):
            if let pinned, pinned.address == chosen { return .call(pinned.client) }
            await close()
            let client = make(chosen)
            pinned = (chosen, client)
            return .call(client)
        }
    }

    private func make(_ chosen: IPAddress) -> HTTPClient {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        if address.literal == nil { configuration.dnsOverride = [address.host: route.target(chosen).description] }
        configuration.timeout.connect = connectTimeout
        // One batch is under way at a time; it knows itself when to try again.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Nobody answered where the last call went: a name with several addresses may have a machine that is down.
    func wasSilent() { isSilent = true }

    func close() async {
        guard let client = pinned?.client else { return }
        pinned = nil
        try? await client.shutdown()
    }
}
