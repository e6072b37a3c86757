// Leases in numbers: Unix milliseconds of a store's clock.

package enum JobClock {
    /// A lease that would end later than any can was made before the clock was set back.
    package static func isExpired(_ expiresAt: UInt64, now: UInt64) -> Bool {
        expiresAt <= now || expiresAt > now + milliseconds(JobLimits.leaseMax)
    }

    /// Within the bounds of leases.
    package static func leaseMilliseconds(_ duration: Duration) -> UInt64 {
        milliseconds(min(max(duration, JobLimits.leaseMin), JobLimits.leaseMax))
    }

    /// Whole milliseconds; none for less than zero.
    package static func milliseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds) * 1000 + UInt64(attoseconds / 1_000_000_000_000_000)
    }
}
