import TestKit

/// Many devices at once, each with a token of its own, each on the node it was given.
enum Swarm {
    /// How many log in at the same time.
    private static let concurrency = 48

    /// - Returns: the devices, all welcomed, in the order of their names.
    static func connect(_ clients: [String], to cluster: WindfireCluster) async throws -> [SwarmDevice] {
        try await withThrowingTaskGroup(of: (Int, SwarmDevice).self) { group in
            var next = 0
            func addOne() {
                guard next < clients.count else { return }
                let index = next
                next += 1
                group.addTask { (index, try await cluster.connect(clients[index])) }
            }
            for _ in 0..<concurrency { addOne() }
            var devices = [SwarmDevice?](repeating: nil, count: clients.count)
            for try await (index, device) in group {
                devices[index] = device
                addOne()
            }
            return devices.compactMap(\.self)
        }
    }
}

extension WindfireCluster {
    /// One device: token, dial, welcome.
    /// - Parameter node: where to dial; the node that the token names when nil.
    func connect(_ client: String, device: String = "default", node: String? = nil) async throws -> SwarmDevice {
        let grant = try await token(client, device: device)
        let nodes = [grant.node] + grant.alternatives
        guard let url = nodes.first(where: { $0.id == node ?? grant.node.id })?.endpoints.ws else {
            throw ChildProcessFailure("\(node ?? "the node") is not among \(nodes.map(\.id))")
        }
        return try await SwarmDevice.connect(client, token: grant.token, to: url)
    }
}
