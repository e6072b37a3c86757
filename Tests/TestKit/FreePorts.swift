import Foundation

/// Loopback ports for the servers that tests start.
///
/// A port is reserved by a lock on a file named after it, held until this process ends, and looked at with `bind`. So
/// two tests never get the same port, neither in one process nor in test processes side by side. The range lies below
/// the kernel's ephemeral ports (32768 and up): otherwise one of the thousands of outgoing connections of some test
/// could take a port between its reservation and the server's `bind`.
package enum FreePorts {
    /// `WINDFIRE_TEST_PORTS=22000-22999` narrows the range.
    static let range: ClosedRange<Int> = {
        let parts = (ProcessInfo.processInfo.environment["WINDFIRE_TEST_PORTS"] ?? "").split(separator: "-")
            .compactMap { Int($0) }
        guard parts.count == 2, parts[0] <= parts[1], parts[0] > 1023, parts[1] < 65536 else { return 14000...19999 }
        return parts[0]...parts[1]
    }()

    /// One port, free and ours until the process ends.
    package static func one() throws -> Int { try reserve(1)[0] }

    /// Distinct ports, in no order.
    package static func reserve(_ count: Int) throws -> [Int] {
        try (0..<count).map { _ in try base(offsets: [0]) }
    }

    /// A port such that it plus each of `offsets` is free and ours: `base(offsets: [0, 100, 200])`.
    package static func base(offsets: [Int]) throws -> Int {
        guard let reach = offsets.max(), range.count > reach else { throw NoFreePort(range: range) }
        let last = range.upperBound - reach
        let start = Int.random(in: range.lowerBound...last)
        for candidate in Array(start...last) + Array(range.lowerBound..<start) {
            var locks: [Int32] = []
            for offset in offsets {
                guard let lock = lock(candidate + offset) else { break }
                locks.append(lock)
            }
            // A lock that is kept is never closed: the descriptor lives as long as the process does.
            if locks.count == offsets.count { return candidate }
            for lock in locks { close(lock) }
        }
        throw NoFreePort(range: range)
    }

    package struct NoFreePort: Error, CustomStringConvertible {
        let range: ClosedRange<Int>
        package var description: String { "no free port in \(range)" }
    }

    /// The descriptor that holds the port, or nil when somebody else has it.
    private static func lock(_ port: Int) -> Int32? {
        let folder = "\(NSTemporaryDirectory())windfire-test-ports"
        mkdir(folder, 0o777)
        let file = open("\(folder)/\(port)", O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
        guard file >= 0 else { return nil }
        guard flock(file, LOCK_EX | LOCK_NB) == 0, isFree(port) else {
            close(file)
            return nil
        }
        return file
    }

    /// Whether nobody listens there. `SO_REUSEADDR` looks past connections in TIME_WAIT, as servers do.
    private static func isFree(_ port: Int) -> Bool {
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        var reuse: Int32 = 1
        setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        // Any address, not only loopback: a server on 127.0.0.12 must find it free as well.
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
