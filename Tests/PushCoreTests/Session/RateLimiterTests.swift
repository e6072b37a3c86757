import NIOCore
import PushCore
import TestKit
import Testing

struct RateLimiterTests {
    private let pace = RateLimiter.Pace(perSecond: 50, burst: 10)
    private let start = NIODeadline.uptimeNanoseconds(5_000_000_000)

    @Test func aBurstPassesAtOnceAndThenOnePerInterval() {
        var limiter = RateLimiter()
        for _ in 0..<10 { #expect(limiter.take(at: start, pace: pace) == nil) }
        #expect(limiter.take(at: start, pace: pace) == .milliseconds(20))
        #expect(limiter.take(at: start + .milliseconds(19), pace: pace) == .milliseconds(1))
        #expect(limiter.take(at: start + .milliseconds(20), pace: pace) == nil)
        #expect(limiter.take(at: start + .milliseconds(20), pace: pace) == .milliseconds(20))
    }

    @Test func whatIsRefusedIsNotCountedAndWhatIsChargedIs() {
        var taking = RateLimiter()
        var charging = RateLimiter()
        #expect(taking.charge(10, at: start, pace: pace) == nil)
        #expect(charging.charge(10, at: start, pace: pace) == nil)
        for step in 1...5 {
            #expect(taking.take(at: start, pace: pace) == .milliseconds(20))
            #expect(charging.charge(1, at: start, pace: pace) == .milliseconds(Int64(20 * step)))
        }
    }

    @Test func restIsReachedWhenTheWholeBurstIsBack() {
        var limiter = RateLimiter()
        #expect(limiter.isAtRest(at: start))
        _ = limiter.charge(10, at: start, pace: pace)
        #expect(!limiter.isAtRest(at: start + .milliseconds(199)))
        #expect(limiter.isAtRest(at: start + .milliseconds(200)))
    }

    /// In every window there are at most the burst and what the window's length allows.
    @Test func noWindowHoldsMoreThanThePace() {
        var random = SplitMix.printed()
        for _ in 0..<50 {
            let perSecond = Int.random(in: 1...200, using: &random)
            let burst = Int.random(in: 1...30, using: &random)
            let pace = RateLimiter.Pace(perSecond: perSecond, burst: burst)
            var limiter = RateLimiter()
            var now = start
            var taken: [NIODeadline] = []
            for _ in 0..<300 {
                now = now + .microseconds(Int64.random(in: 0...30_000, using: &random))
                if limiter.take(at: now, pace: pace) == nil { taken.append(now) }
            }
            for first in taken.indices {
                for last in first..<taken.count {
                    let window = (taken[last] - taken[first]).nanoseconds
                    let allowed = Int64(burst) + window / pace.interval.nanoseconds
                    if Int64(last - first + 1) > allowed { Issue.record("\(last - first + 1) of \(allowed)") }
                }
            }
        }
    }

    @Test func theWaitIsExact() {
        var random = SplitMix.printed()
        var limiter = RateLimiter()
        var now = start
        for _ in 0..<1000 {
            now = now + .microseconds(Int64.random(in: 0...25_000, using: &random))
            guard let wait = limiter.take(at: now, pace: pace) else { continue }
            var early = limiter
            var late = limiter
            #expect(early.take(at: now + wait - .nanoseconds(1), pace: pace) == .nanoseconds(1))
            #expect(late.take(at: now + wait, pace: pace) == nil)
        }
    }
}
