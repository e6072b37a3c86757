import Common
import NIOCore
import PushCore

/// Who gets in: a pace for the node, a pace for each address, and a bound on open connections. Pure; kept by the
/// accepting loop. An address costs an entry only while it is over nothing: entries at rest are dropped.
struct Admission {
    enum Verdict: Equatable {
        case admit
        /// Come back after this time.
        case refuse(retryAfter: TimeAmount)
    }

    /// Addresses remembered at once: above that the table is swept, so that a flood of addresses cannot fill memory.
    static let addressesMax = 65_536

    private let nodePace: RateLimiter.Pace
    private let addressPace: RateLimiter.Pace
    private let connectionsMax: Int
    private var node = RateLimiter()
    private var addresses: [IPAddress: RateLimiter] = [:]

    init(limits: Limits, connectionsMax: Int) {
        nodePace = RateLimiter.Pace(perSecond: limits.acceptsPerSecondMax, burst: limits.acceptsBurstMax)
        addressPace = RateLimiter.Pace(
            perSecond: limits.connectsPerAddressPerSecondMax, burst: limits.connectsPerAddressBurstMax)
        self.connectionsMax = connectionsMax
    }

    /// - Parameters:
    ///   - address: nil for one that has no pace of its own, such as loopback.
    ///   - open: connections that are open now, with those still being opened.
    mutating func decide(address: IPAddress?, open: Int, now: NIODeadline) -> Verdict {
        guard open < connectionsMax else { return .refuse(retryAfter: .seconds(5)) }
        if let address {
            if addresses.count >= Self.addressesMax { sweep(now) }
            var limiter = addresses[address] ?? RateLimiter()
            if let wait = limiter.take(at: now, pace: addressPace) { return .refuse(retryAfter: wait) }
            addresses[address] = limiter
        }
        if let wait = node.take(at: now, pace: nodePace) { return .refuse(retryAfter: wait) }
        return .admit
    }

    /// Forgets addresses whose pace is at rest; if none is, forgets all: a fresh start is cheaper than an endless
    /// table.
    private mutating func sweep(_ now: NIODeadline) {
        addresses = addresses.filter { !$0.value.isAtRest(at: now) }
        if addresses.count >= Self.addressesMax { addresses = [:] }
    }

    var addressCount: Int { addresses.count }
}
