/// What an answer, or the lack of one, means for a batch. Pure.
package enum WebhookVerdict: Equatable, Sendable {
    case accepted
    /// Worth another try, not before so long when the receiver said so.
    case again(reason: String, after: Duration?)
    /// The same call would fail the same way.
    case giveUp(reason: String)

    /// - Parameters:
    ///   - retryAfter: the header of that name (RFC 9110, section 10.2.3).
    ///   - unixSeconds: now, to read a date in it.
    package init(status: Int, retryAfter: String?, unixSeconds: Int64) {
        switch status {
        case 200..<300:
            self = .accepted
        case 408, 425, 429, 500...:
            // Request Timeout, Too Early, Too Many Requests, and the receiver's own trouble.
            self = .again(
                reason: "status_\(status)",
                after: retryAfter.flatMap { HTTPDelay.read($0, unixSeconds: unixSeconds) })
        case 300..<400:
            // Followed, it would lead a signed call to wherever the answer says, past the check of the address.
            self = .giveUp(reason: "redirect")
        default:
            self = .giveUp(reason: "status_\(status)")
        }
    }
}

/// `Retry-After`: seconds, or a date.
enum HTTPDelay {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Nil when the text is neither. A date that has passed is no delay.
    static func read(_ text: String, unixSeconds: Int64) -> Duration? {
        if (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Int64(text).map { .seconds($0) }
        }
        return date(text).map { .seconds(max(0, $0 - unixSeconds)) }
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110, section 5.6.7) as Unix seconds.
    static func date(_ text: String) -> Int64? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].utf8.count == 4, parts[5] == "GMT", parts[3].utf8.count == 4,
            let day = number(parts[1], 1...31), let month = months.firstIndex(of: String(parts[2])),
            let year = number(parts[3], 1970...9999)
        else { return nil }
        let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, let hour = number(clock[0], 0...23), let minute = number(clock[1], 0...59),
            let second = number(clock[2], 0...60)
        else { return nil }
        return days(year, Int64(month) + 1, day) * 86_400 + hour * 3_600 + minute * 60 + second
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int64>) -> Int64? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(text), range.contains(number)
        else { return nil }
        return number
    }

    /// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms",
    /// days_from_civil), for years from 1970.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
