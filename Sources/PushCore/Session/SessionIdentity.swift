import Common

/// Who a session is, once it is one. Immutable and shared between the session, the tables and the tasks that serve it.
package final class SessionIdentity: Sendable, Equatable {
    package let client: ClientID
    package let bucket: Bucket
    package let route: Route
    package let generation: Generation
    package let permissions: SessionPermissions

    package init(client: ClientID, route: Route, generation: Generation, permissions: SessionPermissions) {
        self.client = client
        self.bucket = Bucket(of: client)
        self.route = route
        self.generation = generation
        self.permissions = permissions
    }

    /// A session without a token. It stands under the empty name, which no client can have: nothing can be sent to it
    /// by name, no route leads to it, and no revocation meets it.
    package static func anonymous(
        _ session: SessionID, on incarnation: Incarnation, permissions: SessionPermissions
    ) -> SessionIdentity {
        SessionIdentity(
            client: ClientID(unchecked: ""),
            route: Route(device: .default, incarnation: incarnation, session: session, epoch: .none),
            generation: .first, permissions: permissions)
    }

    package var isAnonymous: Bool { client.text.isEmpty }

    package var session: SessionID { route.session }
    package var entry: ClientRoute { ClientRoute(client: client, route: route) }

    /// The same session under the epoch that the store gave later.
    package func claimed(_ epoch: Epoch) -> SessionIdentity {
        SessionIdentity(
            client: client,
            route: Route(
                device: route.device, incarnation: route.incarnation, session: route.session, epoch: epoch),
            generation: generation, permissions: permissions)
    }

    /// The same session with what a newer token says.
    package func renewed(generation: Generation, permissions: SessionPermissions) -> SessionIdentity {
        SessionIdentity(client: client, route: route, generation: generation, permissions: permissions)
    }

    package static func == (left: SessionIdentity, right: SessionIdentity) -> Bool {
        left.client == right.client && left.route == right.route && left.generation == right.generation
            && left.permissions == right.permissions
    }
}
