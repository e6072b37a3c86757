#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The calendar clock, for what other machines compare: epochs, expiry, reports. Never for deadlines: it may be set.
package enum WallClock {
    /// Microseconds since 1970, from `CLOCK_REALTIME` (clock_gettime(2)).
    @Sendable package static func microseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(clamping: time.tv_sec) * 1_000_000 + UInt64(clamping: time.tv_nsec) / 1000
    }

    /// Milliseconds since 1970, likewise.
    @Sendable package static func milliseconds() -> UInt64 { microseconds() / 1000 }
}
