/// A node's figures that change often: written to the route store every 2 s (`wf:load`), never to the registry.
package struct NodeLoad: Hashable, Sendable, Codable {
    package let incarnation: Incarnation
    /// Authenticated sessions.
    package let online: Int
    /// Of one core per event loop, 0…1.
    package let cpu: Double
    /// Worst lateness of a loop's clock tick since the last report.
    package let loopLagMilliseconds: Double
    /// Unix time of the report, in ms.
    package let at: UInt64

    package init(incarnation: Incarnation, online: Int, cpu: Double, loopLagMilliseconds: Double, at: UInt64) {
        self.incarnation = incarnation
        self.online = online
        self.cpu = cpu
        self.loopLagMilliseconds = loopLagMilliseconds
        self.at = at
    }

    enum CodingKeys: String, CodingKey {
        case incarnation, online, cpu
        case loopLagMilliseconds = "loop_lag_ms"
        case at
    }
}
