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
