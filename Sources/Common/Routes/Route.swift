/// Where one device of a client is connected: a node's life, the connection on it, and the claim's place in time.
package struct Route: Hashable, Sendable {
    package let device: DeviceID
    package let incarnation: Incarnation
    package let session: SessionID
    package let epoch: Epoch

    package init(device: DeviceID, incarnation: Incarnation, session: SessionID, epoch: Epoch) {
        self.device = device
        self.incarnation = incarnation
        self.session = session
        self.epoch = epoch
    }
}

/// A route together with whose it is.
package struct ClientRoute: Hashable, Sendable {
    package let client: ClientID
    package let route: Route

    package init(client: ClientID, route: Route) {
        self.client = client
        self.route = route
    }
}
